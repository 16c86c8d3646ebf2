#include "polystore/clients/folder.hpp"

#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include "polystore/store.hpp"
#include "support/catch.hpp"
#include "support/code_of.hpp"
#include "support/fake_clock.hpp"
#include "support/file_size_limit.hpp"
#include "support/system_faults.hpp"
#include "support/temporary_folder.hpp"

using namespace polystore;
using namespace polystore::testing;

namespace fs = std::filesystem;

TEST_CASE("folder: a record is a file with the same name and text as in polystore 0.27", "[folder]") {
    const TemporaryFolder folder;
    const Store store(polystore::folder(folder.path()), {.clock = FakeClock()});
    store.set("user:1/*", {{"x", 1}}, {.expires = "1s"});
    store.set("", "empty");
    CHECK(folder.names() == std::vector<std::string>{".json", "user%3A1%2F%2A.json"});
    CHECK(text_of(folder / "user%3A1%2F%2A.json") ==
          "{\n  \"expires\": 1700000001000,\n  \"value\": {\n    \"x\": 1\n  }\n}");
    CHECK(text_of(folder / ".json") == "{\n  \"expires\": null,\n  \"value\": \"empty\"\n}");
}

TEST_CASE("folder: a missing folder is an empty store, and only a write creates it", "[folder]") {
    const TemporaryFolder parent;
    const Store store(folder(parent / "a" / "b"));
    CHECK(store.get("a") == nullptr);
    CHECK(store.keys().empty());
    store.del("a");
    store.clear();
    CHECK(store.prune() == 0);
    CHECK(parent.names().empty());
    store.set("../../a", 1);
    CHECK(fs::exists(parent / "a" / "b" / "..%2F..%2Fa.json"));
    CHECK(parent.names() == std::vector<std::string>{"a"});
}

TEST_CASE("folder: files of other programs are never listed or removed", "[folder]") {
    const TemporaryFolder folder;
    const std::string record = R"({"expires":1,"value":1})";
    const std::vector<std::string> names = {"100%.json", "a:b.json", "%61.json", "a.JSON",     "note.txt",
                                            "a b.json",  "%2a.json", "ü.json",   "x.json.bak", ".polystore-1-1.tmp"};
    for (const std::string& name : names) put(folder / name, record);
    put(folder / "package.json", R"({"name":"x"})");
    put(folder / "cut.json", R"({"expires":null,"val)");
    put(folder / "empty.json", "");
    put(folder / "bytes.json", "\xff\xfe");
    put(folder / "deep.json", std::string(100000, '['));
    fs::create_directory(folder / "folder.json");
    const std::vector<std::string> before = folder.names();
    const Store store(polystore::folder(folder.path()));
    store.set("own", 1);
    store.set("old", 1, {.expires = "1ms"});
    CHECK(store.prefix("o").keys().size() <= 2);
    for (const char* key : {"package", "cut", "empty", "bytes", "deep", "folder", "a:b", "a b", "100%"}) {
        INFO(key);
        CHECK(store.get(key) == nullptr);
        CHECK_FALSE(store.has(key));
        store.del(key);
    }
    store.prune();
    for (const auto& entry : store) CHECK(entry.first.front() == 'o');
    store.clear();
    CHECK(folder.names() == before);
}

TEST_CASE("folder: a key that is too long for a name is stored in its file, and other files are not mistaken for it",
          "[folder]") {
    const TemporaryFolder folder;
    const Store store(polystore::folder(folder.path()));
    const std::string longest(250, 'a');
    store.set(longest, 1);
    store.set(longest + "a", 2, {.expires = "1h"});
    store.set(longest + "b", 3);
    const std::vector<std::string> names = folder.names();
    REQUIRE(names.size() == 3);
    CHECK(names[2] == longest + ".json");
    CHECK_THAT(text_of(folder / names[0]) + text_of(folder / names[1]),
               Catch::Contains("{\n  \"key\": \"" + longest + "b\",\n  \"expires\": null,\n  \"value\": 3\n}"));
    CHECK(store.all() == Json{{longest, 1}, {longest + "a", 2}, {longest + "b", 3}});
    CHECK(store.prefix(longest).keys() == std::vector<std::string>{"", "a", "b"});
    CHECK(store.prefix(longest + "b").get("") == 3);

    // The text of one key under the name of the other belongs to neither.
    put(folder / names[0], text_of(folder / names[1]));
    const Store again(polystore::folder(folder.path()));
    CHECK(again.keys().size() == 2);
    store.del(longest + "a");
    store.del(longest + "b");
    store.clear();
    CHECK(folder.names().size() == 1);
    CHECK(code_of([&] { store.set("\xff", 1); }) == "ERR_KEY");
}

TEST_CASE("folder: an invalid path is an error with the system's reason", "[folder]") {
    const TemporaryFolder parent;
    put(parent / "file", "x");
    for (const fs::path& path : {parent / "file", parent / "file" / "below"}) {
        const Store store(folder(path));
        CHECK(code_of([&] { return store.get("a"); }) == "ERR_CLIENT");
        CHECK(code_of([&] { store.set("a", 1); }) == "ERR_CLIENT");
        CHECK_THAT(failure_of([&] { return store.keys(); }), Catch::Contains("Not a directory"));
    }
    CHECK(text_of(parent / "file") == "x");
}

