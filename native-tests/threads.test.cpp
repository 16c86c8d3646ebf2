#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "polystore/clients/file.hpp"
#include "polystore/clients/folder.hpp"
#include "polystore/clients/memory.hpp"
#include "polystore/store.hpp"
#include "support/catch.hpp"
#include "support/code_of.hpp"
#include "support/custom_clients.hpp"
#include "support/in_child.hpp"
#include "support/on_threads.hpp"
#include "support/temporary_folder.hpp"

using namespace polystore;
using namespace polystore::testing;

namespace {

/// Four threads write, read, list, expire and remove at once, each under its own prefix and all under a common one.
void use_at_once(const std::shared_ptr<Client>& client, int rounds) {
    const Store shared(client);
    std::atomic<int> wrong = 0;
    on_threads(4, [&](int thread) {
        const Store own = Store(client).prefix(std::to_string(thread) + ":");
        for (int i = 0; i < rounds; ++i) {
            const std::string key = std::to_string(i);
            own.set(key, i);
            if (own.get(key) != i) ++wrong;
            if (own.has("none")) ++wrong;
            shared.set("shared", i, {.expires = i % 2 == 0 ? 0.001 : 1000.0});
            static_cast<void>(shared.get("shared"));
            own.add(i);
            if (i % 8 == 0) {
                for (const auto& [listed, value] : shared) {
                    if (!value.is_number()) ++wrong;
                }
                shared.prune();
            }
            if (i % 4 == 0) own.del(key);
        }
    });
    CHECK(wrong == 0);
    for (int thread = 0; thread < 4; ++thread) {
        CHECK(shared.prefix(std::to_string(thread) + ":").keys().size() ==
              static_cast<std::size_t>(rounds + rounds - (rounds + 3) / 4));
    }
}

/// A client whose writing calls only return when `writers` of them have written.
class FlushingTogether : public PlainClient {
   public:
    explicit FlushingTogether(int writers) : writers_(writers) {}

    std::vector<CommitOutcome> commit(std::span<const Commit> commits) override {
        std::vector<CommitOutcome> outcomes = PlainClient::commit(commits);
        --writers_;
        return outcomes;
    }

    std::function<void()> pending_flush() override {
        return [this] {
            while (writers_ > 0) std::this_thread::yield();
        };
    }

   private:
    std::atomic<int> writers_;
};

/// A client that counts the threads inside it.
class Counting : public PlainClient {
   public:
    std::optional<Record> read(const std::string& id) override {
        if (++inside_ != 1) ++overlaps;
        std::this_thread::yield();
        --inside_;
        return PlainClient::read(id);
    }

    std::atomic<int> overlaps = 0;

   private:
    std::atomic<int> inside_ = 0;
};

}  // namespace

TEST_CASE("threads: memory", "[threads]") { use_at_once(memory(), 100); }

TEST_CASE("threads: a custom client", "[threads]") { use_at_once(std::make_shared<PlainClient>(), 100); }

TEST_CASE("threads: a file", "[threads]") {
    const TemporaryFolder folder;
    use_at_once(file(folder / "a.json"), 12);
}

TEST_CASE("threads: a folder", "[threads]") {
    const TemporaryFolder folder;
    use_at_once(polystore::folder(folder.path()), 12);
}

TEST_CASE("threads: two clients on one file lose nothing", "[threads]") {
    const TemporaryFolder folder;
    on_threads(3, [&](int thread) {
        const Store store(file(folder / "a.json"));
        for (int i = 0; i < 20; ++i) store.set(std::to_string(thread) + ':' + std::to_string(i), i);
    });
    CHECK(Store(file(folder / "a.json")).keys().size() == 60);
}

TEST_CASE("threads: a client is never called by two threads at once", "[threads]") {
    const auto client = std::make_shared<Counting>();
    on_threads(4, [&](int thread) {
        const Store store = Store(client).prefix(std::to_string(thread));
        for (int i = 0; i < 200; ++i) {
            store.set("a", i);
            static_cast<void>(store.get("a"));
        }
    });
    CHECK(client->overlaps == 0);
}

TEST_CASE("threads: clients in front of a shared client keep each other and its stores out", "[threads]") {
    const auto behind = std::make_shared<Counting>();
    const std::vector<std::shared_ptr<Client>> clients = {behind, std::make_shared<Front>(share(behind)),
                                                          std::make_shared<Front>(share(behind))};
    on_threads(3, [&](int thread) {
        const Store store = Store(clients[static_cast<std::size_t>(thread)]).prefix(std::to_string(thread));
        for (int i = 0; i < 200; ++i) {
            store.set("a", i);
            static_cast<void>(store.get("a"));
            for (const auto& entry : store) static_cast<void>(entry);
        }
    });
    CHECK(behind->overlaps == 0);
}

TEST_CASE("threads: calls that wait for a flush do not block other writers", "[threads]") {
    const Store store(std::make_shared<FlushingTogether>(4));
    on_threads(4, [&](int thread) { store.set(std::to_string(thread), thread); });
    CHECK(store.keys().size() == 4);
}

TEST_CASE("threads: closing waits for calls in progress, and later calls fail", "[threads]") {
    const Store store(std::make_shared<Counting>());
    store.set("a", 1);
    std::atomic<int> wrong = 0;
    std::atomic<int> started = 0;
    on_threads(4, [&](int thread) {
        ++started;
        while (started < 4) std::this_thread::yield();
        if (thread == 0) return store.close();
        std::string code;
        while (code.empty()) code = code_of([&] { return store.get("a"); });
        if (code != "ERR_CLOSED") ++wrong;
    });
    CHECK(wrong == 0);
}

TEST_CASE("threads: an iterator may be destroyed on another thread", "[threads]") {
    const Store store(memory());
    for (int i = 0; i < 600; ++i) store.set(std::to_string(i), i);
    auto iterator = store.begin();
    std::thread([moved = std::move(iterator), &store]() mutable {
        for (int i = 0; i < 550; ++i) ++moved;
        CHECK(moved != store.end());
    }).join();
}

TEST_CASE("threads: a process that is forked while another thread is in a call is not kept waiting") {
    /// A client whose `read` waits.
    class WaitingClient : public PlainClient {
       public:
        std::optional<Record> read(const std::string& /*id*/) override {
            reads.set_value();
            goes_on.get_future().wait();
            return std::nullopt;
        }
        std::promise<void> reads;
        std::promise<void> goes_on;
    };
    const auto client = std::make_shared<WaitingClient>();
    const Store store(client);
    store.set("a", 1);
    auto iterator = std::make_unique<Store::Iterator>(store.begin());
    std::thread reader([&] { CHECK(store.get("a") == nullptr); });
    client->reads.get_future().wait();
    CHECK(
        in_child([&] {
            std::string said = failure_of([&] { store.set("b", 2); });
            iterator.reset();
            const Store other(memory());
            other.set("a", 1);
            return said + other.get("a").dump();
        }) ==
        "ERR_CLIENT: This process was forked while another thread was in a call of this store, so the store cannot be "
        "used here. Make a new client.1");
    client->goes_on.set_value();
    reader.join();
    store.set("b", 2);
    CHECK(in_child([&] { return Json(store.keys()).dump(); }) == R"(["a","b"])");
}
