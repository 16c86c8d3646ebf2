#include "polystore/posix/token_lock.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "polystore/posix/process_identity.hpp"
#include "support/catch.hpp"
#include "support/code_of.hpp"
#include "support/in_child.hpp"
#include "support/on_threads.hpp"
#include "support/temporary_folder.hpp"

using namespace polystore;
using namespace polystore::testing;
using namespace std::chrono_literals;
using posix::TokenLock;

namespace fs = std::filesystem;

namespace {

constexpr const char* kOther = ".lock-0123456789abcdef";

fs::path beside(const fs::path& path, const std::string& ending) {
    fs::path other = path;
    other += ending;
    return other;
}

}  // namespace

TEST_CASE("token lock: a lock file has the identity of its process, and is removed with the lock", "[posix]") {
    const TemporaryFolder folder;
    {
        const TokenLock lock = TokenLock::wait(folder / "a.json");
        REQUIRE(folder.names().size() == 1);
        CHECK(text_of(folder / folder.names()[0]) == posix::own_identity());
        CHECK(posix::is_alive(posix::own_identity()) == true);
        CHECK(lock.is_held());
        CHECK(lock.renew());
    }
    CHECK(folder.names().empty());
}

TEST_CASE("token lock: threads that wait for one lock have it one at a time", "[posix]") {
    const TemporaryFolder folder;
    int count = 0;
    on_threads(4, [&](int /*thread*/) {
        for (int i = 0; i < 25; ++i) {
            const TokenLock lock = TokenLock::wait(folder / "a.json");
            const int seen = count;
            std::this_thread::yield();
            count = seen + 1;
        }
    });
    CHECK(count == 100);
    CHECK(folder.names().empty());
}

TEST_CASE("token lock: a process that waits gets the lock before one that asks later", "[posix]") {
    const TemporaryFolder folder;
    const fs::path path = folder / "a.json";
    auto lock = std::make_unique<const TokenLock>(TokenLock::wait(path));
    std::string order;
    std::vector<std::thread> waiting;
    // By a clock that stands still, nobody loses patience with a first one that a busy machine does not run.
    const auto now = std::chrono::steady_clock::now();
    for (const char name : {'1', '2', '3'}) {
        waiting.emplace_back([&, name] {
            const TokenLock own = TokenLock::wait(path, [&] { return now; });
            order += name;
        });
        const auto is_waiting = [](const std::string& file) { return file.ends_with(".wait"); };
        for (;;) {
            const std::vector<std::string> names = folder.names();
            if (std::count_if(names.begin(), names.end(), is_waiting) == name - '0') break;
            std::this_thread::yield();
        }
        // The order of two that ask in one millisecond is by chance.
        const auto asked = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
        while (std::chrono::system_clock::now() < asked + 1ms) std::this_thread::yield();
    }
    lock.reset();
    for (std::thread& thread : waiting) thread.join();
    CHECK(order == "123");
}

TEST_CASE("token lock: a stopped process in the queue does not keep others out", "[posix]") {
    const TemporaryFolder folder;
    const fs::path path = folder / "a.json";
    // The other process is running, and never takes its turn.
    put(beside(path, std::string(kOther) + ".wait"), posix::own_identity());
    CHECK(TokenLock::wait(path).is_held());
    CHECK(fs::exists(beside(path, std::string(kOther) + ".wait")));
}

TEST_CASE("token lock: the locks and the places of killed processes are removed", "[posix]") {
    const TemporaryFolder folder;
    const fs::path path = folder / "a.json";
    const std::string dead = in_child([] { return posix::own_identity(); });
    CHECK(posix::is_alive(dead) == false);
    for (const char* ending : {"", ".wait"}) put(beside(path, kOther + std::string(ending)), dead);
    { const TokenLock lock = TokenLock::wait(path); }
    CHECK(folder.names().empty());
}

TEST_CASE("token lock: the lock of a process that cannot be checked is taken over when it is not renewed", "[posix]") {
    const TemporaryFolder folder;
    const fs::path path = folder / "a.json";
    for (const char* identity :
         {"", "null", "7", R"({"machine":7,"pid":"x"})", R"({"machine":"web boot pid:[1]","pid":1})"}) {
        INFO(identity);
        put(beside(path, kOther), identity);
        auto now = std::chrono::steady_clock::now();
        int looks = 0;
        const TokenLock lock = TokenLock::wait(path, [&] {
            if (++looks < 10)
                fs::last_write_time(beside(path, kOther), fs::file_time_type(std::chrono::seconds(looks)));
            return now += 500ms;
        });
        CHECK(looks > 20);
        CHECK_FALSE(fs::exists(beside(path, kOther)));
    }
}