TEST_CASE("folder: a full disk is ERR_QUOTA, and the contents stay", "[folder]") {
    const TemporaryFolder folder;
    const Store store(polystore::folder(folder.path()));
    store.set("a", 1);
    const FileSizeLimit limit(1024);
    CHECK_THAT(failure_of([&] { store.set("a", std::string(5000, 'x')); }), Catch::StartsWith("ERR_QUOTA: "));
    CHECK(store.get("a") == 1);
    CHECK(folder.names() == std::vector<std::string>{"a.json"});
}

TEST_CASE("folder: writes and removals of another process are seen", "[folder]") {
    const TemporaryFolder folder;
    const Store store(polystore::folder(folder.path()));
    const Store other(polystore::folder(folder.path()));
    store.set("a", 1);
    CHECK(other.get("a") == 1);
    other.set("a", 2);
    CHECK(store.get("a") == 2);
    put(folder / "b.json", R"({"expires":null,"value":3})");
    CHECK(store.keys().size() == 2);
    fs::remove_all(folder.path());
    CHECK(store.keys().empty());
    CHECK(store.prune() == 0);
    fs::create_directory(folder.path());
}

TEST_CASE("folder: a record that another process writes over an expired one stays", "[folder]") {
    const TemporaryFolder folder;
    FakeClock clock;
    const Store store(polystore::folder(folder.path()), {.clock = [&]() {
                          // The clock is read between the read of the record and its eviction.
                          if (clock() > FakeClock::kStart) put(folder / "a.json", R"({"expires":null,"value":2})");
                          return clock();
                      }});
    store.set("a", 1, {.expires = "1s"});
    clock.advance(1000);
    CHECK(store.get("a") == nullptr);
    CHECK(store.get("a") == 2);
}

TEST_CASE("folder: files that are removed between two pages of an iteration are skipped", "[folder]") {
    const TemporaryFolder folder;
    for (int i = 1000; i < 1600; ++i) {
        put(folder / ("k" + std::to_string(i) + ".json"), R"({"expires":null,"value":1})");
    }
    const Store store(polystore::folder(folder.path()));
    int seen = 0;
    for (const auto& entry : store) {
        if (++seen == 1) {
            for (int i = 1000; i < 1600; ++i) {
                const std::string key = "k" + std::to_string(i);
                if (key != entry.first) fs::remove(folder / (key + ".json"));
            }
        }
    }
    CHECK(seen == 512);
}

TEST_CASE("folder: a link to the folder is followed at each call, and a link in place of a record stays", "[folder]") {
    const TemporaryFolder parent;
    fs::create_directory_symlink("1", parent / "current");
    const Store store(folder(parent / "current"));
    CHECK(store.keys().empty());
    store.set("a", 1);
    fs::create_directory_symlink("2", parent / "next");
    fs::rename(parent / "next", parent / "current");
    CHECK(store.get("a") == nullptr);
    store.set("a", 2);
    CHECK(Store(folder(parent / "1")).get("a") == 1);
    CHECK(Store(folder(parent / "2")).get("a") == 2);
    fs::create_symlink("../new/elsewhere.json", parent / "2/b.json");
    store.set("b", 3);
    CHECK(fs::is_symlink(parent / "2/b.json"));
    CHECK_THAT(text_of(parent / "new/elsewhere.json"), Catch::Contains("\"value\": 3"));
    CHECK(store.get("b") == 3);
}

TEST_CASE("folder: a folder that cannot be synced can be written and cleared", "[folder]") {
    const TemporaryFolder parent;
    const SystemFaults faults({.sync_of_folders = EINVAL});
    const Store store(folder(parent / "a/b"));
    store.set("a", 1);
    store.set("old", 1, {.expires = "1ms"});
    store.del("a");
    store.clear();
    CHECK(store.keys().empty());
}

TEST_CASE("folder: a number that is too large is ERR_CORRUPT, except in files of other programs", "[folder]") {
    const TemporaryFolder folder;
    put(folder / "huge.json", R"({"expires":null,"value":1e400})");
    put(folder / "foreign.json", R"({"version":1e400})");
    const Store store(polystore::folder(folder.path()));
    CHECK_THAT(failure_of([&] { return store.get("huge"); }),
               Catch::StartsWith("ERR_CORRUPT") && Catch::Contains("\"huge\""));
    CHECK(store.get("foreign") == nullptr);
    CHECK(store.keys() == std::vector<std::string>{"huge"});
    CHECK(code_of([&] { return store.values(); }) == "ERR_CORRUPT");
    CHECK(store.prune() == 0);
    store.clear();
    CHECK(folder.names() == std::vector<std::string>{"foreign.json"});
    put(folder / "huge.json", R"({"expires":1e400,"value":1})");
    CHECK(store.keys() == std::vector<std::string>{"huge"});
    store.set("huge", 1);
    CHECK(store.keys() == std::vector<std::string>{"huge"});
}

TEST_CASE("folder: a byte order mark is ignored", "[folder]") {
    const TemporaryFolder folder;
    put(folder / "a.json", "\xEF\xBB\xBF{\"expires\":null,\"value\":1}");
    const Store store(polystore::folder(folder.path()));
    CHECK(store.all() == Json{{"a", 1}});
}

TEST_CASE("folder: several stores may open one folder, and closing one leaves the others open", "[folder]") {
    const TemporaryFolder folder;
    const Store one(polystore::folder(folder.path()));
    const Store other(polystore::folder(folder.path()));
    one.set("a", 1);
    one.close();
    CHECK(code_of([&] { return one.get("a"); }) == "ERR_CLOSED");
    CHECK(other.get("a") == 1);
    other.set("b", 2);
    CHECK(Store(polystore::folder(folder.path())).all() == Json{{"a", 1}, {"b", 2}});
}
