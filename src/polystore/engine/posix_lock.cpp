#include "polystore/engine/posix_lock.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "polystore/posix/process.hpp"

namespace polystore::engine {
namespace {

using namespace std::chrono_literals;
using posix::TokenLock;

constexpr auto kBeat = 10s;
/// For how long a holder writes without checking its lock: a check takes as long as a write.
constexpr auto kUnchecked = 100ms;

class PosixLock : public Lock {
   public:
    PosixLock(TokenLock lock, posix::SteadyNow now) : lock_(std::move(lock)), now_(std::move(now)), checked_(now_()) {
        beat_ = std::thread([this] { renew(); });
    }
    PosixLock(const PosixLock&) = delete;
    PosixLock& operator=(const PosixLock&) = delete;
    ~PosixLock() override {
        if (process_ != posix::this_process()) {
            // The parent has the lock, and this process does not have the thread.
            posix::keep(std::move(lock_));
            posix::keep(std::move(beat_));
            return;
        }
        {
            const std::scoped_lock hold(mutex_);
            stopped_ = true;
        }
        wake_.notify_one();
        beat_.join();
    }

    Status check() override {
        const posix::Path& log = lock_.path();
        if (process_ != posix::this_process()) {
            return Failure{ErrorCode::client, "This process was forked while its parent had the log " + log.string() +
                                                  " open. Close the store here, and open it again when the parent "
                                                  "has closed it."};
        }
        if (now_() - checked_.load() < kUnchecked || is_held()) return Done{};
        return lost("Nothing was written. Close the store and open it again.");
    }

    Status check_now() override {
        if (is_held()) return Done{};
        return lost(
            "What was changed since the last flush may or may not be there afterwards. Close the store and open it "
            "again.");
    }

   private:
    bool is_held() {
        const auto now = now_();
        const bool held = lock_.is_held();
        if (held) checked_ = now;
        return held;
    }

    [[nodiscard]] Failure lost(const std::string& rest) const {
        return {ErrorCode::client, posix::lost_message(lock_.path(), rest)};
    }

    void renew() {
        std::unique_lock hold(mutex_);
        while (!wake_.wait_for(hold, kBeat, [&] { return stopped_; })) {
            // If the lock was taken over, the next check reports it.
            static_cast<void>(lock_.renew());
        }
    }

    TokenLock lock_;
    posix::SteadyNow now_;
    std::atomic<std::chrono::steady_clock::time_point> checked_;
    const unsigned process_ = posix::this_process();
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopped_ = false;
    std::thread beat_;  // Not a std::jthread: libc++ 19 has it only behind a flag.
};

}  // namespace

Result<std::unique_ptr<Lock>> take_posix_lock(const std::string& path, const posix::SteadyNow& now) {
    try {
        return std::unique_ptr<Lock>(std::make_unique<PosixLock>(TokenLock::take(path), now));
    } catch (const Error& error) {
        return Failure{error.code(), error.what()};
    }
}

}  // namespace polystore::engine
