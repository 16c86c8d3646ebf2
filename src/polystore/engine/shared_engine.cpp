// Everything happens under `mutex_`, but for the sync of the file: `flushing_` says that a thread is at it. Whoever
// comes meanwhile appends and waits, and the next sync covers all of them.

#include "polystore/engine/shared_engine.hpp"

#include <chrono>
#include <utility>

namespace polystore::engine {
namespace {

/// How late what is relaxed is flushed.
constexpr std::chrono::milliseconds kRelaxedFor(1000);
/// What a step of compaction copies: it keeps other threads waiting for about a millisecond.
constexpr std::size_t kCompactionStep = std::size_t{1} << 19U;

}  // namespace

SharedEngine::SharedEngine(std::unique_ptr<Engine> engine, Durability durability)
    : engine_(std::move(engine)), durability_(durability), worker_([this] { work(); }) {}

SharedEngine::~SharedEngine() { static_cast<void>(close()); }

Result<std::optional<Stored>> SharedEngine::get(std::string_view key) {
    const Hold hold(mutex_);
    return engine_->get(key);
}

Status SharedEngine::apply(const std::vector<Change>& batch) {
    Hold hold(mutex_);
    if (Status applied = engine_->apply(batch); !applied.ok()) return applied;
    return acknowledge(hold);
}

Result<std::size_t> SharedEngine::evict(std::int64_t now, std::string_view prefix) {
    Hold hold(mutex_);
    Result<std::size_t> evicted = engine_->evict(now, prefix);
    if (!evicted.ok()) return evicted;
    if (Status acknowledged = acknowledge(hold); !acknowledged.ok()) return acknowledged.failure();
    return evicted;
}

Status SharedEngine::clear(std::string_view prefix) {
    Hold hold(mutex_);
    if (Status cleared = engine_->clear(prefix); !cleared.ok()) return cleared;
    return acknowledge(hold);
}

Status SharedEngine::acknowledge(Hold& hold) {
    Status acknowledged = durability_ == Durability::strict ? flush_applied(hold) : Status(Done{});
    if (engine_->wants_compaction() || engine_->flushed() != engine_->applied()) work_.notify_one();
    return acknowledged;
}

Status SharedEngine::flush() {
    Hold hold(mutex_);
    return flush_applied(hold);
}

Status SharedEngine::flush_applied(Hold& hold) {
    const std::uint64_t wanted = engine_->applied();
    while (engine_->flushed() < wanted) {
        if (flushing_) {
            flushed_.wait(hold);
            continue;
        }
        if (Status writable = engine_->writable(); !writable.ok()) return writable;  // A sync before ours failed.
        flushing_ = true;
        const std::uint64_t covered = engine_->applied();
        const std::shared_ptr<File> file = engine_->file();
        hold.unlock();
        Status synced = file->sync();
        hold.lock();
        flushing_ = false;
        Status noted = engine_->note_flushed(covered, std::move(synced));
        flushed_.notify_all();
        if (!noted.ok()) return noted;
    }
    return Done{};
}

void SharedEngine::work() {
    using Time = std::chrono::steady_clock;
    Hold hold(mutex_);
    constexpr Time::time_point kNotSet;
    Time::time_point flush_at = kNotSet;
    while (!closing_) {
        if (engine_->wants_compaction()) {
            static_cast<void>(engine_->compact(kCompactionStep));  // It says no more that it wants it when it failed.
            hold.unlock();
            std::this_thread::yield();
            hold.lock();
        } else if (engine_->flushed() == engine_->applied() || durability_ == Durability::strict) {
            flush_at = kNotSet;
            work_.wait(hold);
        } else if (flush_at == kNotSet) {
            flush_at = Time::now() + kRelaxedFor;
        } else if (work_.wait_until(hold, flush_at) == std::cv_status::timeout) {
            flush_at = kNotSet;
            static_cast<void>(flush_applied(hold));  // The next change fails with it.
        }
    }
}

std::unique_ptr<SharedEngine::Cursor> SharedEngine::scan(Range range) {
    const Hold hold(mutex_);
    return std::make_unique<Cursor>(shared_from_this(), engine_->scan(std::move(range)));
}

Status SharedEngine::close() {
    {
        const Hold hold(mutex_);
        closing_ = true;
        work_.notify_one();
    }
    if (worker_.joinable()) worker_.join();
    Hold hold(mutex_);
    if (!engine_) return Done{};
    Status flushed = flush_applied(hold);
    engine_.reset();
    return flushed;
}

SharedEngine::Cursor::~Cursor() {
    const Hold hold(engine_->mutex_);  // It shares nodes of the index with the engine.
    scan_.reset();
}

Result<std::vector<SharedEntry>> SharedEngine::Cursor::next(std::size_t limit) {
    const Hold hold(engine_->mutex_);
    std::vector<SharedEntry> entries;
    while (entries.size() < limit && scan_->next()) {
        Result<std::string_view> value = scan_->read();
        if (!value.ok()) return value.failure();
        entries.push_back({std::string(scan_->key()), {std::string(*value), scan_->expires()}});
    }
    return entries;
}

}  // namespace polystore::engine
