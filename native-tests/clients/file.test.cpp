#include "polystore/clients/file.hpp"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "polystore/posix/token_lock.hpp"
#include "polystore/store.hpp"
#include "support/catch.hpp"
#include "support/client_calls.hpp"
#include "support/code_of.hpp"
#include "support/fake_clock.hpp"
#include "support/file_size_limit.hpp"
#include "support/system_faults.hpp"
#include "support/temporary_folder.hpp"

using namespace polystore;
using namespace polystore::testing;

namespace fs = std::filesystem;

namespace {

ino_t inode_of(const fs::path& path) {
    struct stat status {};
    stat(path.c_str(), &status);
    return status.st_ino;
}

/// Counts how often files are written: each write creates a temporary file.
class Writes {
   public:
    explicit Writes(const fs::path& folder) : fd_(inotify_init1(IN_NONBLOCK)) {
        inotify_add_watch(fd_, folder.c_str(), IN_CREATE);
    }
    Writes(const Writes&) = delete;
    Writes& operator=(const Writes&) = delete;
    ~Writes() { close(fd_); }

    [[nodiscard]] int count() const {
        int count = 0;
        alignas(inotify_event) std::array<char, 65536> buffer;
        const ssize_t length = read(fd_, buffer.data(), buffer.size());
        for (ssize_t at = 0; at < length;) {
            const auto* const event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
            if (std::string_view(event->name).starts_with(".polystore-")) ++count;
            at += static_cast<ssize_t>(sizeof(inotify_event)) + event->len;
        }
        return count;
    }

   private:
    int fd_;
};

}  // namespace

TEST_CASE("file: the text is the same as that of polystore 0.27", "[file]") {
    const TemporaryFolder folder;
    const Store store(file(folder / "a.json"), {.clock = FakeClock()});
    store.set("b", {{"x", 1}}, {.expires = "1s"});
    store.set("a", "hello");
    CHECK(text_of(folder / "a.json") == R"({
  "a": {
    "expires": null,
    "value": "hello"
  },
  "b": {
    "expires": 1700000001000,
    "value": {
      "x": 1
    }
  }
})");
    CHECK(folder.names() == std::vector<std::string>{"a.json"});
}

TEST_CASE("file: a missing file is an empty store, and only a write creates it", "[file]") {
    const TemporaryFolder folder;
    const Store store(file(folder / "sub" / "deep" / "a.json"));
    CHECK(store.get("a") == nullptr);
    CHECK(store.keys().empty());
    store.del("a");
    store.clear();
    CHECK(store.prune() == 0);
    CHECK(folder.names().empty());
    store.set("a", 1);
    CHECK(fs::exists(folder / "sub" / "deep" / "a.json"));
}

TEST_CASE("file: an empty file is an empty store", "[file]") {
    const TemporaryFolder folder;
    put(folder / "a.json", "");
    const Store store(file(folder / "a.json"));
    CHECK(store.keys().empty());
    store.set("a", 1);
    CHECK(store.get("a") == 1);
}

TEST_CASE("file: a file that is not a store is an error, and is left unchanged", "[file]") {
    const TemporaryFolder folder;
    const auto text =
        GENERATE(as<std::string>(), "{\"a\":{\"expires\":null,\"value\":1}", "[]", "[1,2]", "null", "\"a\"", "5", " ",
                 "theme=dark", "{\"\\ud800\":1}", "\xff", "{}x", std::string(100000, '['));
    put(folder / "a.json", text);
    const Store store(file(folder / "a.json"));
    CHECK_THAT(failure_of([&] { return store.get("a"); }),
               Catch::StartsWith("ERR_CORRUPT: The file ") && Catch::Contains("a.json is not a store: "));
    CHECK(code_of([&] { store.set("a", 1); }) == "ERR_CORRUPT");
    CHECK(code_of([&] { store.del("a"); }) == "ERR_CORRUPT");
    CHECK(code_of([&] { return store.keys(); }) == "ERR_CORRUPT");
    CHECK(code_of([&] { store.clear(); }) == "ERR_CORRUPT");
    CHECK(code_of([&] { store.prune(); }) == "ERR_CORRUPT");
    CHECK(text_of(folder / "a.json") == text);
    CHECK(folder.names() == std::vector<std::string>{"a.json"});

    put(folder / "a.json", R"({"a":{"expires":null,"value":"repaired"}})");
    CHECK(store.get("a") == "repaired");
}

