#include "polystore/clients/log.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <system_error>
#include <thread>

#include "polystore/engine/log_format.hpp"
#include "polystore/engine/posix_env.hpp"
#include "polystore/store.hpp"
#include "support/catch.hpp"
#include "support/client_calls.hpp"
#include "support/code_of.hpp"
#include "support/engine.hpp"
#include "support/fake_clock.hpp"
#include "support/file_size_limit.hpp"
#include "support/in_child.hpp"
#include "support/on_threads.hpp"
#include "support/system_faults.hpp"
#include "support/temporary_folder.hpp"

using namespace polystore;
using namespace polystore::testing;

TEST_CASE("log: it keeps its records and creates its folders", "[log]") {
    const TemporaryFolder folder;
    const auto path = folder / "new/folder/data.kv";
    Store(log(path)).set("a", 1);
    CHECK(Store(log(path)).get("a") == 1);
    CHECK(TemporaryFolder().names().empty());
}

TEST_CASE("log: only one opener at a time is allowed, and the others get its process id", "[log]") {
    const TemporaryFolder folder;
    const Store first(log(folder / "data.kv"));
    first.set("a", 1);
    const Store second(log(folder / "data.kv"));
    CHECK_THAT(failure_of([&] { second.set("a", 2); }),
               Catch::StartsWith("ERR_CLIENT") && Catch::Contains("in process " + std::to_string(getpid())));
    first.close();
    CHECK(second.get("a") == 1);
}

TEST_CASE("log: with strict, a write is flushed before the call returns, and other calls do not flush", "[log]") {
    const TemporaryFolder folder;
    const auto client = log(folder / "data.kv", {.durability = Durability::strict});
    CHECK_FALSE(client->pending_flush());
    put(*client, "a", {kNever, 1});
    const auto flush = client->pending_flush();
    REQUIRE(flush);
    CHECK_FALSE(client->pending_flush());
    CHECK_FALSE(is_made(*client, {.expected = {{"a"}}, .changes = {{"a"}}}));
    CHECK_FALSE(client->pending_flush());
    remove(*client, "b");
    CHECK(client->pending_flush());
    CHECK(client->sweep({.prefix = "c"}, std::nullopt) == 0);
    CHECK(client->pending_flush());
    CHECK(client->sweep({.prefix = "d"}, 1) == 0);
    CHECK(client->pending_flush());
    client->close();
    flush();  // Another thread was slow, and close() has flushed.
    const auto relaxed = log(folder / "data.kv");
    put(*relaxed, "a", {kNever, 1});
    CHECK_FALSE(relaxed->pending_flush());
}

