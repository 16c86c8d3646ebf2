#include "polystore/clients/log.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>

#include "polystore/engine/log_format.hpp"
#include "polystore/store.hpp"
#include "support/catch.hpp"
#include "support/code_of.hpp"
#include "support/fake_clock.hpp"
#include "support/file_size_limit.hpp"
#include "support/on_threads.hpp"
#include "support/temporary_folder.hpp"

using namespace polystore;
using namespace polystore::testing;

TEST_CASE("log: keeps its records, and makes its folders", "[log]") {
    const TemporaryFolder folder;
    const auto path = folder / "new/folder/data.kv";
    Store(log(path)).set("a", 1);
    CHECK(Store(log(path)).get("a") == 1);
    CHECK(TemporaryFolder().names().empty());
}

TEST_CASE("log: one at a time may have it, and the others are told who does", "[log]") {
    const TemporaryFolder folder;
    const Store first(log(folder / "data.kv"));
    first.set("a", 1);
    const Store second(log(folder / "data.kv"));
    CHECK_THAT(failure_of([&] { second.set("a", 2); }),
               Catch::StartsWith("ERR_CLIENT") && Catch::Contains("in process " + std::to_string(getpid())));
    first.close();
    CHECK(second.get("a") == 1);
}

TEST_CASE("log: strict has what was written flushed before the call returns, and nothing else", "[log]") {
    const TemporaryFolder folder;
    const auto client = log(folder / "data.kv", {.durability = Durability::strict});
    CHECK_FALSE(client->pending_flush());
    client->write("a", {kNever, 1});
    const auto flush = client->pending_flush();
    REQUIRE(flush);
    CHECK_FALSE(client->pending_flush());
    client->evict(std::vector<Entry>{{"a", {kNever, 1}}});
    CHECK_FALSE(client->pending_flush());
    client->erase("b");
    CHECK(client->pending_flush());
    client->clear("c");
    CHECK(client->pending_flush());
    CHECK(client->prune("d") == 0);
    CHECK(client->pending_flush());
    client->close();
    flush();  // Another thread was slow; closing has flushed.
    const auto relaxed = log(folder / "data.kv");
    relaxed->write("a", {kNever, 1});
    CHECK_FALSE(relaxed->pending_flush());
}

TEST_CASE("log: writers that wait for a flush, and one that closes", "[log]") {
    const TemporaryFolder folder;
    const auto client = log(folder / "data.kv", {.durability = Durability::strict});
    const Store store(client);
    std::atomic<int> written = 0;
    on_threads(5, [&](int thread) {
        if (thread == 4) {
            while (written < 8) std::this_thread::yield();
            return store.close();
        }
        for (int i = 0;; ++i) {
            if (code_of([&] { store.set(std::to_string(thread) + ':' + std::to_string(i), i); }) == "ERR_CLOSED") break;
            ++written;
        }
    });
    CHECK(Store(client).keys().size() == static_cast<std::size_t>(written.load()));
}

TEST_CASE("log: is opened again after it was closed", "[log]") {
    const TemporaryFolder folder;
    const auto client = log(folder / "data.kv");
    Store(client).set("a", 1);
    const Store store(client);
    auto iterator = store.begin();
    store.close();
    CHECK(Store(client).get("a") == 1);
}

TEST_CASE("log: what is no log, or a damaged one, is left as it is", "[log]") {
    const TemporaryFolder folder;
    const auto path = folder / "data.kv";
    put(path, "a letter to my aunt, which is not to be lost");
    CHECK_THAT(failure_of([&] { Store(log(path)).set("a", 1); }),
               Catch::StartsWith("ERR_CORRUPT") && Catch::Contains(path.string()));
    CHECK(text_of(path) == "a letter to my aunt, which is not to be lost");
    CHECK(code_of([&] { Store(log(folder.path())).set("a", 1); }) == "ERR_CLIENT");
}

