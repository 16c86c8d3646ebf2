#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "polystore/engine/env.hpp"
#include "polystore/engine/index.hpp"
#include "polystore/engine/log_format.hpp"
#include "polystore/range.hpp"

namespace polystore::engine {

class Compaction;

/// A value and its expiry in milliseconds since the epoch, or `kNoExpiry`.
struct Stored {
    std::string value;
    std::int64_t expires = kNoExpiry;
};

/// A change to one key: its new value, or `std::nullopt` to remove the key.
struct Change {
    std::string key;
    std::optional<Stored> stored;
};

/// An open log and its header. Every `Place` refers to a position in one such log.
struct OpenLog {
    std::shared_ptr<File> file;
    Header header;
};

/// Iterates over a range as it was when the scan began. Later writes, removals and compactions do not affect it.
class Scan {
   public:
    Scan(OpenLog log, Index index, const Range& range);

    /// Moves to the next entry, to which `key`, `expires` and `read` then refer. Returns false at the end.
    [[nodiscard]] bool next();

    /// Valid as long as the scan.
    [[nodiscard]] std::string_view key() const { return walk_.key(); }
    [[nodiscard]] std::int64_t expires() const { return walk_.place().expires; }

    /// Returns the value, in `buffer` or in memory that is valid as long as the scan. Fails with ERR_CORRUPT if the
    /// record was damaged since the log was opened.
    [[nodiscard]] Result<std::string_view> read(std::string& buffer) const;

   private:
    void seek_last();
    void expect_values();

    OpenLog log_;
    Index::Walk walk_;
    Bounds bounds_;
    std::size_t left_;
    bool reverse_;
    bool begun_ = false;
};

/// An ordered key-value store in one file: the log of its changes (log_format.hpp), with an index in memory that holds
/// the place of each value.
///
/// Crashes: after a crash, the log holds every batch that a `flush` covered, followed by any number of the next
/// batches, without a gap. Each batch is there as a whole. A write that fails with ERR_QUOTA has changed nothing. If
/// the storage fails so that its contents are uncertain, every later write fails. Reads continue, and opening the log
/// again resolves the uncertainty.
///
/// Memory: if a call has too little memory, it throws std::bad_alloc and has changed nothing, in the log or in memory.
///
/// Threads: one at a time. Use shared_engine.hpp for several.
class Engine {
   public:
    /// Opens the log at `path` or creates it, and locks it. Truncates an incomplete write at the end that a crash left.
    /// Fails with ERR_CORRUPT and the offset if a record in the middle is damaged. The file is then left unchanged for
    /// `salvage`.
    [[nodiscard]] static Result<std::unique_ptr<Engine>> open(Env& env, const std::string& path);

    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    /// Does not flush.
    ~Engine();

    /// Copies the value at `key`, expired or not, to `value` and returns its expiry; `std::nullopt` if the key does not
    /// exist. Fails with ERR_CORRUPT like `Scan::read`.
    [[nodiscard]] Result<std::optional<std::int64_t>> get(std::string_view key, std::string& value);

    /// The earliest expiry of all keys; `kNoExpiry` if no key expires.
    [[nodiscard]] std::int64_t next_expiry() const;

    /// Returns the expiry of `key`, or `std::nullopt` if the key does not exist. Does not read the file.
    [[nodiscard]] std::optional<std::int64_t> expiry_of(std::string_view key) const;

    /// Makes all of these changes, or none of them. Fails with ERR_QUOTA if there is not enough room, or if a change is
    /// larger than a log can hold. Writing a value requires free room for a whole new log besides. In full storage,
    /// keys can therefore still be removed, and compaction can free their room.
    Status apply(const std::vector<Change>& batch);

    [[nodiscard]] Scan scan(const Range& range) const;

    [[nodiscard]] std::size_t size() const { return index_.size(); }

    /// Removes all keys that begin with `prefix`, or none of them.
    Status clear(std::string_view prefix);

    /// Returns the changes that remove the keys of a range.
    [[nodiscard]] std::vector<Change> removal_of(const Range& range) const;

    /// Returns the changes that remove the keys of a range that have expired by `now`, at most as many as its limit.
    /// Keys that have not expired are not visited.
    [[nodiscard]] std::vector<Change> removal_of_expired(std::int64_t now, const Range& range) const;

    /// Removes at most `limit` keys that begin with `prefix` and have expired by `now`, and returns their number.
    Result<std::size_t> evict(std::int64_t now, std::string_view prefix = {},
                              std::size_t limit = static_cast<std::size_t>(-1));

