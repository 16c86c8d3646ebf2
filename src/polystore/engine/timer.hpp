#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace polystore::engine {

/// Time, as a thread goes by it. For any thread.
class Timer {
   public:
    Timer() = default;
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    virtual ~Timer() = default;

    /// Milliseconds since the epoch, by which records expire. It may be set back.
    [[nodiscard]] virtual std::int64_t now() = 0;

    /// Since some moment. It never goes back.
    [[nodiscard]] virtual std::chrono::milliseconds elapsed() = 0;

    /// Lets go of `hold` until `wake` is notified or so much has elapsed; perhaps for less.
    virtual void wait(std::unique_lock<std::mutex>& hold, std::condition_variable& wake,
                      std::chrono::milliseconds time) = 0;
};

/// The time of the system.
[[nodiscard]] Timer& system_timer();

}  // namespace polystore::engine
