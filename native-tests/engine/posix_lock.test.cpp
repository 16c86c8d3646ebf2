#include "polystore/engine/posix_lock.hpp"

#include <atomic>
#include <filesystem>

#include "support/catch.hpp"
#include "support/engine.hpp"
#include "support/temporary_folder.hpp"

using namespace polystore::engine;
using namespace polystore::testing;
using namespace std::chrono_literals;

TEST_CASE("posix lock: a holder that was silent for too long gets an error when another process took over",
          "[engine]") {
    const TemporaryFolder folder;
    std::atomic<std::chrono::steady_clock::time_point> now = std::chrono::steady_clock::now();
    const auto lock = got(take_posix_lock((folder / "data.kv").string(), [&] { return now.load(); }));
    now = now.load() + 150ms;
    CHECK(lock->check().ok());  // No process took it.
    std::filesystem::remove(folder / folder.names().front());
    now = now.load() + 150ms;
    CHECK_THAT(failure_in(lock->check()), Catch::StartsWith("ERR_CLIENT: Another process has taken over the lock on") &&
                                              Catch::Contains("data.kv, because") &&
                                              Catch::Contains("Nothing was written.") &&
                                              Catch::EndsWith("Close the store and open it again."));
    // A flush comes after what it covers was written.
    CHECK_THAT(failure_in(lock->check_now()), Catch::Contains("since the last flush may or may not be there") &&
                                                  !Catch::Contains("Nothing was written") &&
                                                  Catch::EndsWith("Close the store and open it again."));
}

TEST_CASE("posix lock: an error of the lock is a failure with its code", "[engine]") {
    const TemporaryFolder folder;
    const auto lock = got(take_posix_lock((folder / "data.kv").string()));
    CHECK_THAT(failure_in(take_posix_lock((folder / "data.kv").string())),
               Catch::StartsWith("ERR_CLIENT: The log ") && Catch::Contains("data.kv is already open in process "));
}