    /// Returns once a power failure cannot undo any batch that was applied before the call.
    Status flush();

    /// Fails if no more can be written, because the storage failed or another process has taken the log.
    [[nodiscard]] Status writable() const;

    /// The same, but looks at the lock in any case. For a caller of `begin_flush`: what is written to a log that
    /// another process has taken must not be acknowledged.
    [[nodiscard]] Status may_flush() const;

    // For a caller that lets many writers share one flush. These are the number of applied batches, the number of
    // flushed ones, and the steps of a flush before and after the caller syncs the file. Only one flush at a time is
    // allowed, and everything else may be called meanwhile. After a failed flush, later ones fail too.
    [[nodiscard]] std::uint64_t applied() const { return applied_; }
    [[nodiscard]] std::uint64_t flushed() const { return flushed_; }
    [[nodiscard]] std::shared_ptr<File> begin_flush();
    Status end_flush(Status synced);

    /// Writes a mark that the whole log is synced, if it is and does not end with a mark already. Later damage is then
    /// not mistaken for unsynced data that a power failure lost. For a caller that closes the log after a flush. If the
    /// mark cannot be written, nothing is lost.
    void mark_synced();

    /// Whether more than half of the file, and more than a megabyte, is what is no longer so.
    [[nodiscard]] bool wants_compaction() const;

    /// Goes on with compaction, or begins it: copies `bytes` of records, roughly, to the new log, which takes the place
    /// of the old one when it has all. Gives whether there is more to do. Between two steps everything may be called.
    /// A failure ends the compaction, and what is stored is as it was.
    Result<bool> compact(std::size_t bytes);

    // For whoever lets others go on while the new log is synced, which then happens a megabyte at a time: a step, the
    // next of which says that what the one before gave was synced; and what to call where it was not. Meanwhile all
    // else may be called; but after a flush it has to be synced once more before it can take the place of the old one.
    // A step that fails with ERR_UNSUPPORTED was kept from replacing the old log: the next one tries that again.
    struct CompactionFiles {
        std::shared_ptr<File> to_sync = {};   ///< If any, before the next step.
        std::shared_ptr<File> replaced = {};  ///< The old log at the end. To let go of a large file takes its time.
    };
    Result<bool> step_compaction(std::size_t bytes, CompactionFiles& files);
    void give_up_compaction();

   private:
    Engine(Env& env, std::string path, std::unique_ptr<Lock> lock);

    Status make_log();
    Status replay();
    Status convert();
    Status append(const std::vector<Change>& batch);
    Status append_one(const Change& change, std::string_view bytes);
    Status append_several(const std::vector<Change>& batch, std::string_view bytes);
    Status append_in_room(const std::vector<Change>& batch);
    Status append_bytes(std::string_view bytes);
    Status erase_in_full_storage(const std::vector<Change>& batch);
    Status compact_now();
    Status fail(Failure failure);
    [[nodiscard]] Failure broken() const;
    /// The bytes of the records that the index refers to, and those of all other records.
    [[nodiscard]] std::uint64_t live() const { return index_.size() * kHeadSize + index_.bytes(); }
    [[nodiscard]] std::uint64_t garbage() const { return end_ - kHeaderSize - live(); }

    Env& env_;
    std::string path_;
    std::unique_ptr<Lock> lock_;
    OpenLog log_;
    std::uint64_t end_ = 0;  ///< The end of the log, where the next batch is written.
    Index index_;
    std::uint64_t synced_ = 0;                 ///< Everything before this offset is known to be synced.
    std::uint64_t records_end_ = kHeaderSize;  ///< The end of the last record that is not a mark.
    bool ends_with_mark_ = true;               ///< Also true if the log has no record.
    bool last_says_all_ = true;  ///< True if the last record's `unsynced` field already covers every earlier record.
    std::uint64_t applied_ = 0;
    std::uint64_t flushed_ = 0;
    struct {
        std::uint64_t applied = 0;
        std::uint64_t end = 0;
        std::uint64_t generation = 0;  ///< The log's generation. A compaction may replace the log meanwhile.
    } flushing_;                       ///< The batches that the flush in progress covers.
    std::optional<Failure> broken_;    ///< The message is empty if there was no memory for it.
    std::unique_ptr<Compaction> compaction_;
    std::uint64_t claimed_ = 0;  ///< The bytes that may be appended before the free room is checked again.
    std::uint64_t garbage_wanted_ = std::uint64_t{1} << 20U;
};

}  // namespace polystore::engine