TEST_CASE("log: what is no file, or a link to nothing, is refused and stays", "[log]") {
    const TemporaryFolder folder;
    REQUIRE(mkfifo((folder / "pipe.kv").c_str(), 0600) == 0);
    std::filesystem::create_symlink("nothing", folder / "link.kv");
    std::filesystem::create_directory(folder / "folder.kv");
    for (const std::string name : {"pipe.kv", "link.kv", "folder.kv"}) {
        CHECK_THAT(failure_of([&] { Store(log(folder / name)).set("a", 1); }),
                   Catch::StartsWith("ERR_CLIENT") && Catch::Contains(name + ": it is"));
    }
    CHECK(std::filesystem::is_fifo(folder / "pipe.kv"));
    CHECK(std::filesystem::is_symlink(folder / "link.kv"));
}

TEST_CASE("log: a value that is not JSON is ERR_CORRUPT, a key that is not UTF-8 ERR_KEY", "[log]") {
    const TemporaryFolder folder;
    const Store store(log(folder / "data.kv"));
    CHECK(code_of([&] { store.set("\xFF", 1); }) == "ERR_KEY");
    CHECK(code_of([&] { return store.get("\xFF"); }) == "ERR_KEY");
    CHECK(store.keys().empty());
}

TEST_CASE("log: prunes by its clock what the prefix names, and nothing else", "[log]") {
    const TemporaryFolder folder;
    FakeClock clock;
    const Store store(log(folder / "data.kv", {.clock = clock}), {.clock = clock});
    store.set("a:1", 1, {.expires = 1});
    store.set("a:2", 2, {.expires = 2});
    store.set("b:1", 1, {.expires = 1});
    clock.advance(1000);
    CHECK(store.prefix("a:").prune() == 1);
    CHECK(store.prune() == 1);
    CHECK(store.keys() == std::vector<std::string>{"a:2"});
}

TEST_CASE("log: an iteration shows what was there when it began", "[log]") {
    const TemporaryFolder folder;
    const Store store(log(folder / "data.kv", {.durability = Durability::relaxed}));
    for (int i = 0; i < 1500; ++i) store.set(std::to_string(i), i);
    int count = 0;
    for (const auto& [key, value] : store) {
        if (count++ == 0) store.clear();
        CHECK(value == std::stoi(key));
    }
    CHECK(count == 1500);
    CHECK(store.keys().empty());
}

TEST_CASE("log: a full disk is ERR_QUOTA, and nothing is lost", "[log]") {
    const TemporaryFolder folder;
    const Store store(log(folder / "data.kv"));
    store.set("a", 1);
    {
        const FileSizeLimit limit(5000);
        CHECK(code_of([&] { store.set("b", std::string(10'000, 'x')); }) == "ERR_QUOTA");
        CHECK(store.get("a") == 1);
        store.set("c", 2);
    }
    store.close();
    CHECK(Json(Store(log(folder / "data.kv")).all()) == Json({{"a", 1}, {"c", 2}}));
}

TEST_CASE("log: without any room it can be opened and read still, by one at a time", "[log]") {
    const TemporaryFolder folder;
    const auto path = folder / "data.kv";
    Store(log(path)).set("a", 1);
    const FileSizeLimit limit(0);
    const Store first(log(path));
    CHECK(first.get("a") == 1);
    CHECK(code_of([&] { first.set("b", 2); }) == "ERR_QUOTA");
    const Store second(log(path));
    CHECK_THAT(failure_of([&] { return second.get("a"); }),
               Catch::StartsWith("ERR_CLIENT") && Catch::Contains("a process that had no room to say which it is"));
    first.close();
    CHECK(second.get("a") == 1);
    second.close();
    CHECK(folder.names() == std::vector<std::string>{"data.kv"});
}

TEST_CASE("log: what has expired goes without a call", "[log]") {
    const TemporaryFolder folder;
    const Store store(log(folder / "data.kv", {.durability = Durability::relaxed}));
    store.set("a", 1, {.expires = 0.001});
    const auto removed = [&] {  // A record that says so is longer by nothing but its head and its key.
        return std::filesystem::file_size(folder / "data.kv") >=
               engine::kHeaderSize + (engine::kHeadSize + 2) + (engine::kHeadSize + 1);
    };
    while (!removed()) std::this_thread::yield();
    CHECK(store.keys().empty());
}