TEST_CASE("file: members that are not records are neither listed nor lost", "[file]") {
    const TemporaryFolder folder;
    const Json foreign = Json::parse(R"({"theme":"dark","half":{"value":1},"none":null,"list":[1],
        "empty":{"expires":null,"value":null}})");
    put(folder / "a.json", foreign.dump());
    const Store store(file(folder / "a.json"), {.clock = FakeClock()});
    CHECK(store.keys().empty());
    CHECK(store.get("theme") == nullptr);
    CHECK_FALSE(store.has("half"));
    store.set("b", 1);
    store.set("c", 1, {.expires = -1});
    store.del("theme");
    store.prune();
    store.clear();
    CHECK(Json::parse(text_of(folder / "a.json")) == foreign);
    store.set("theme", "light");
    CHECK(store.keys() == std::vector<std::string>{"theme"});
}

TEST_CASE("file: __proto__ is a key like any other", "[file]") {
    const TemporaryFolder folder;
    Store(file(folder / "a.json")).set("__proto__", {{"a", 1}});
    const Store again(file(folder / "a.json"));
    CHECK(again.get("__proto__") == Json{{"a", 1}});
    CHECK(again.get("a") == nullptr);
}

TEST_CASE("file: a key that is not UTF-8 is rejected", "[file]") {
    const TemporaryFolder folder;
    const Store store(file(folder / "a.json"));
    CHECK(code_of([&] { store.set("\xff", 1); }) == "ERR_KEY");
    CHECK(code_of([&] { return store.get("\xed\xa0\x80"); }) == "ERR_KEY");
    CHECK(code_of([&] { store.prefix("\xff").set("a", 1); }) == "ERR_KEY");
    CHECK(folder.names().empty());
}

TEST_CASE("file: a call that changes something writes the file once, and other calls do not write", "[file]") {
    const TemporaryFolder folder;
    FakeClock clock;
    const Store store(file(folder / "a.json"), {.clock = clock});
    for (int i = 0; i < 30; ++i) store.set("k" + std::to_string(i), i, {.expires = i < 20 ? "1s" : "1h"});
    clock.advance(1000);
    const Writes writes(folder.path());
    CHECK(store.prune() == 20);
    CHECK(writes.count() == 1);
    CHECK(store.prune() == 0);
    store.del("missing");
    CHECK(store.keys().size() == 10);
    CHECK(writes.count() == 0);
    clock.advance(3'600'000);
    CHECK(store.keys().empty());
    CHECK(writes.count() == 1);
    for (int i = 0; i < 600; i += 100) store.set("k" + std::to_string(i), i);
    CHECK(writes.count() == 6);
    store.prefix("none").clear();
    CHECK(writes.count() == 0);
    store.clear();
    CHECK(writes.count() == 1);
    store.clear();
    CHECK(writes.count() == 0);
}

TEST_CASE("file: clear writes once, even for more than a page", "[file]") {
    const TemporaryFolder folder;
    Json members;
    for (int i = 0; i < 1500; ++i) members["k" + std::to_string(i)] = {{"expires", i % 2}, {"value", i}};
    put(folder / "a.json", members.dump());
    const Store store(file(folder / "a.json"));
    const Writes writes(folder.path());
    store.clear();
    CHECK(writes.count() == 1);
    CHECK(text_of(folder / "a.json") == "{}");
}

TEST_CASE("file: writes of another process are seen", "[file]") {
    const TemporaryFolder folder;
    const Store store(file(folder / "a.json"));
    store.set("a", 1);
    CHECK(store.get("a") == 1);
    put(folder / "a.json", R"({"a":{"expires":null,"value":22}})");
    CHECK(store.get("a") == 22);
    const Store other(file(folder / "a.json"));
    for (int i = 10; i < 60; ++i) {
        // This text has the same size and is written at the same moment.
        other.set("a", i);
        CHECK(store.get("a") == i);
    }
    store.set("b", 1);
    CHECK(other.keys().size() == 2);
    fs::remove(folder / "a.json");
    CHECK(store.keys().empty());
    CHECK(other.get("a") == nullptr);
}