TEST_CASE("log: one thread closes while writers wait for a flush", "[log]") {
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

TEST_CASE("log: it can be opened again after it was closed", "[log]") {
    const TemporaryFolder folder;
    const auto client = log(folder / "data.kv");
    Store(client).set("a", 1);
    const Store store(client);
    auto iterator = store.begin();
    store.close();
    CHECK(Store(client).get("a") == 1);
}

TEST_CASE("log: a file that is not a log, or a damaged log, is left unchanged", "[log]") {
    const TemporaryFolder folder;
    const auto path = folder / "data.kv";
    put(path, "a letter to my aunt, which is not to be lost");
    CHECK_THAT(failure_of([&] { Store(log(path)).set("a", 1); }),
               Catch::StartsWith("ERR_CORRUPT") && Catch::Contains(path.string()));
    CHECK(text_of(path) == "a letter to my aunt, which is not to be lost");
    CHECK(code_of([&] { Store(log(folder.path())).set("a", 1); }) == "ERR_CLIENT");
}

TEST_CASE("log: a path that is not a regular file is rejected and stays", "[log]") {
    const TemporaryFolder folder;
    REQUIRE(mkfifo((folder / "pipe.kv").c_str(), 0600) == 0);
    std::filesystem::create_directory(folder / "folder.kv");
    for (const std::string name : {"pipe.kv", "folder.kv"}) {
        CHECK_THAT(failure_of([&] { Store(log(folder / name)).set("a", 1); }),
                   Catch::StartsWith("ERR_CLIENT") && Catch::Contains(name + ": it is"));
    }
    CHECK(std::filesystem::is_fifo(folder / "pipe.kv"));
}

TEST_CASE("log: links are followed whenever the log is opened, and their target is created", "[log]") {
    const TemporaryFolder folder;
    std::filesystem::create_symlink("new/real.kv", folder / "link.kv");
    const auto client = log(folder / "link.kv");
    const Store store(client);
    store.set("a", 1);
    CHECK(std::filesystem::is_symlink(folder / "link.kv"));
    store.close();
    CHECK(Store(log(folder / "new/real.kv")).get("a") == 1);
    std::filesystem::remove(folder / "link.kv");
    std::filesystem::create_symlink("other.kv", folder / "link.kv");
    CHECK(Store(client).keys().empty());
    CHECK(std::filesystem::exists(folder / "other.kv"));
}

TEST_CASE("log: a value that is not JSON is ERR_CORRUPT, only for its key", "[log]") {
    const TemporaryFolder folder;
    const std::string path = folder / "data.kv";
    REQUIRE(opened(engine::posix_env(), path)->apply({set("a", "1"), set("bad", "{"), set("old", "[1e400]", 1)}).ok());
    const Store store(log(path));
    CHECK_THAT(failure_of([&] { return store.get("bad"); }),
               Catch::StartsWith("ERR_CORRUPT: What is stored at \"bad\" cannot be read: "));
    CHECK(code_of([&] { return store.values(); }) == "ERR_CORRUPT");
    CHECK(store.keys() == std::vector<std::string>{"a", "bad"});
    CHECK(store.get("a") == 1);
    store.set("bad", 2);
    CHECK(store.all() == Json{{"a", 1}, {"bad", 2}});
}

TEST_CASE("log: a key that is not UTF-8 is ERR_KEY", "[log]") {
    const TemporaryFolder folder;
    const Store store(log(folder / "data.kv"));
    CHECK(code_of([&] { store.set("\xFF", 1); }) == "ERR_KEY");
    CHECK(code_of([&] { return store.get("\xFF"); }) == "ERR_KEY");
    CHECK(store.keys().empty());
}

TEST_CASE("log: prune only removes records with the prefix that expired by the store's clock", "[log]") {
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

TEST_CASE("log: an iteration shows the records of its beginning", "[log]") {
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

TEST_CASE("log: without any room it can still be opened and read, by one opener at a time", "[log]") {
    const TemporaryFolder folder;
    const auto path = folder / "data.kv";
    Store(log(path)).set("a", 1);
    const FileSizeLimit limit(0);
    const Store first(log(path));
    CHECK(first.get("a") == 1);
    CHECK(code_of([&] { first.set("b", 2); }) == "ERR_QUOTA");
    const Store second(log(path));
    CHECK_THAT(failure_of([&] { return second.get("a"); }),
               Catch::StartsWith("ERR_CLIENT") && Catch::Contains("an unknown process (its lock file is empty)"));
    first.close();
    CHECK(second.get("a") == 1);
    second.close();
    CHECK(folder.names() == std::vector<std::string>{"data.kv"});
}

TEST_CASE("log: expired records are removed without a call", "[log]") {
    const TemporaryFolder folder;
    const Store store(log(folder / "data.kv", {.durability = Durability::relaxed}));
    store.set("a", 1, {.expires = 0.001});
    const auto removed = [&] {  // The record of a removal only adds its head and its key.
        return std::filesystem::file_size(folder / "data.kv") >=
               engine::kHeaderSize + (engine::kHeadSize + 2) + (engine::kHeadSize + 1);
    };
    while (!removed()) std::this_thread::yield();
    CHECK(store.keys().empty());
}

TEST_CASE("log: in a folder that cannot be written it can be read, and nothing of it is changed", "[log]") {
    const TemporaryFolder folder;
    const auto path = folder / "data.kv";
    const FakeClock clock;  // By the system clock, the store would remove what has expired within a second.
    const Store store(log(path, {.durability = Durability::strict, .clock = clock}), {.clock = clock});
    store.set("a", 1);
    store.set("expired", 2, {.expires = 0.001});
    std::ofstream(path, std::ios::app) << "the begin of a record";  // As if the store were writing it now.
    std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
    const std::string before = text_of(path);
    CHECK(as_ordinary_user([&] {
              const Store reader(log(path));
              const std::string failure = failure_of([&] { reader.set("b", 2); });
              std::string said = Json(reader.all()).dump() + reader.get("expired").dump() + " " + failure + " ";
              said += code_of([&] { reader.del("a"); }) + code_of([&] { reader.clear(); }) + " ";
              reader.close();
              return said + code_of([&] { Store(log(folder / "other.kv")).set("a", 1); });
          }) == R"({"a":1}null ERR_CLIENT: The log )" + path.string() +
                    " is read-only, because this process has no permission to write to its folder. Grant it, and open "
                    "the store "
                    "again. ERR_CLIENTERR_CLIENT ERR_CLIENT");
    CHECK(text_of(path) == before);
    CHECK(folder.names().size() == 2);  // The log and the lock of its owner.
}

TEST_CASE("log: a file that is mounted alone is written without compaction", "[log]") {
    const TemporaryFolder folder;
    const std::string path = (folder / "data.kv").string();
    const auto engine = opened(engine::posix_env(), path);
    const std::string value(400'000, 'x');
    for (int i = 0; i < 10; ++i) got(engine->apply({set("a", value + std::to_string(i))}));
    const SystemFaults faults({.rename = EBUSY});
    std::string failure;
    while (failure.empty()) failure = failure_in(engine->compact(1'000'000));
    CHECK_THAT(failure, Catch::StartsWith("ERR_UNSUPPORTED") && Catch::Contains("data.kv"));
    got(engine->apply({set("b", "2")}));
    got(engine->flush());
    CHECK(stored_at(*engine, "a")->value == value + "9");
    CHECK(stored_at(*engine, "b")->value == "2");
    CHECK(folder.names().size() == 2);  // The log and its lock.
}

TEST_CASE("log: it is created in a folder that cannot be synced", "[log]") {
    const TemporaryFolder folder;
    const SystemFaults faults({.sync_of_folders = EINVAL});
    Store(log(folder / "new/data.kv")).set("a", 1);
    CHECK(Store(log(folder / "new/data.kv")).get("a") == 1);
}

TEST_CASE("log: a forked process does not share the log that its parent has open", "[log]") {
    const TemporaryFolder folder;
    const auto path = folder / "data.kv";
    auto client = log(path, {.durability = Durability::strict});
    auto store = std::make_unique<Store>(client);
    store->set("a", 1);
    store->set("b", 1);
    auto iterator = std::make_unique<Store::Iterator>(store->begin());
    CHECK_THAT(
        in_child([&] {
            std::string said = failure_of([&] { return store->get("a"); });
            for (const std::string& code : {code_of([&] { store->set("c", 3); }),
                                            code_of([&] { return store->keys(); }), code_of([&] { store->clear(); })}) {
                said += code + " ";
            }
            iterator.reset();
            store->close();
            const Store again(client);
            said += failure_of([&] { return again.get("a"); });
            store.reset();
            client.reset();
            return said + " ended";
        }),
        Catch::StartsWith("ERR_CLIENT: This process was forked while the log ") &&
            Catch::Contains("ERR_CLIENT ERR_CLIENT ERR_CLIENT ERR_CLIENT: The log ") &&
            Catch::Contains("in process " + std::to_string(getpid())) && Catch::EndsWith(" ended"));
    store->set("d", 4);
    CHECK(store->keys().size() == 3);
    store->close();
    CHECK(in_child([&] { return Store(client).get("d").dump(); }) == "4");
    CHECK(Store(client).get("d") == 4);
}

TEST_CASE("log: a file at the path of the compacted log stays, unless it is a log", "[log]") {
    const TemporaryFolder folder;
    const auto path = folder / "users";
    const auto beside = folder / "users.new";
    put(beside, "mine");
    const auto opening = [&] { return failure_of([&] { Store(log(path)).set("a", 1); }); };
    CHECK_THAT(opening(), Catch::StartsWith("ERR_CLIENT") && Catch::Contains("users.new"));
    CHECK(text_of(beside) == "mine");
    std::filesystem::remove(beside);
    put(folder / "victim", "the victim's");
    std::filesystem::create_symlink("victim", beside);
    CHECK_THAT(opening(), Catch::StartsWith("ERR_CLIENT"));
    CHECK(text_of(folder / "victim") == "the victim's");
    std::filesystem::remove(beside);
    for (const std::string& left : {std::string(), std::string(50, '\0'), std::string("polystor\2\0\0\0", 12)}) {
        put(beside, left);  // A file that a killed process left.
        CHECK(opening().empty());
        CHECK(folder.names() == std::vector<std::string>{"users", "victim"});
    }
    CHECK_THAT(failure_of([&] { Store(log(beside)).set("a", 1); }),
               Catch::StartsWith("ERR_CLIENT: A log cannot be named"));
}

TEST_CASE("log: during compaction, the new file has the permissions of the old one", "[log]") {
    const TemporaryFolder folder;
    const std::string path = folder / "data.kv";
    const auto log = opened(engine::posix_env(), path);
    std::filesystem::permissions(path, std::filesystem::perms(0600));
    REQUIRE(log->apply({set("a", "1"), set("b", "2")}).ok());
    REQUIRE(got(log->compact(1)));
    CHECK(std::filesystem::status(path + ".new").permissions() == std::filesystem::perms(0600));
    std::filesystem::permissions(path, std::filesystem::perms(0640));
    while (got(log->compact(1))) continue;
    CHECK(std::filesystem::status(path).permissions() == std::filesystem::perms(0640));
}

TEST_CASE("log: the next flush detects that the open log was removed or replaced", "[log]") {
    const TemporaryFolder folder;
    const auto path = folder / "data.kv";
    const auto meddles = GENERATE(as<std::string>(), "removed", "replaced", "moved");
    const auto client = log(path, {.durability = Durability::strict});
    const Store store(client);
    store.set("a", 1);
    if (meddles == "removed") std::filesystem::remove(path);
    if (meddles != "removed") std::filesystem::rename(path, folder / "other.kv");
    if (meddles == "replaced") put(path, "another's");
    CHECK_THAT(failure_of([&] { store.set("a", 2); }),
               Catch::StartsWith("ERR_CLIENT") && Catch::Contains("was removed, replaced or moved away"));
    CHECK(code_of([&] { store.set("a", 3); }) == "ERR_CLIENT");
    CHECK(text_of(path) == (meddles == "replaced" ? "another's" : ""));
}

TEST_CASE("log: a compaction does not overwrite a file that replaced the log", "[log]") {
    const TemporaryFolder folder;
    const std::string path = folder / "data.kv";
    const auto log = opened(engine::posix_env(), path);
    REQUIRE(log->apply({set("a", "1"), set("b", "2")}).ok());
    REQUIRE(got(log->compact(1)));
    std::filesystem::rename(path, path + ".old");
    put(path, "restored");
    std::string failure;
    for (;;) {
        auto more = log->compact(1);
        if (!more.ok()) failure = failure_in(more);
        if (!more.ok() || !*more) break;
    }
    CHECK_THAT(failure, Catch::StartsWith("ERR_CLIENT"));
    CHECK(text_of(path) == "restored");
}

TEST_CASE("log: a file with two names is rejected", "[log]") {
    const TemporaryFolder folder;
    Store(log(folder / "data.kv")).set("a", 1);
    std::filesystem::create_hard_link(folder / "data.kv", folder / "also.kv");
    for (const char* name : {"data.kv", "also.kv"}) {
        CHECK_THAT(failure_of([&] { return Store(log(folder / name)).get("a"); }),
                   Catch::StartsWith("ERR_CLIENT") && Catch::Contains("another name"));
    }
    std::filesystem::remove(folder / "also.kv");
    CHECK(Store(log(folder / "data.kv")).get("a") == 1);
}

TEST_CASE("log: if syncing a new folder fails, nothing is acknowledged", "[log]") {
    const TemporaryFolder folder;
    const SystemFaults faults({.sync_of_folders = EIO});
    CHECK(code_of([&] { Store(log(folder / "new/data.kv")).set("a", 1); }) == "ERR_CLIENT");
    CHECK_FALSE(std::filesystem::exists(folder / "new/data.kv"));
}

TEST_CASE("log: the error of a failed sync says that the change may or may not be stored", "[log]") {
    const TemporaryFolder folder;
    const auto client = log(folder / "data.kv", {.durability = Durability::strict});
    const Store store(client);
    store.set("a", 1);
    {
        const SystemFaults faults({.sync_of_files = ENOSPC});
        CHECK_THAT(failure_of([&] { store.set("a", 2); }), Catch::StartsWith("ERR_QUOTA") &&
                                                               Catch::Contains("may or may not be there") &&
                                                               !Catch::Contains("unchanged"));
    }
    CHECK(code_of([&] { store.set("a", 3); }) == "ERR_QUOTA");
    CHECK(store.get("a") == 2);
    CHECK(code_of([&] { store.close(); }) == "ERR_QUOTA");
    CHECK(Store(client).get("a") == 2);
}

TEST_CASE("log: an idle iteration keeps one old file open, however often the log is compacted", "[log]") {
    const TemporaryFolder folder;
    const auto path = folder / "data.kv";
    const Store store(log(path));
    const auto removed_files = [&] {
        int count = 0;
        for (const auto& file : std::filesystem::directory_iterator("/proc/self/fd")) {
            std::error_code error;  // The descriptor of the iteration itself is gone by the time it is looked at.
            const std::string target = std::filesystem::read_symlink(file, error).string();
            if (target.starts_with(folder.path().string()) && target.ends_with(" (deleted)")) ++count;
        }
        return count;
    };
    store.set("a", std::string(100'000, 'a'));
    auto iterator = std::make_unique<Store::Iterator>(store.begin());
    for (int compaction = 0; compaction < 3; ++compaction) {
        for (int i = 0; i < 30; ++i) store.set("a", std::string(100'000, 'b'));
        while (std::filesystem::file_size(path) > 1'000'000) std::this_thread::yield();
    }
    while (removed_files() > 1) std::this_thread::yield();  // The last one is being closed.
    CHECK(iterator->operator*().second == std::string(100'000, 'a'));
    iterator.reset();
    while (removed_files() > 0) std::this_thread::yield();
    CHECK(store.get("a") == std::string(100'000, 'b'));
}
