// The index leads, for every key that has a value, to the record in the log that gave it that value: the last one that
// speaks of the key. The log up to `end_` is whole batches and nothing else.
//
// Memory may run out anywhere, as std::bad_alloc. So a change gets all the memory that it needs, that of the index
// included, before the log is written; what comes after the write needs none. Where the log did not take the change,
// the index goes back to what it was, which needs no memory either, and the log is cut off at `end_` again; where that
// fails too the engine is broken: it writes no more.

#include "polystore/engine/engine.hpp"

#include <algorithm>
#include <iterator>

#include "polystore/engine/compaction.hpp"
#include "polystore/engine/index_loader.hpp"
#include "polystore/engine/log_reader.hpp"
#include "polystore/engine/memory.hpp"
#include "polystore/engine/notes.hpp"
#include "polystore/engine/on_exit.hpp"
#include "polystore/engine/read_value.hpp"

namespace polystore::engine {
namespace {

/// Room that values leave to removals.
constexpr std::uint64_t kRemovals = 16384;
/// What is written to a new log before it is synced: to sync much more at once would keep the disk from others.
constexpr std::uint64_t kSyncedAtOnce = std::uint64_t{1} << 20U;

std::string new_path(const std::string& path) { return path + ".new"; }

[[gnu::cold]] Failure corrupt(const std::string& path, std::uint64_t offset, const std::string& what) {
    return {ErrorCode::corrupt, "The file " + path + " " + what + " at offset " + std::to_string(offset) +
                                    ". It was left as it is: salvage it, or move it away."};
}

Place place_of(const RecordView& record, std::uint64_t offset) {
    return {offset, record.expires, static_cast<std::uint32_t>(record.value.size())};
}

Place place_of(const Stored& stored, std::uint64_t offset) {
    return {offset, stored.expires, static_cast<std::uint32_t>(stored.value.size())};
}

/// The bytes of the record of a change.
std::uint64_t size_of(const Change& change) {
    return kHeadSize + change.key.size() + (change.stored ? change.stored->value.size() : 0);
}

/// The bytes of the records of a batch.
std::uint64_t size_of(const std::vector<Change>& batch) {
    std::uint64_t bytes = 0;
    for (const Change& change : batch) bytes += size_of(change);
    return bytes;
}

}  // namespace

Engine::Engine(Env& env, std::string path, std::unique_ptr<Lock> lock)
    : env_(env), path_(std::move(path)), lock_(std::move(lock)) {}

Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::open(Env& env, const std::string& path) {
    Result<std::unique_ptr<Lock>> lock = env.lock(path);
    if (!lock.ok()) return lock.failure();
    std::unique_ptr<Engine> engine(new Engine(env, path, std::move(*lock)));
    static_cast<void>(env.remove(new_path(path)));  // Of a compaction that a crash ended. Nothing depends on it.
    Result<std::shared_ptr<File>> file = env.open(path);
    if (!file.ok()) return file.failure();
    engine->log_.file = *file;
    if (engine->log_.file) {
        Result<std::uint64_t> size = engine->log_.file->size();
        if (!size.ok()) return size.failure();
        engine->end_ = *size;
    }
    Status opened = engine->end_ == 0 ? engine->make_log() : engine->replay();
    if (!opened.ok()) return opened.failure();
    return engine;
}

[[gnu::cold]] Status Engine::make_log() {
    Result<std::unique_ptr<Compaction>> empty = Compaction::begin(env_, new_path(path_), log_, index_, end_);
    if (!empty.ok()) return empty.failure();
    if (Status written = (*empty)->step(1, end_); !written.ok()) return written;
    if (Status synced = (*empty)->log().file->sync(); !synced.ok()) return synced;
    Status finished = (*empty)->finish(path_);
    if (!finished.ok()) {
        // An empty file that cannot be replaced becomes a log in place.
        if (finished.failure().code != ErrorCode::unsupported || !log_.file) return finished;
        log_.header = (*empty)->log().header;
        if (Status written = log_.file->write(0, encode_header(log_.header.generation)); !written.ok()) return written;
        if (Status synced = log_.file->sync(); !synced.ok()) return synced;
    } else {
        log_ = (*empty)->log();
    }
    synced_ = records_end_ = end_ = (*empty)->end();
    return Done{};
}

Status Engine::replay() {
    std::string buffer;
    Result<std::string_view> bytes =
        log_.file->read(0, static_cast<std::size_t>(std::min<std::uint64_t>(end_, kHeaderSize)), buffer);
    if (!bytes.ok()) return bytes.failure();
    const std::optional<Header> header = bytes->size() < kHeaderSize ? std::nullopt : decode_header(*bytes);
    if (!header) return corrupt(path_, 0, "has no header of a polystore log");
    if (header->version == 0 || header->version > kVersion) {
        return Failure{ErrorCode::unsupported, "The file " + path_ + " is a log of version " +
                                                   std::to_string(header->version) + ", and this reads version " +
                                                   std::to_string(kVersion) + ". Use a newer polystore."};
    }
    log_.header = *header;

    IndexLoader loader;
    const auto take = [&](Kind kind, std::string_view key, const Place& place) {
        if (kind == Kind::put) loader.put(key, place);
        if (kind == Kind::erase) loader.erase(key);
    };
    struct Seen {
        Kind kind;
        std::string key;
        Place place;
    };
    std::vector<Seen> batch;  // Of more records than one, until its last.
    std::uint64_t batch_begin = kHeaderSize;
    LogReader reader(*log_.file, log_.header, kHeaderSize, end_);
    for (;;) {
        Result<LogReader::Found> found = reader.next();
        if (!found.ok()) return found.failure();
        if (*found == LogReader::Found::end) break;
        if (*found == LogReader::Found::no_record) {
            Result<bool> torn = reader.is_torn();
            if (!torn.ok()) return torn.failure();
            if (*torn) break;
            return corrupt(path_, reader.offset(), "is damaged");
        }
        const RecordView& record = reader.record();
        const Place place = place_of(record, reader.record_offset());
        if (reader.follows()) {
            batch.push_back({record.kind, std::string(record.key), place});
            continue;
        }
        for (const Seen& seen : batch) take(seen.kind, seen.key, seen.place);
        batch.clear();
        take(record.kind, record.key, place);
        batch_begin = reader.offset();
        ends_with_mark_ = record.kind == Kind::mark;
        if (!ends_with_mark_) records_end_ = reader.offset();
    }
    index_ = loader.finish();
    const bool is_torn = batch_begin != end_;
    end_ = batch_begin;
    synced_ = records_end_;  // But not the mark, which says so.
    // Without the lock, another process may be writing what looks incomplete.
    const bool may_write = lock_->check().ok();
    if (is_torn && may_write) {
        if (Status cut = log_.file->truncate(end_); !cut.ok()) return cut;
    }
    if (may_write && (is_torn || !ends_with_mark_)) {
        // Whoever wrote it may have ended before it was flushed, and nobody would do it now.
        if (Status synced = log_.file->sync(); !synced.ok()) return synced;
        synced_ = end_;
    }
    if (log_.header.version != kVersion) return convert();
    mark_synced();
    return Done{};
}

/// Brings a log of an earlier version into this one. If it cannot be written, for example without room, it can be read.
[[gnu::cold]] Status Engine::convert() {
    Status compacted = compact_now();
    const bool can_be_read =
        !compacted.ok() && (compacted.failure().code == ErrorCode::quota ||
                            compacted.failure().code == ErrorCode::unsupported || !lock_->check().ok());
    if (!can_be_read) return compacted;
    static_cast<void>(fail(std::move(compacted.failure())));
    return Done{};
}

Result<std::optional<std::int64_t>> Engine::get(std::string_view key, std::string& value) {
    const std::optional<Place> place = index_.find_likely(key);
    if (!place) return std::optional<std::int64_t>();
    expect_value(log_, key, *place);  // The value at the same time as the head.
    std::string buffer;
    Result<std::string_view> found = read_value(log_, key, *place, buffer);
    if (!found.ok()) {
        if (!index_.find(key)) return std::optional<std::int64_t>();  // It was the place of another key.
        return found.failure();
    }
    value.assign(*found);
    return std::optional(place->expires);
}

std::optional<std::int64_t> Engine::expiry_of(std::string_view key) const {
    const std::optional<Place> place = index_.find(key);
    return place ? std::optional(place->expires) : std::nullopt;
}

Scan Engine::scan(const Range& range) const { return {log_, index_, range}; }

Status Engine::writable() const {
    if (broken_) return broken();
    return lock_->check();
}

Status Engine::may_flush() const {
    if (broken_) return broken();
    return lock_->check_now();
}

/// Breaks the engine before it makes the message, for which there may be no memory.
[[gnu::cold]] Status Engine::fail(Failure failure) {
    broken_.emplace(std::move(failure));
    return broken();
}

[[gnu::cold]] Failure Engine::broken() const {
    const std::string reason =
        broken_->message.empty() ? "The storage failed, and there was no memory to say why." : broken_->message;
    return {broken_->code, reason + " The store can be read still, but not written: close it and open it again."};
}

Status Engine::apply(const std::vector<Change>& batch) {
    if (Status can_write = writable(); !can_write.ok()) return can_write;
    for (const Change& change : batch) {
        const std::size_t value_size = change.stored ? change.stored->value.size() : 0;
        if (change.key.size() > kLargestBody || value_size > kLargestBody - change.key.size()) {
            return Failure{ErrorCode::quota, "A key and its value may have " + std::to_string(kLargestBody) +
                                                 " bytes together, and these have more."};
        }
    }
    // Nothing to write where there is nothing to remove.
    if (std::none_of(batch.begin(), batch.end(), [&](const Change& change) {
            return change.stored.has_value() || index_.find(change.key).has_value();
        })) {
        return Done{};
    }
    // A note takes the place of one, and comes with every removal of a session.
    const bool grows = std::any_of(batch.begin(), batch.end(), [](const Change& change) {
        return change.stored.has_value() && !change.key.starts_with(kNoteMark);
    });
    Status appended = grows ? append_in_room(batch) : append(batch);
    if (appended.ok() || broken_ || appended.failure().code != ErrorCode::quota) return appended;
    if (!grows) return erase_in_full_storage(batch);
    // What was removed may have left the room that is missing.
    if (garbage() == 0 || !compact_now().ok()) return appended;
    return append_in_room(batch);
}

Status Engine::append_in_room(const std::vector<Change>& batch) {
    const std::uint64_t bytes = size_of(batch);
    if (claimed_ < bytes) {
        Result<std::uint64_t> room = env_.room(path_);
        if (!room.ok()) return room.failure();
        const std::uint64_t reserved = kHeaderSize + live() + kRemovals;
        // A byte appended takes one of the room, and one more is wanted for the new log.
        if (*room < reserved + 2 * bytes) {
            return Failure{ErrorCode::quota, "There is no room to store " + std::to_string(bytes) + " bytes in " +
                                                 path_ + ": " + std::to_string(*room) + " are left, and " +
                                                 std::to_string(reserved) + " of them are wanted to compact it. What " +
                                                 "was there is unchanged; make room, remove, or prune()."};
        }
        // A part of it only, for others write as well.
        claimed_ = std::max(bytes, (*room - reserved) / 8);
    }
    claimed_ -= bytes;
    return append(batch);
}

Status Engine::append(const std::vector<Change>& batch) {
    std::string bytes;
    bytes.reserve(static_cast<std::size_t>(size_of(batch)));
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const auto& [key, stored] = batch[i];
        const RecordView record = stored ? RecordView{Kind::put, key, stored->value, stored->expires}
                                         : RecordView{Kind::erase, key, {}, kNoExpiry};
        const std::uint64_t unsynced = end_ + bytes.size() - synced_;
        encode_record(record, i + 1 < batch.size(), log_.header.generation, unsynced, bytes);
    }
    Status written = batch.size() == 1 ? append_one(batch.front(), bytes) : append_several(batch, bytes);
    if (!written.ok()) return written;
    last_says_all_ = batch.size() == 1 && synced_ >= records_end_;
    ends_with_mark_ = false;
    ++applied_;
    records_end_ = end_ += bytes.size();
    return Done{};
}