TEST_CASE("file: the file is only read again when it has changed", "[file]") {
    const TemporaryFolder folder;
    const Store store(file(folder / "a.json"));
    store.set("a", 1);
    // A change that keeps inode, size and date is not noticed, so the file is not read.
    const fs::file_time_type date = fs::last_write_time(folder / "a.json");
    std::string text = text_of(folder / "a.json");
    text.replace(text.find('1'), 1, "2");
    const ino_t inode = inode_of(folder / "a.json");
    put(folder / "a.json", text);
    fs::last_write_time(folder / "a.json", date);
    REQUIRE(inode_of(folder / "a.json") == inode);
    CHECK(store.get("a") == 1);
    fs::last_write_time(folder / "a.json", date + std::chrono::nanoseconds(1));
    CHECK(store.get("a") == 2);
}

TEST_CASE("file: a record that another process writes over an expired one stays", "[file]") {
    const TemporaryFolder folder;
    FakeClock clock;
    const Store store(file(folder / "a.json"), {.clock = [&]() {
                          // The clock is read between the read of the record and its eviction.
                          if (clock() > FakeClock::kStart)
                              put(folder / "a.json", R"({"a":{"expires":null,"value":2}})");
                          return clock();
                      }});
    store.set("a", 1, {.expires = "1s"});
    clock.advance(1000);
    CHECK(store.get("a") == nullptr);
    CHECK(store.get("a") == 2);
}

TEST_CASE("file: a link stays, and its target is written", "[file]") {
    const TemporaryFolder folder;
    put(folder / "real.json", "");
    fs::create_symlink("real.json", folder / "link.json");
    Store(file(folder / "link.json")).set("a", 1);
    CHECK(fs::is_symlink(folder / "link.json"));
    CHECK(Store(file(folder / "real.json")).get("a") == 1);
}

TEST_CASE("file: the target of a dangling link is created", "[file]") {
    const TemporaryFolder folder;
    fs::create_symlink("new/folder/real.json", folder / "link.json");
    const Store store(file(folder / "link.json"));
    CHECK(store.get("a") == nullptr);
    store.set("a", 1);
    CHECK(fs::is_symlink(folder / "link.json"));
    CHECK(Store(file(folder / "new/folder/real.json")).get("a") == 1);
    CHECK(store.get("a") == 1);
}

TEST_CASE("file: a link that changes its target while the store is open is followed", "[file]") {
    const TemporaryFolder folder;
    for (const int release : {1, 2, 3}) {
        const auto name = std::to_string(release);
        fs::create_directory(folder / name);
        put(folder / (name + "/a.json"), R"({"a":{"expires":null,"value":)" + name + "}}");
    }
    fs::create_directory_symlink("1", folder / "current");
    const Store store(file(folder / "current/a.json"));
    const auto point_to = [&](const char* release) {
        fs::create_directory_symlink(release, folder / "next");
        fs::rename(folder / "next", folder / "current");
    };
    CHECK(store.get("a") == 1);
    point_to("2");
    CHECK(store.get("a") == 2);
    fs::remove_all(folder / "1");
    store.set("b", 2);
    point_to("3");
    store.set("b", 3);
    CHECK(store.all() == Json{{"a", 3}, {"b", 3}});
    CHECK(Store(file(folder / "2/a.json")).all() == Json{{"a", 2}, {"b", 2}});
    CHECK_FALSE(fs::exists(folder / "1"));
}

TEST_CASE("file: a file that is a mount point is written in place, and read as a whole", "[file]") {
    const TemporaryFolder folder;
    put(folder / "a.json", R"({"a":{"expires":null,"value":1}})");
    const ino_t inode = inode_of(folder / "a.json");
    const SystemFaults faults({.sync_of_folders = EINVAL, .rename = EBUSY});
    const Store store(file(folder / "a.json"));
    store.set("b", std::string(1000, 'x'));
    store.del("b");
    store.set("c", 3);
    CHECK(store.all() == Json{{"a", 1}, {"c", 3}});
    CHECK(Store(file(folder / "a.json")).all() == store.all());
    CHECK(inode_of(folder / "a.json") == inode);
    CHECK(folder.names() == std::vector<std::string>{"a.json"});
}

TEST_CASE("file: the working directory may change", "[file]") {
    const TemporaryFolder folder;
    const fs::path before = fs::current_path();
    fs::current_path(folder.path());
    const Store store(file("a.json"));
    fs::current_path(before);
    store.set("a", 1);
    CHECK(fs::exists(folder / "a.json"));
}

TEST_CASE("file: permissions are kept", "[file]") {
    const TemporaryFolder folder;
    put(folder / "a.json", "{}");
    fs::permissions(folder / "a.json", fs::perms(0600));
    Store(file(folder / "a.json")).set("a", 1);
    CHECK(fs::status(folder / "a.json").permissions() == fs::perms(0600));
}