TEST_CASE("token lock: after 20 seconds with one holder, the error names it", "[posix]") {
    const TemporaryFolder folder;
    const fs::path path = folder / "a.json";
    const TokenLock lock = TokenLock::wait(path);
    auto now = std::chrono::steady_clock::now();
    CHECK_THAT(failure_of([&] { return TokenLock::wait(path, [&] { return now += 1s; }); }),
               Catch::StartsWith("ERR_CLIENT: ") &&
                   Catch::Contains("a.json has been locked for 20 s by process " + std::to_string(getpid()) + " of "));
    CHECK(folder.names().size() == 1);
}

TEST_CASE("token lock: a holder whose lock was taken over may not write", "[posix]") {
    const TemporaryFolder folder;
    const TokenLock lock = TokenLock::wait(folder / "a.json");
    lock.check();
    fs::remove(folder / folder.names()[0]);
    CHECK(failure_of([&] { return lock.check(), 0; }).find("Nothing was written. Try again.") != std::string::npos);
}

TEST_CASE("token lock: the error about a holder that cannot be checked says what to do", "[posix]") {
    const TemporaryFolder folder;
    const fs::path path = folder / "data.kv";
    put(beside(path, kOther), R"({"machine":"web and another container","pid":7,"since":"1"})");
    CHECK_THAT(failure_of([&] { return TokenLock::take(path); }),
               Catch::Contains("data.kv is already open in process 7 of web. ") &&
                   Catch::Contains("If it has ended, wait a minute") &&
                   Catch::Contains("remove " + path.string() + ".lock-*"));
}

TEST_CASE("token lock: a lock file that a killed process did not finish keeps nobody out, and is removed later",
          "[posix]") {
    const TemporaryFolder folder;
    const fs::path path = folder / "data.kv";
    const fs::path left = beside(path, std::string(kOther) + ".new");
    put(left, "");
    { const TokenLock lock = TokenLock::take(path); }
    CHECK(fs::exists(left));  // Its process may still be writing it.
    fs::last_write_time(left, fs::file_time_type::clock::now() - 61s);
    { const TokenLock lock = TokenLock::take(path); }
    CHECK(folder.names().empty());
}

TEST_CASE("token lock: files and folders of other programs with similar names neither count nor are removed",
          "[posix]") {
    const TemporaryFolder folder;
    const fs::path path = folder / "data.kv";
    for (const char* ending : {".lock", ".lock-", ".lock-backup", ".lock-0123456789abcdef.bak"}) {
        put(beside(path, ending), "of another program");
        fs::last_write_time(beside(path, ending), fs::file_time_type::clock::now() - 25h);
    }
    fs::create_directory(beside(path, kOther));
    const std::vector<std::string> before = folder.names();
    { const TokenLock lock = TokenLock::take(path); }
    { const TokenLock lock = TokenLock::wait(path); }
    CHECK(folder.names() == before);
}

TEST_CASE("token lock: a relative path is locked in the working directory", "[posix]") {
    const TemporaryFolder folder;
    const fs::path before = fs::current_path();
    fs::current_path(folder.path());
    {
        const TokenLock lock = TokenLock::take("data.kv");
        CHECK(failure_of([&] { return TokenLock::take("data.kv"); }).starts_with("ERR_CLIENT"));
    }
    fs::current_path(before);
    CHECK(folder.names().empty());
}

TEST_CASE("token lock: without permission to create a lock file there is no lock", "[posix]") {
    const TemporaryFolder folder;
    fs::permissions(folder.path(),
                    fs::perms::owner_read | fs::perms::owner_exec | fs::perms::others_read | fs::perms::others_exec);
    CHECK(as_ordinary_user([&]() -> std::string {
              return TokenLock::wait_if_allowed(folder / "a.json") ? "locked" : "none";
          }) == "none");
}

TEST_CASE("token lock: a forked process has its own identity", "[posix]") {
    const std::string parent = posix::own_identity();
    const std::string child = in_child([] { return posix::own_identity(); });
    CHECK(child != parent);
    CHECK_THAT(child, Catch::Contains("\"pid\":") && !Catch::Contains("\"pid\":" + std::to_string(getpid()) + ","));
}