/// Appends the record of a change. Unlike a snapshot, which `append_several` takes, it makes the index copy no nodes.
Status Engine::append_one(const Change& change, std::string_view bytes) {
    const auto& [key, stored] = change;
    if (!stored) {
        index_.prepare_erase(key);
        Status written = append_bytes(bytes);
        if (written.ok()) index_.erase(key);
        return written;
    }
    const std::optional<Place> before = index_.put(key, place_of(*stored, end_));
    OnExit rollback([&, &key = key] { before ? index_.put(key, *before) : index_.erase(key); });
    Status written = append_bytes(bytes);
    if (written.ok()) rollback.dismiss();
    return written;
}

Status Engine::append_several(const std::vector<Change>& batch, std::string_view bytes) {
    Index before = index_;
    OnExit rollback([&] { index_ = std::move(before); });
    std::uint64_t offset = end_;
    for (const Change& change : batch) {
        if (change.stored) {
            index_.put(change.key, place_of(*change.stored, offset));
        } else {
            index_.erase(change.key);
        }
        offset += size_of(change);
    }
    Status written = append_bytes(bytes);
    if (written.ok()) rollback.dismiss();
    return written;
}

/// At the end of the log, which stays where it is.
Status Engine::append_bytes(std::string_view bytes) {
    // There may be no memory to say why the log was not written, or not cut off.
    OnExit breaks([&] { broken_.emplace(Failure{ErrorCode::client, {}}); });
    Status written = log_.file->write(end_, bytes);
    const bool is_whole = written.ok() || log_.file->truncate(end_).ok();
    breaks.dismiss();
    return is_whole ? written : fail(std::move(written.failure()));
}

