// The option prune: expired records are removed in the background.

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>

#include "polystore/clients/file.hpp"
#include "polystore/clients/memory.hpp"
#include "polystore/store.hpp"
#include "support/catch.hpp"
#include "support/code_of.hpp"
#include "support/custom_clients.hpp"
#include "support/in_child.hpp"
#include "support/temporary_folder.hpp"

using namespace polystore;
using namespace polystore::testing;
using namespace std::chrono_literals;

namespace {

/// The clock of a time that a record does not survive.
double after_all() { return 2; }
double before_all() { return 0; }

/// Waits until there is no record at a key, expired or not.
void await_removal(const std::shared_ptr<Client>& client, const char* key) {
    const Store earlier(client, {.clock = before_all});
    while (earlier.has(key)) std::this_thread::yield();
}

auto count_threads() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator());
}

/// A client that fails to list once.
class FailingOnce : public PlainClient {
   public:
    std::unique_ptr<Cursor> scan(const Range& range) override {
        if (!has_failed.exchange(true)) throw std::runtime_error("not now");
        return PlainClient::scan(range);
    }

    std::atomic<bool> has_failed = false;
};

}  // namespace

TEST_CASE("prune: a store removes what has expired in the background, under its prefix", "[prune]") {
    const TemporaryFolder folder;
    for (const auto& client : {memory(), file(folder / "a.json")}) {
        const Store earlier(client, {.clock = before_all});
        earlier.set("a:old", 1, {.expires = "1ms"});
        earlier.set("b:old", 1, {.expires = "1ms"});
        earlier.set("a:new", 1, {.expires = "1s"});
        {
            const Store store(client, {.prefix = "a:", .clock = after_all, .prune = 1ms});
            await_removal(client, "a:old");
        }
        CHECK(earlier.keys({.gte = ""}) == std::vector<std::string>{"a:new", "b:old"});
        const Store store(client, {.clock = after_all, .prune = "1 ms"});
        await_removal(client, "b:old");
        CHECK(earlier.has("a:new"));
    }
}

TEST_CASE("prune: a prune that fails is tried again", "[prune]") {
    const auto client = std::make_shared<FailingOnce>();
    Store(client, {.clock = before_all}).set("old", 1, {.expires = "1ms"});
    const Store store(client, {.clock = after_all, .prune = 0.001});
    await_removal(client, "old");
    CHECK(client->has_failed);
}

TEST_CASE("prune: the thread ends with close(), and with the last of the stores", "[prune]") {
    const auto before = count_threads();
    {
        const Store store(memory(), {.prune = 1min});
        CHECK(count_threads() == before + 1);
        const Store copy = store.prefix("a:");
        CHECK(count_threads() == before + 1);
        store.close();
        CHECK(count_threads() == before);
        store.close();
        CHECK(code_of([&] { copy.set("a", 1); }) == "ERR_CLOSED");
    }
    std::optional<Store> store(Store(memory(), {.prune = 1min}));
    std::optional<Store> copy = store->expires(60);
    store.reset();
    CHECK(count_threads() == before + 1);
    copy.reset();
    CHECK(count_threads() == before);
    static_cast<void>(Store(memory(), {.prune = std::nullopt}));
    const Store none(memory());
    CHECK(count_threads() == before);
}

TEST_CASE("prune: a forked process can use the store and destroy it, without the thread", "[prune]") {
    std::optional<Store> store(Store(memory(), {.prune = 1min}));
    CHECK(in_child([&] {
              store->set("a", 1);
              const std::string got = store->get("a").dump();
              store->close();
              store.reset();
              return got;
          }) == "1");
}

TEST_CASE("prune: a time between two prunes that is not greater than 0 is refused", "[prune]") {
    for (const double time : {0.0, -1.0}) {
        CHECK_THAT(failure_of([&] { static_cast<void>(Store(memory(), {.prune = time})); }),
                   Catch::StartsWith("ERR_OPTIONS: prune is ") && Catch::Contains("must be greater than 0"));
    }
    CHECK(code_of([&] { static_cast<void>(Store(memory(), {.prune = "soon"})); }) == "ERR_EXPIRES");
}