TEST_CASE("file: an invalid path is an error with the system's reason", "[file]") {
    const TemporaryFolder folder;
    put(folder / "file", "x");
    const Store below_a_file(file(folder / "file" / "a.json"));
    CHECK_THAT(failure_of([&] { return below_a_file.get("a"); }),
               Catch::StartsWith("ERR_CLIENT: ") && Catch::Contains("file/a.json: Not a directory"));
    CHECK(code_of([&] { below_a_file.set("a", 1); }) == "ERR_CLIENT");
    const Store a_folder(file(folder.path()));
    CHECK(code_of([&] { return a_folder.get("a"); }) == "ERR_CLIENT");
    CHECK(code_of([&] { a_folder.set("a", 1); }) == "ERR_CLIENT");
    CHECK(text_of(folder / "file") == "x");
}

TEST_CASE("file: a full disk is ERR_QUOTA, and the contents stay", "[file]") {
    const TemporaryFolder folder;
    const Store store(file(folder / "a.json"));
    store.set("a", 1);
    const std::string before = text_of(folder / "a.json");
    {
        const FileSizeLimit limit(1024);
        CHECK_THAT(failure_of([&] { store.set("b", std::string(5000, 'x')); }), Catch::StartsWith("ERR_QUOTA: "));
        CHECK(store.keys() == std::vector<std::string>{"a"});
        CHECK(text_of(folder / "a.json") == before);
        CHECK(folder.names() == std::vector<std::string>{"a.json"});
        store.set("c", 1);
    }
    store.set("b", std::string(5000, 'x'));
    CHECK(store.keys() == std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("file: an abandoned temporary file is ignored", "[file]") {
    const TemporaryFolder folder;
    put(folder / ".polystore-1-1.tmp", "{\"a\":");
    const Store store(file(folder / "a.json"));
    CHECK(store.keys().empty());
    store.set("a", 1);
    CHECK(store.keys() == std::vector<std::string>{"a"});
}

TEST_CASE("file: records may be added and removed between two pages of an iteration", "[file]") {
    const TemporaryFolder folder;
    Json members;
    for (int i = 1000; i < 2000; ++i) members["k" + std::to_string(i)] = {{"expires", nullptr}, {"value", i}};
    put(folder / "a.json", members.dump());
    const Store store(file(folder / "a.json"));
    int seen = 0;
    for (const auto& entry : store) {
        if (++seen == 512) {
            members.erase(entry.first);
            members.erase("k1512");
            put(folder / "a.json", members.dump());
        }
    }
    CHECK(seen == 999);
}

TEST_CASE("file: unchanged members are written back unchanged", "[file]") {
    const TemporaryFolder folder;
    const std::vector<std::string> kept = {R"("big": {"expires":null,  "value":9007199254740993})",
                                           R"("exact": { "expires" : null, "value": [1.0, 1e2, -0, 0.10] })",
                                           R"("foreign": {"version":1e400, "text":"1e400 \" } , {"})",
                                           R"("huge": {"expires":null,"value":{"deep":[-1e400,"\\"]}})",
                                           R"("theme": "dark")",
                                           R"("words": [ "a" , {} ])"};
    std::string text = "\xEF\xBB\xBF{ ";
    for (const std::string& member : kept) text += member + (member == kept.back() ? "\n}\n" : " ,\t");
    put(folder / "a.json", text);
    const Store store(file(folder / "a.json"));
    store.set("new", 1);
    store.set("new", {{"x", 2}});
    const std::string written = text_of(folder / "a.json");
    for (const std::string& member : kept)
        CHECK_THAT(written, Catch::Contains("\n  " + member + ",\n") || Catch::EndsWith(member + "\n}"));
    CHECK_THAT(written,
               Catch::Contains("\"new\": {\n    \"expires\": null,\n    \"value\": {\n      \"x\": 2\n    }\n  }"));
    CHECK(store.get("big") == 9007199254740993);
    CHECK(store.get("foreign") == nullptr);
    store.del("new");
    CHECK(Store(file(folder / "a.json")).get("exact") == Json::parse("[1.0,1e2,-0,0.10]"));
}

