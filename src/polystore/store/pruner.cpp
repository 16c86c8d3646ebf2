#include "polystore/store/pruner.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <new>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "polystore/posix/process.hpp"

namespace polystore {
namespace {

/// A longer wait could not be counted in nanoseconds.
constexpr Pruner::Period kMaxPeriod = std::chrono::hours(24 * 365);

/// Returns false if the store is closed. Other failures are not reported, because no call of the user waits for this
/// one; the next one tries again.
bool prune(const Store& store) {
    try {
        store.prune();
    } catch (const Error& error) {
        return error.code() != ErrorCode::closed;
    } catch (const std::bad_alloc&) {
        return true;
    }
    return true;
}

}  // namespace

struct Pruner::State {
    std::mutex mutex;
    std::condition_variable wake;
    bool is_stopped = false;
    std::mutex joining;
    std::thread thread;
};

Pruner::Pruner(Store store, Period period) : state_(std::make_unique<State>()), process_(posix::this_process()) {
    const auto work = [&state = *state_, store = std::move(store), time = std::min(period, kMaxPeriod)] {
        std::unique_lock hold(state.mutex);
        while (!state.wake.wait_for(hold, time, [&] { return state.is_stopped; })) {
            hold.unlock();
            if (!prune(store)) return;
            hold.lock();
        }
    };
    try {
        state_->thread = std::thread(work);
    } catch (const std::system_error& error) {
        std::throw_with_nested(
            Error(ErrorCode::client, "The thread that prunes could not be started: " + std::string(error.what()) +
                                         ". End other threads, or omit the option prune."));
    }
}

Pruner::~Pruner() {
    stop();
    if (process_ != posix::this_process()) posix::keep(std::move(state_));
}

void Pruner::stop() {
    if (process_ != posix::this_process()) return;
    {
        const std::scoped_lock hold(state_->mutex);
        state_->is_stopped = true;
    }
    state_->wake.notify_one();
    const std::scoped_lock hold(state_->joining);
    if (state_->thread.joinable()) state_->thread.join();
}

}  // namespace polystore