/// Storage so full that not even a removal can be written may have room for a new log without what is removed.
[[gnu::cold]] Status Engine::erase_in_full_storage(const std::vector<Change>& batch) {
    std::vector<Change> notes;
    std::copy_if(batch.begin(), batch.end(), std::back_inserter(notes),
                 [](const Change& change) { return change.stored.has_value(); });
    compaction_.reset();  // It has some of what is removed.
    Index before = index_;
    OnExit rollback([&] {
        index_ = std::move(before);
        compaction_.reset();
    });
    for (const Change& change : batch) index_.erase(change.key);
    Status compacted = compact_now();
    if (!compacted.ok()) return compacted;
    rollback.dismiss();
    ++applied_;
    // Without the note, what was removed could be removed once more: if it was answered, and the answer lost.
    if (!notes.empty()) if_memory_allows([&] { static_cast<void>(append(notes)); });
    return compacted;
}

Status Engine::clear(std::string_view prefix) {
    return apply(removal_of(without_notes({.prefix = std::string(prefix)})));
}

std::vector<Change> Engine::removal_of(const Range& range) const {
    std::vector<Change> batch;
    for (Scan all = scan(range); all.next();) batch.push_back({std::string(all.key()), std::nullopt});
    return batch;
}

std::vector<Change> Engine::removal_of_expired(std::int64_t now, const Range& range) const {
    std::vector<Change> batch;
    const Bounds bounds = bounds_of(range);
    index_.visit_expired(now, bounds.first, [&](std::string_view key) {
        if (batch.size() == range.limit || !bounds.contains(key)) return false;
        batch.push_back({std::string(key), std::nullopt});
        return true;
    });
    return batch;
}

