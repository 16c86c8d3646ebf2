#include "polystore/engine/posix_lock.hpp"

#include <atomic>
#include <filesystem>

#include "support/catch.hpp"
#include "support/engine.hpp"
#include "support/temporary_folder.hpp"

using namespace polystore::engine;
using namespace polystore::testing;
using namespace std::chrono_literals;

TEST_CASE("posix lock: who was silent for so long that another took the log is told", "[engine]") {
    const TemporaryFolder folder;
    std::atomic<std::chrono::steady_clock::time_point> now = std::chrono::steady_clock::now();
    const auto lock = got(take_posix_lock((folder / "data.kv.lock").string(), [&] { return now.load(); }));
    now = now.load() + 150ms;
    CHECK(lock->check().ok());  // Nobody took it.
    std::filesystem::remove(folder / folder.names().front());
    now = now.load() + 150ms;
    CHECK_THAT(failure_in(lock->check()), Catch::StartsWith("ERR_CLIENT: This process was stopped") &&
                                              Catch::Contains("data.kv. Close the store"));
}

TEST_CASE("posix lock: the error says what to do about a holder of which nothing can be known", "[engine]") {
    const TemporaryFolder folder;
    const std::string path = (folder / "data.kv.lock").string();
    put(path + "-other", R"({"machine":"web and another container","pid":7,"since":"1"})");
    CHECK_THAT(failure_in(take_posix_lock(path)), Catch::Contains("data.kv is open already, in process 7 of web. ") &&
                                                      Catch::Contains("if it has ended, wait a minute") &&
                                                      Catch::Contains("remove " + path + "-*,"));
}

TEST_CASE("posix lock: what a killed process left of one keeps nobody out, and goes with time", "[engine]") {
    const TemporaryFolder folder;
    const auto left = folder / "data.kv.lock-begun.new";
    put(left, "");
    got(take_posix_lock((folder / "data.kv.lock").string()));
    CHECK(std::filesystem::exists(left));  // It may be one that is being taken.
    std::filesystem::last_write_time(left, std::filesystem::file_time_type::clock::now() - 61s);
    got(take_posix_lock((folder / "data.kv.lock").string()));
    CHECK(folder.names().empty());
}
