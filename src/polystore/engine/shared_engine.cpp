// Everything happens under `mutex_`, but for the sync of a file: `flushing_` says that a thread is at it. Whoever comes
// meanwhile appends and waits, and the next sync covers all of them. The worker syncs the new log of a compaction in
// the same way, a part at a time, so that whoever only reads or appends never waits for the disk.

#include "polystore/engine/shared_engine.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "polystore/engine/maintenance.hpp"
#include "polystore/engine/memory.hpp"
#include "polystore/engine/on_exit.hpp"

namespace polystore::engine {
namespace {

/// How long the worker sleeps at most: the clock by which records expire may be set meanwhile.
constexpr std::chrono::milliseconds kLongestSleep(std::chrono::hours(1));
/// For which part of the time of a flush the next one waits for more to append, at most.
constexpr int kShareOfSync = 4;

}  // namespace

SharedEngine::SharedEngine(std::unique_ptr<Engine> engine, const SharedOptions& options)
    : engine_(std::move(engine)), options_(options), worker_([this] { work(); }) {}

SharedEngine::~SharedEngine() {
    if_memory_allows([&] { static_cast<void>(close()); });
}

Result<std::optional<std::int64_t>> SharedEngine::get(std::string_view key, std::string& value) {
    const Hold hold(mutex_);
    return engine_->get(key, value);
}

Status SharedEngine::apply(const std::vector<Change>& batch) {
    const Hold hold(mutex_);
    Status applied = engine_->apply(batch);
    wake_worker();
    return applied;
}

Result<std::size_t> SharedEngine::evict(std::int64_t now, const Range& range) {
    const Hold hold(mutex_);
    return remove(engine_->removal_of_expired(now, range));
}

Result<std::size_t> SharedEngine::clear(const Range& range) {
    const Hold hold(mutex_);
    return remove(engine_->removal_of(range));
}

Result<std::size_t> SharedEngine::remove(const std::vector<Change>& removals) {
    Status removed = engine_->apply(removals);
    wake_worker();
    if (!removed.ok()) return removed.failure();
    return removals.size();
}

/// To wake it for nothing costs more than a change.
void SharedEngine::wake_worker() {
    const bool flushes = options_.durability == Durability::relaxed && !flush_at_;
    const bool evicts = options_.evicts && engine_->next_expiry() < awaited_expiry_;
    if (flushes || evicts || engine_->wants_compaction()) work_.notify_one();
}

Status SharedEngine::flush() {
    Hold hold(mutex_);
    if (!engine_) return closed_;
    ++waiting_;
    const OnExit counts([&] {
        --waiting_;
        if (closing_) flushed_.notify_all();  // It waits for the last of us.
    });
    if (++uncovered_calls_ == writers_) gathered_.notify_one();
    return flush_applied(hold);
}

Status SharedEngine::flush_applied(Hold& hold) {
    const std::uint64_t wanted = engine_->applied();
    while (engine_->flushed() < wanted) {
        if (flushing_ || compaction_waits_) {
            flushed_.wait(hold);
            continue;
        }
        // A sync before ours failed, or another process has taken the lock.
        if (Status may = engine_->may_flush(); !may.ok()) return may;
        flushing_ = true;
        await_writers(hold);
        const int covered_calls = std::exchange(uncovered_calls_, 0);
        const std::shared_ptr<File> file = engine_->begin_flush();
        hold.unlock();
        const auto begin = std::chrono::steady_clock::now();
        Status synced = file->sync();
        sync_time_ = std::chrono::steady_clock::now() - begin;
        hold.lock();
        flushing_ = false;
        writers_ = covered_calls + uncovered_calls_;
        const OnExit tells([&] { flushed_.notify_all(); });
        Status noted = engine_->end_flush(std::move(synced));
        if (!noted.ok()) return noted;
    }
    return Done{};
}

/// Those whom the flush before let go are just about to write again: without them, each flush would leave out some, who
/// then wait for the next one. It waits for as many of them, and not for long, as they may have other things to do.
void SharedEngine::await_writers(Hold& hold) {
    gathered_.wait_for(hold, sync_time_ / kShareOfSync, [&] { return uncovered_calls_ >= writers_; });
}

void SharedEngine::work() {
    Hold hold(mutex_);
    while (!closing_) {
        const Milliseconds flush = until_flush();
        const Milliseconds eviction = until_eviction();
        if (flush <= Milliseconds(0)) {
            flush_at_.reset();
            // Where it fails, the next change fails with it.
            if_memory_allows([&] { static_cast<void>(flush_applied(hold)); });
        } else if (engine_->wants_compaction()) {
            // Where it fails, it does not say again that it wants it.
            if_memory_allows([&] { compact_some(hold); });
        } else if (eviction <= Milliseconds(0)) {
            evict_some();
        } else {
            options_.timer.wait(hold, work_, std::min(flush, eviction));
        }
    }
}

SharedEngine::Milliseconds SharedEngine::until_flush() {
    if (options_.durability == Durability::strict || engine_->flushed() == engine_->applied()) {
        flush_at_.reset();
        return kLongestSleep;
    }
    const Milliseconds now = options_.timer.elapsed();
    if (!flush_at_) flush_at_ = now + Milliseconds(kFlushDelay);
    return *flush_at_ - now;
}

SharedEngine::Milliseconds SharedEngine::until_eviction() {
    awaited_expiry_ = engine_->next_expiry();
    const std::int64_t now = options_.timer.now();
    if (!options_.evicts || awaited_expiry_ > now + kLongestSleep.count()) return kLongestSleep;
    return std::max(Milliseconds(awaited_expiry_ - now), evict_from_ - options_.timer.elapsed());
}

void SharedEngine::evict_some() {
    // One that failed would most likely fail again.
    evict_from_ = options_.timer.elapsed() + kLongestSleep;
    if_memory_allows([&] {
        Result<std::size_t> evicted = engine_->evict(options_.timer.now(), {}, kEvictedAtOnce);
        if (!evicted.ok()) return;
        const bool is_all = *evicted < kEvictedAtOnce;
        evict_from_ = options_.timer.elapsed() + Milliseconds(is_all ? kEvictionInterval : 0);
    });
}

void SharedEngine::compact_some(Hold& hold) {
    Engine::CompactionFiles files;
    if (!engine_->step_compaction(kCompactionStep, files).ok()) return engine_->give_up_compaction();
    if (files.to_sync && !sync_new_log(hold, *files.to_sync).ok()) engine_->give_up_compaction();
    hold.unlock();
    files = {};
    std::this_thread::yield();
    hold.lock();
}

/// Flushes begin before it or after it: one that ended meanwhile would make it incomplete, again and again.
Status SharedEngine::sync_new_log(Hold& hold, File& log) {
    compaction_waits_ = true;
    flushed_.wait(hold, [&] { return !flushing_; });
    compaction_waits_ = false;
    flushing_ = true;
    hold.unlock();
    Status synced = log.sync();
    hold.lock();
    flushing_ = false;
    flushed_.notify_all();
    return synced;
}

std::unique_ptr<SharedEngine::Cursor> SharedEngine::scan(const Range& range) {
    const Hold hold(mutex_);
    return std::make_unique<Cursor>(shared_from_this(), engine_->scan(range));
}

Status SharedEngine::close() {
    {
        const Hold hold(mutex_);
        closing_ = true;
        work_.notify_one();
    }
    if (worker_.joinable()) worker_.join();
    Hold hold(mutex_);
    if (!engine_) return closed_;
    const OnExit lets_go([&] {
        flushed_.wait(hold, [&] { return waiting_ == 0; });
        engine_->mark_synced();
        engine_.reset();
    });
    closed_ = flush_applied(hold);
    return closed_;
}

SharedEngine::Cursor::~Cursor() {
    const Hold hold(engine_->mutex_);  // It shares nodes of the index with the engine.
    scan_.reset();
}

Result<std::span<const SharedEntry>> SharedEngine::Cursor::next(std::size_t limit) {
    const Hold hold(engine_->mutex_);
    page_.clear();
    buffers_.resize(limit);
    std::size_t bytes = 0;
    while (page_.size() < limit && bytes < kPageBytes && scan_->next()) {
        Result<std::string_view> value = scan_->read(buffers_[page_.size()]);
        if (!value.ok()) return value.failure();
        page_.push_back({scan_->key(), *value, scan_->expires()});
        bytes += scan_->key().size() + value->size();
    }
    return std::span<const SharedEntry>(page_);
}

}  // namespace polystore::engine