TEST_CASE("file: a number that is too large is ERR_CORRUPT, only for its key", "[file]") {
    const TemporaryFolder folder;
    put(folder / "a.json", R"({"huge":{"expires":null,"value":[1,1e400]},"a":{"expires":null,"value":1}})");
    const Store store(file(folder / "a.json"));
    CHECK_THAT(failure_of([&] { return store.get("huge"); }),
               Catch::StartsWith("ERR_CORRUPT: What is stored at \"huge\"") && Catch::Contains("has a number"));
    CHECK_THAT(failure_of([&] { return store.values(); }), Catch::StartsWith("ERR_CORRUPT") && Catch::Contains("huge"));
    CHECK(store.keys() == std::vector<std::string>{"a", "huge"});
    CHECK(store.prune() == 0);
    CHECK(store.get("a") == 1);
    store.set("b", 2);
    CHECK_THAT(text_of(folder / "a.json"), Catch::Contains("[1,1e400]"));
    store.del("huge");
    CHECK(store.keys() == std::vector<std::string>{"a", "b"});
    put(folder / "a.json", R"({"huge":{"expires":1e999,"value":1}})");
    CHECK(code_of([&] { return store.has("huge"); }) == "ERR_CORRUPT");
    CHECK(store.keys() == std::vector<std::string>{"huge"});
    store.set("huge", 1);
    CHECK(store.get("huge") == 1);
    put(folder / "a.json", R"({"huge":{"expires":1e999,"value":1}})");
    store.clear();
    CHECK(text_of(folder / "a.json") == "{}");
    put(folder / "a.json", R"({"huge":{"expires":1,"value":[1e400]}})");
    CHECK(store.keys().empty());
    CHECK(text_of(folder / "a.json") == "{}");
}

TEST_CASE("file: an expired record with a number that is too large is removed only if it is still the same", "[file]") {
    const TemporaryFolder folder;
    put(folder / "a.json", R"({"a":{"expires":1,"value":1e400}})");
    const auto client = file(folder / "a.json");
    const Record found = *client->read("a");
    const Commit removal = {.expected = {{"a", found}}, .changes = {{"a"}}};
    put(folder / "a.json", R"({"a":{"expires":1,"value":2e400}})");
    CHECK_FALSE(is_made(*client, removal));
    put(folder / "a.json", R"({"a":{"expires":1,"value":1e400}})");
    CHECK(is_made(*client, removal));
    CHECK(text_of(folder / "a.json") == "{}");
}

TEST_CASE("file: several stores may open one file, and closing one leaves the others open", "[file]") {
    const TemporaryFolder folder;
    const Store one(file(folder / "a.json"));
    const Store other(file(folder / "a.json"));
    one.set("a", 1);
    CHECK(other.get("a") == 1);
    one.close();
    CHECK(code_of([&] { return one.get("a"); }) == "ERR_CLOSED");
    CHECK(other.get("a") == 1);
    other.set("b", 2);
    CHECK(Store(file(folder / "a.json")).all() == Json{{"a", 1}, {"b", 2}});
}

TEST_CASE("file: a deeply nested value is not indented at each level, and is read back", "[file]") {
    const TemporaryFolder folder;
    Json deepest = 1;
    for (int i = 0; i < 1000; ++i) deepest = Json::array({deepest});
    const Store store(file(folder / "a.json"));
    store.set("a", Json::parse("[[[[5]]]]"));
    store.set("b", Json::parse("[[[[[6]]]]]"));
    store.set("deepest", deepest);
    CHECK_THAT(text_of(folder / "a.json"),
               Catch::Contains("          5\n") && Catch::Contains("    \"value\": [[[[[6]]]]]\n"));
    CHECK(fs::file_size(folder / "a.json") < 3000);
    CHECK(Store(file(folder / "a.json")).get("deepest") == deepest);
}

TEST_CASE("file: a read waits while another process writes the file in place", "[file]") {
    const TemporaryFolder folder;
    const auto path = folder / "a.json";
    const std::string text = R"({"a":{"expires":null,"value":1}})";
    put(path, text.substr(0, 10));
    const int fd = inotify_init1(0);
    inotify_add_watch(fd, path.c_str(), IN_ACCESS);
    std::optional<posix::TokenLock> other = posix::TokenLock::wait(path);
    std::thread writing([&] {
        std::array<char, 4096> buffer;
        static_cast<void>(read(fd, buffer.data(), buffer.size()) > 0);  // Half of the text was read by now.
        put(path, text);
        other.reset();
    });
    CHECK(Store(file(path)).get("a") == 1);
    writing.join();
    close(fd);
}
