#include "polystore/store/watching.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <mutex>
#include <new>
#include <vector>

#include "polystore/error.hpp"

namespace polystore {
namespace {

using Steady = std::chrono::steady_clock;

/// The longest sleep, in seconds: a clock may be set, or be another than that of the system.
constexpr double kMaxSleep = 60;

/// A longer wait has no end, for it could not be counted in nanoseconds.
constexpr double kMaxWait = 60.0 * 60 * 24 * 365;

Steady::duration seconds(double count) {
    return std::chrono::duration_cast<Steady::duration>(Watcher::Wait(std::clamp(count, 0.0, kMaxWait)));
}

}  // namespace

void Watching::begin(bool is_initial) {
    hub_->join(shared_from_this());
    learn(is_initial);
    const std::scoped_lock lock(hub_->mutex());
    if (is_initial && !knows_all_) {
        throw Error(ErrorCode::unsupported,
                    "This client cannot list its records, so the option initial is for one key only. Watch one key, or "
                    "without that option.");
    }
    if (is_listening_) hub_->wake_timer();
}

/// Reads what is there. Requires a `Hold` and a `Turn`.
void Watching::learn(bool is_initial) {
    Client& client = subject_.connection->client();
    std::vector<std::pair<std::string, double>> found;
    bool knows_all = true;
    if (subject_.is_one_key) {
        if (const auto record = client.read(name())) found.emplace_back(name(), record->expires);
    } else if (subject_.connection->traits().can[Trait::list]) {
        const std::unique_ptr<Cursor> cursor = client.scan(subject_.range);
        while (const auto page = cursor->next(kPageLength)) {
            for (const auto& [id, record] : *page) {
                if (bounds_.contains(id)) found.emplace_back(id, record.expires);
            }
        }
    } else {
        knows_all = false;
    }
    const double now = subject_.clock();
    std::erase_if(found, [&](const auto& record) { return record.second <= now; });
    const std::scoped_lock lock(hub_->mutex());
    if (has_ended_) return;
    schedule_.clear();
    known_.clear();
    knows_all_ = knows_all;
    for (const auto& [id, expires] : found) {
        if (is_initial) {
            mark(id, Hint::put, expires);
        } else {
            remember(id, expires);
        }
    }
}

void Watching::mark(const std::string& id, Hint hint, std::optional<double> expires) noexcept {
    if (has_ended_) return;
    note(id, hint, expires);
    enlist();
}

void Watching::note(const std::string& id, Hint hint, std::optional<double> expires) noexcept {
    try {
        const auto [place, is_new] = pending_.try_emplace(id);
        if (is_new) queue_.push_back(place->first);
        Pending& pending = place->second;
        pending.hint = std::max(pending.hint, hint);
        if (hint >= Hint::removed || expires) pending.expires = expires;
    } catch (const std::bad_alloc&) {
        has_missed_ = true;
    }
}

void Watching::mark_swept(const Bounds& bounds, std::optional<double> until) noexcept {
    if (has_ended_) return;
    try {
        std::vector<std::string> ids;
        for (const auto& [id, expires] : known_) {
            if (bounds.contains(id) && (!until || expires <= *until)) ids.push_back(id);
        }
        for (const auto& [id, pending] : pending_) {
            if (bounds.contains(id) && !until) ids.push_back(id);
        }
        for (const std::string& id : ids) mark(id, until ? Hint::maybe : Hint::removed, std::nullopt);
    } catch (const std::bad_alloc&) {
        has_missed_ = true;
        enlist();
    }
}

/// Has the watcher told when this thread's turn ends.
void Watching::enlist() {
    Turn* const turn = Turn::outermost();
    if (due_in_ == turn && turn) return;
    due_in_ = turn;
    try {
        if (turn) return turn->add(shared_from_this());
    } catch (const std::bad_alloc&) {
        due_in_ = nullptr;
    }
    news_.notify_all();
}

void Watching::end(std::exception_ptr failure) noexcept {
    if (has_ended_) return;
    has_ended_ = true;
    failure_ = std::move(failure);
    queue_.clear();
    pending_.clear();
    schedule_.clear();
    known_.clear();
    news_.notify_all();
}

void Watching::close() noexcept {
    Watcher::Listener listener;  // It is destroyed without the lock.
    {
        std::unique_lock lock(hub_->mutex());
        end(nullptr);
        const std::thread::id none;
        if (handing_ != std::this_thread::get_id()) idle_.wait(lock, [&] { return handing_ == none; });
        if (handing_ == none) std::swap(listener, listener_);
    }
    hub_->leave(*this);
}

std::optional<Watcher::Change> Watching::next(Watcher::Wait wait) {
    if (std::isnan(wait.count())) {
        throw Error(ErrorCode::options, "next() was called with a time that is not a number; pass seconds.");
    }
    if (is_copy()) {
        throw Error(ErrorCode::client,
                    "This process was forked after watch() was called, so the watcher cannot be used here. Call "
                    "watch() in this process.");
    }
    const bool is_limited = wait.count() < kMaxWait;
    const auto deadline = Steady::now() + seconds(wait.count());
    for (;;) {
        const double now = subject_.clock();
        std::unique_lock lock(hub_->mutex());
        if (has_ended_) {
            if (failure_) std::rethrow_exception(failure_);
            return std::nullopt;
        }
        const bool has_expiry = !is_listening_ && !schedule_.empty();
        const double left = has_expiry ? (schedule_.begin()->first - now) / 1000 : kNever;
        if (!is_listening_ && (has_news() || left <= 0)) {
            lock.unlock();
            if (auto change = take()) return change;
            continue;
        }
        const auto time = Steady::now();
        if (is_limited && time >= deadline) return std::nullopt;
        auto until = time + seconds(std::min(left, kMaxSleep));
        if (is_limited) until = std::min(until, deadline);
        news_.wait_until(lock, until);
    }
}

/// Returns the next change, if one has come.
std::optional<Watcher::Change> Watching::take() {
    const Turn turn;
    const Connection::Hold hold(*subject_.connection);
    for (;;) {
        double now = subject_.clock();
        std::unique_lock lock(hub_->mutex());
        if (has_ended_) return std::nullopt;
        if (has_missed_) {
            queue_.clear();
            pending_.clear();
            lock.unlock();
            learn(false);
            lock.lock();
            has_missed_ = false;
            has_gap_ = true;
        }
        if (std::exchange(has_gap_, false)) return Change{};
        mark_due(now);
        if (queue_.empty()) return std::nullopt;
        auto first = pending_.extract(pending_.find(std::string(queue_.front())));
        queue_.pop_front();
        const std::string& id = first.key();
        lock.unlock();
        try {
            std::optional<Record> found = read(id);
            now = subject_.clock();
            lock.lock();
            if (has_ended_) return std::nullopt;
            if (auto change = change_at(id, first.mapped(), std::move(found), now)) return change;
        } catch (const std::bad_alloc&) {
            if (!lock) lock.lock();
            has_missed_ = true;
        } catch (...) {
            if (!lock) lock.lock();
            has_gap_ = true;  // The user's own reads will show the error.
        }
    }
}

std::optional<Record> Watching::read(const std::string& id) {
    std::optional<Record> record = subject_.connection->client().read(id);
    if (record) require_readable(id, record->value);
    return record;
}

/// Compares what is at a key with what was there. Returns `std::nullopt` if there is no change after all.
std::optional<Watcher::Change> Watching::change_at(const std::string& id, const Pending& pending,
                                                   std::optional<Record> found, double now) {
    const auto known = known_.find(id);
    const bool was = known != known_.end();
    const double was_expires = was ? known->second : kNever;
    std::string key = id.substr(subject_.prefix.size());
    if (found && found->expires > now) {
        remember(id, found->expires);
        if (was && pending.hint == Hint::touched) return std::nullopt;
        return Change{Watcher::Type::set, std::move(key), std::move(found->value)};
    }
    forget(id);
    if (!was && (pending.hint < Hint::removed || (pending.hint == Hint::removed && knows_all_))) return std::nullopt;
    const double expires = found ? found->expires : pending.expires.value_or(was_expires);
    return Change{expires <= now ? Watcher::Type::expire : Watcher::Type::del, std::move(key), {}};
}

void Watching::mark_due(double now) {
    while (!schedule_.empty() && schedule_.begin()->first <= now) {
        const std::string id(schedule_.begin()->second);
        schedule_.erase(schedule_.begin());
        note(id, Hint::touched, std::nullopt);
    }
}

void Watching::remember(const std::string& id, double expires) {
    const auto [place, is_new] = known_.try_emplace(id, expires);
    if (!is_new) schedule_.erase({std::exchange(place->second, expires), place->first});
    if (expires != kNever) schedule_.emplace(expires, place->first);
}

void Watching::forget(const std::string& id) {
    const auto found = known_.find(id);
    if (found == known_.end()) return;
    schedule_.erase({found->second, found->first});
    known_.erase(found);
}

void Watching::tell() noexcept {
    {
        const std::scoped_lock lock(hub_->mutex());
        due_in_ = nullptr;
        news_.notify_all();
    }
    if (is_listening_) hand_over();
}

/// Calls the listener with what has come, unless another thread is doing that: then that one goes on.
void Watching::hand_over() noexcept {
    std::unique_lock lock(hub_->mutex());
    const std::thread::id none;
    if (has_ended_) return;
    if (handing_ != none) {
        hands_again_ = true;
        return;
    }
    handing_ = std::this_thread::get_id();
    do {
        hands_again_ = false;
        lock.unlock();
        std::optional<Change> change;
        bool is_listened = false;
        std::exception_ptr failure;
        try {
            change = take();
            is_listened = change.has_value();
            if (is_listened) listener_(*change);
        } catch (...) {
            // An error that the listener threw is for next(). If there was no change, nothing was lost: the next one
            // tries again.
            if (is_listened) failure = std::current_exception();
        }
        change.reset();
        lock.lock();
        if (failure) end(std::move(failure));
        if (is_listened) hands_again_ = true;
    } while (!has_ended_ && hands_again_);
    handing_ = none;
    idle_.notify_all();
    if ((schedule_.empty() ? kNever : schedule_.begin()->first) != timed_) hub_->wake_timer();
}

double Watching::tell_expired() noexcept {
    double now = 0;
    try {
        now = subject_.clock();
    } catch (...) {
        return kNever;  // Every call of the store fails with that error.
    }
    const auto time_of_next = [&] {
        timed_ = has_ended_ || schedule_.empty() ? kNever : schedule_.begin()->first;
        return timed_;
    };
    {
        const std::scoped_lock lock(hub_->mutex());
        if (const double next = time_of_next(); next > now) return next - now;
    }
    hand_over();
    const std::scoped_lock lock(hub_->mutex());
    // If another thread is calling the listener, that one tells, and wakes this one.
    const double next = time_of_next();
    return next > now ? next - now : kNever;
}

}  // namespace polystore
