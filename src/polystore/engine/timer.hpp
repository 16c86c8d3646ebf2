#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace polystore::engine {

/// The clocks and waits of a thread. Any thread may use one timer.
class Timer {
   public:
    Timer() = default;
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    virtual ~Timer() = default;

    /// The time in milliseconds since the epoch, which expiries refer to. The system may set it back.
    [[nodiscard]] virtual std::int64_t now() = 0;

    /// The time since some fixed moment. It never decreases.
    [[nodiscard]] virtual std::chrono::milliseconds elapsed() = 0;

    /// Releases `hold` until `wake` is notified or `time` has elapsed. It may return earlier.
    virtual void wait(std::unique_lock<std::mutex>& hold, std::condition_variable& wake,
                      std::chrono::milliseconds time) = 0;
};

/// The timer that uses the system's clocks.
[[nodiscard]] Timer& system_timer();

}  // namespace polystore::engine