Result<std::size_t> Engine::evict(std::int64_t now, std::string_view prefix, std::size_t limit) {
    const std::vector<Change> batch =
        removal_of_expired(now, without_notes({.prefix = std::string(prefix), .limit = limit}));
    if (batch.empty()) return std::size_t{0};
    if (Status applied = apply(batch); !applied.ok()) return applied.failure();
    return batch.size();
}

std::int64_t Engine::next_expiry() const { return index_.earliest_expiry(); }

Status Engine::flush() {
    if (broken_) return broken();
    if (flushed_ == applied_) return Done{};
    if (Status may = may_flush(); !may.ok()) return may;
    return end_flush(begin_flush()->sync());
}

std::shared_ptr<File> Engine::begin_flush() {
    flushing_ = {applied_, end_, log_.header.generation};
    return log_.file;
}

/// A system that failed to write something forgets it, and says at the next sync that all is well.
Status Engine::end_flush(Status synced) {
    if (broken_) return broken();
    // A new log, in which all that was flushed before is synced, took the place of the one that was at it.
    if (flushing_.generation != log_.header.generation) return Done{};
    if (!synced.ok()) {
        synced.failure().message += " What was changed since the last flush may or may not be there afterwards.";
        return fail(std::move(synced.failure()));
    }
    flushed_ = flushing_.applied;
    synced_ = flushing_.end;
    // Those that shared the flush are told from a gap by no other record; and nobody may write one before a crash.
    if (!last_says_all_) mark_synced();
    return Done{};
}

