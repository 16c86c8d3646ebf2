#include "polystore/store/watch_hub.hpp"

#include <algorithm>
#include <chrono>
#include <new>
#include <system_error>
#include <utility>

#include "polystore/error.hpp"
#include "polystore/store/turn.hpp"
#include "polystore/store/watching.hpp"

namespace polystore {
namespace {

/// The longest sleep, in milliseconds: a clock may be set, or be another than that of the system.
constexpr double kMaxSleep = 60'000;

}  // namespace

void Turn::tell() noexcept {
    for (const std::shared_ptr<Watching>& watching : due_) watching->tell();
}

void WatchHub::join(const std::shared_ptr<Watching>& watching) {
    const std::scoped_lock lock(mutex_);
    if (watching->is_listening()) {
        listening_.push_back(watching);
        if (listening_.size() == 1) {
            try {
                timer_ = std::thread([hub = shared_from_this(), round = round_] { hub->await_expiries(round); });
            } catch (const std::system_error& error) {
                std::throw_with_nested(Error(
                    ErrorCode::client, "The thread of a listener could not be started: " + std::string(error.what()) +
                                           ". End other threads, or watch without one."));
            }
        }
    }
    const std::string& name = watching->name();
    (watching->is_of_one_key() ? by_key_ : by_prefix_[name.size()])[name].push_back(watching);
    count_.fetch_add(1, std::memory_order_relaxed);
}

void WatchHub::leave(const Watching& watching) noexcept {
    const auto is_it = [&](const std::shared_ptr<Watching>& other) { return other.get() == &watching; };
    std::thread ended;
    {
        const std::scoped_lock lock(mutex_);
        if (std::erase_if(listening_, is_it) > 0 && listening_.empty()) {
            ++round_;
            ended = std::move(timer_);
            wake_.notify_all();
        }
        const auto leave_in = [&](ByName& names) {
            const auto found = names.find(watching.name());
            if (found == names.end()) return;
            count_.fetch_sub(std::erase_if(found->second, is_it), std::memory_order_relaxed);
            if (found->second.empty()) names.erase(found);
        };
        leave_in(by_key_);
        for (auto& [length, names] : by_prefix_) leave_in(names);
        std::erase_if(by_prefix_, [](const auto& length) { return length.second.empty(); });
    }
    if (!ended.joinable()) return;
    // A listener that the thread itself calls may close the last watcher.
    ended.get_id() == std::this_thread::get_id() ? ended.detach() : ended.join();
}

void WatchHub::wake_timer() noexcept {
    ++wakes_;
    wake_.notify_all();
}

/// The loop of the thread.
void WatchHub::await_expiries(unsigned round) {
    std::unique_lock lock(mutex_);
    while (round == round_) {
        const unsigned wakes = wakes_;
        double sleep = kMaxSleep;
        try {
            Watchers listening = listening_;
            lock.unlock();
            for (const std::shared_ptr<Watching>& watching : listening) {
                sleep = std::min(sleep, watching->tell_expired());
            }
            listening.clear();  // The last owner of a watcher may destroy the client, so not under the lock.
            lock.lock();
        } catch (const std::bad_alloc&) {
            sleep = 1;  // There was no memory for the copy; try again.
        }
        wake_.wait_for(lock, std::chrono::duration<double, std::milli>(sleep),
                       [&] { return round != round_ || wakes != wakes_; });
    }
}

template <typename Visit>
void WatchHub::for_each(Visit visit) {
    const auto visit_all = [&](const ByName& names) {
        for (const auto& [name, watchers] : names) std::for_each(watchers.begin(), watchers.end(), visit);
    };
    visit_all(by_key_);
    for (const auto& [length, names] : by_prefix_) visit_all(names);
}

void WatchHub::mark(const std::string& id, Hint hint, std::optional<double> expires) {
    const std::scoped_lock lock(mutex_);
    if (const auto found = by_key_.find(id); found != by_key_.end()) {
        for (const std::shared_ptr<Watching>& watching : found->second) watching->mark(id, hint, expires);
    }
    for (const auto& [length, names] : by_prefix_) {
        if (length > id.size()) break;
        const auto found = names.find(std::string_view(id).substr(0, length));
        if (found == names.end()) continue;
        for (const std::shared_ptr<Watching>& watching : found->second) {
            if (watching->bounds().contains(id)) watching->mark(id, hint, expires);
        }
    }
}

void WatchHub::tell(const Commit& commit, bool is_made, bool is_touch) {
    auto expected = commit.expected.begin();  // In a commit of a store, they are in the order of the changes.
    for (const auto& [id, record] : commit.changes) {
        if (record) {
            mark(id, !is_made ? Hint::maybe : is_touch ? Hint::touched : Hint::put, record->expires);
            continue;
        }
        const auto same = std::find_if(expected, commit.expected.end(),
                                       [&](const Expectation& expectation) { return expectation.id == id; });
        const bool was_found = same != commit.expected.end() && same->found;
        if (same != commit.expected.end()) expected = same;
        // A record that had expired before it was removed was not deleted.
        mark(id, is_made ? Hint::removed : Hint::maybe, was_found ? std::optional(same->found->expires) : std::nullopt);
    }
}

void WatchHub::tell(std::span<const Commit> commits, const std::vector<CommitOutcome>& outcomes,
                    bool is_touch) noexcept {
    for (std::size_t i = 0; i < commits.size(); ++i) {
        // A commit that failed may have been made all the same. A commit that was refused has changed nothing.
        const bool has_failed = i >= outcomes.size() || outcomes[i].error;
        if (has_failed || outcomes[i].made) tell(commits[i], !has_failed, is_touch);
    }
}

void WatchHub::tell_put(const std::string& id, double expires) noexcept { mark(id, Hint::put, expires); }

void WatchHub::tell_swept(const Bounds& bounds, std::optional<double> until) noexcept {
    const std::scoped_lock lock(mutex_);
    for_each([&](const std::shared_ptr<Watching>& watching) { watching->mark_swept(bounds, until); });
}

void WatchHub::end_all() noexcept {
    std::exception_ptr closed;
    try {
        throw_closed();
    } catch (...) {
        closed = std::current_exception();
    }
    const std::scoped_lock lock(mutex_);
    for_each([&](const std::shared_ptr<Watching>& watching) { watching->end(closed); });
}

}  // namespace polystore
