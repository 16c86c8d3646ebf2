#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>

#include "polystore/engine/timer.hpp"

namespace polystore::testing {

/// A timer whose time only passes when a test says so. One thread may sleep on it.
class ManualTimer : public engine::Timer {
   public:
    using Milliseconds = std::chrono::milliseconds;

    std::int64_t now() override {
        const std::scoped_lock lock(mutex_);
        return elapsed_.count();
    }

    Milliseconds elapsed() override {
        const std::scoped_lock lock(mutex_);
        return elapsed_;
    }

    void wait(std::unique_lock<std::mutex>& hold, std::condition_variable& wake, Milliseconds time) override {
        {
            const std::scoped_lock lock(mutex_);
            sleeper_ = Sleeper{hold.mutex(), &wake, time};
            slept_.notify_all();
        }
        wake.wait(hold);
        const std::scoped_lock lock(mutex_);
        sleeper_.reset();
    }

    /// Waits until the thread sleeps for exactly `time`.
    void await_sleep(Milliseconds time) {
        std::unique_lock lock(mutex_);
        slept_.wait(lock, [&] { return sleeper_ && sleeper_->time == time; });
    }

    /// Lets time pass while the thread is not asleep.
    void pass(Milliseconds time) {
        const std::scoped_lock lock(mutex_);
        elapsed_ += time;
    }

    /// Lets time pass and wakes the thread, which must be asleep.
    void advance(Milliseconds time) {
        std::unique_lock lock(mutex_);
        elapsed_ += time;
        const Sleeper sleeper = *sleeper_;
        sleeper_.reset();  // The next `await_sleep` waits for the sleep after this one.
        lock.unlock();
        const std::scoped_lock asleep(*sleeper.mutex);  // Once this is locked, the thread has begun to wait.
        sleeper.wake->notify_all();
    }

   private:
    struct Sleeper {
        std::mutex* mutex;
        std::condition_variable* wake;
        Milliseconds time;
    };

    std::mutex mutex_;
    std::condition_variable slept_;
    std::optional<Sleeper> sleeper_;
    Milliseconds elapsed_{0};
};

}  // namespace polystore::testing