void Engine::mark_synced() {
    if_memory_allows([&] {
        if (broken_ || ends_with_mark_ || synced_ != end_ || !lock_->check().ok()) return;
        std::string mark;
        encode_record({Kind::mark, {}, {}, kNoExpiry}, false, log_.header.generation, 0, mark);
        if (!append_bytes(mark).ok()) return;
        end_ += mark.size();
        ends_with_mark_ = true;
    });
}

bool Engine::wants_compaction() const {
    if (broken_) return false;
    return compaction_ != nullptr || (garbage() > garbage_wanted_ && garbage() > live());
}

Status Engine::compact_now() {
    for (;;) {
        Result<bool> more = compact(std::size_t{1} << 20U);
        if (!more.ok()) return more.failure();
        if (!*more) return Done{};
    }
}

Result<bool> Engine::compact(std::size_t bytes) {
    CompactionFiles files;
    Result<bool> more = step_compaction(bytes, files);
    if (!more.ok()) give_up_compaction();
    if (!files.to_sync) return more;
    Status synced = files.to_sync->sync();
    if (synced.ok()) return more;
    give_up_compaction();
    return synced.failure();
}

void Engine::give_up_compaction() {
    compaction_.reset();
    garbage_wanted_ = 2 * garbage();  // Not at once again: most likely it would fail again.
}

Result<bool> Engine::step_compaction(std::size_t bytes, CompactionFiles& files) {
    if (broken_) return broken();
    OnExit gives_up([&] { give_up_compaction(); });
    if (Status held = lock_->check(); !held.ok()) return held.failure();
    if (!compaction_) {
        Result<std::unique_ptr<Compaction>> begun = Compaction::begin(env_, new_path(path_), log_, index_, end_);
        if (!begun.ok()) return begun.failure();
        compaction_ = std::move(*begun);
    } else {
        compaction_->end_sync();
    }
    if (Status copied = compaction_->step(bytes, end_); !copied.ok()) return copied.failure();
    // What was flushed has to be synced, and the rest must not: else whoever writes faster than a disk syncs would keep
    // it from an end.
    const bool is_synced = compaction_->has_synced(synced_);
    if (!is_synced && (compaction_->has(synced_) || compaction_->unsynced() >= kSyncedAtOnce)) {
        files.to_sync = compaction_->begin_sync();
    }
    if (!is_synced || !compaction_->has(end_)) {
        gives_up.dismiss();
        return true;
    }
    if (Status finished = compaction_->finish(path_); !finished.ok()) {
        // The old log is still the log, and appending to it goes on. What refuses to replace it may pass.
        if (finished.failure().code == ErrorCode::unsupported) {
            gives_up.dismiss();
            return finished.failure();
        }
        return fail(std::move(finished.failure())).failure();
    }
    gives_up.dismiss();
    files.replaced = std::exchange(log_, compaction_->log()).file;
    records_end_ = end_ = compaction_->end();
    synced_ = compaction_->synced_end();
    last_says_all_ = compaction_->last_says_all();
    ends_with_mark_ = end_ == kHeaderSize;
    index_ = std::move(compaction_->index());
    compaction_.reset();
    garbage_wanted_ = std::uint64_t{1} << 20U;
    if (!last_says_all_) mark_synced();
    return false;
}

}  // namespace polystore::engine
