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

namespace polystore::engine {

class Compaction;

/// A value, and when it expires: milliseconds since the epoch, or `kNoExpiry`.
struct Stored {
    std::string value;
    std::int64_t expires = kNoExpiry;
};

/// A change to one key: its new value, or none.
struct Change {
    std::string key;
    std::optional<Stored> stored;
};

/// What a scan goes through: the keys, by their bytes, within all bounds that are given.
struct Range {
    std::optional<std::string> gte = {};
    std::optional<std::string> gt = {};
    std::optional<std::string> lte = {};
    std::optional<std::string> lt = {};
    std::size_t limit = static_cast<std::size_t>(-1);
    bool reverse = false;

    /// The keys that begin with `prefix`. Those of notes (notes.hpp) do not begin with the empty one.
    [[nodiscard]] static Range with_prefix(std::string_view prefix);

    /// Whether a key is within the bounds.
    [[nodiscard]] bool contains(std::string_view key) const;
};

/// A log that is open, and where it lies: what places are places in.
struct OpenLog {
    std::shared_ptr<File> file;
    Header header;
};

/// Goes through a range as it was when the scan began, whatever is written, removed or compacted meanwhile.
class Scan {
   public:
    Scan(OpenLog log, Index index, Range range);

    /// Whether there is another entry, which `key`, `expires` and `read` then speak of.
    [[nodiscard]] bool next();

    /// Valid as long as the scan.
    [[nodiscard]] std::string_view key() const { return walk_.key(); }
    [[nodiscard]] std::int64_t expires() const { return walk_.place().expires; }

    /// The value: in `buffer`, or in memory that is valid as long as the scan. Fails with ERR_CORRUPT if the record was
    /// damaged since the log was opened.
    [[nodiscard]] Result<std::string_view> read(std::string& buffer) const;

   private:
    void seek_first();
    void seek_last();
    void expect_values();

    OpenLog log_;
    Index::Walk walk_;
    Range range_;
    std::size_t left_;
    bool begun_ = false;
};

/// An ordered key-value store in one file: the log of its changes (log_format.hpp), with an index in memory of where
/// the values lie.
///
/// Crashes: after one, the log holds every batch that a `flush` covered and, of those after it, any number from the
/// first on; each whole. A write that fails with ERR_QUOTA has changed nothing. When the storage fails in a way after
/// which nobody can know what it holds, every later write fails; reads go on, and opening the log anew finds out.
///
/// Memory: where there is none, a call throws std::bad_alloc and has changed nothing, in the log or in memory.
///
/// Threads: one at a time; shared_engine.hpp is for many.
class Engine {
   public:
    /// Opens the log at `path`, or makes one, and keeps others away: `path + ".lock"` is the lock. Cuts off what a
    /// crash left half written at the end. Fails with ERR_CORRUPT, and the offset, where a record in the middle is
    /// damaged; then the file is left as it is, for `salvage`.
    [[nodiscard]] static Result<std::unique_ptr<Engine>> open(Env& env, const std::string& path);

    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    /// Does not flush.
    ~Engine();

    /// What is stored at `key`, expired or not: its value into `value`, and when it expires; nothing if there is none.
    /// Fails with ERR_CORRUPT as `Scan::read`.
    [[nodiscard]] Result<std::optional<std::int64_t>> get(std::string_view key, std::string& value);

    /// When the first of all keys expires; `kNoExpiry` if none does.
    [[nodiscard]] std::int64_t next_expiry() const;

    /// Whether there is something at `key`, and when that expires. Reads no file.
    [[nodiscard]] std::optional<std::int64_t> expiry_of(std::string_view key) const;

    /// Makes all of these changes, or none. ERR_QUOTA if there is no room, also for a change larger than a log can
    /// hold. A value needs room for a whole new log besides: so that in full storage what is removed can be, and
    /// compaction makes room of it.
    Status apply(const std::vector<Change>& batch);

    [[nodiscard]] Scan scan(Range range) const;

    [[nodiscard]] std::size_t size() const { return index_.size(); }

    /// Removes the keys that begin with `prefix`: all of them, or none.
    Status clear(std::string_view prefix);

    /// What removes the keys of a range.
    [[nodiscard]] std::vector<Change> removal_of(Range range) const;

    /// What removes the keys within the bounds of a range that have expired by `now`: its limit of them at most. It
    /// looks at no key that has not expired.
    [[nodiscard]] std::vector<Change> removal_of_expired(std::int64_t now, const Range& range) const;

    /// Removes the keys that begin with `prefix` and have expired by `now`, `limit` of them at most; gives how many.
    Result<std::size_t> evict(std::int64_t now, std::string_view prefix = {},
                              std::size_t limit = static_cast<std::size_t>(-1));

    /// Returns once every batch applied before it outlasts a power failure.
    Status flush();

    /// Fails if no more can be written: after a failure of the storage, or because another has the log.
    [[nodiscard]] Status writable() const;

    // For whoever lets many writers share one flush: how many batches were applied and how many of those are flushed,
    // and what a flush does before and after it syncs the file. There is one at a time; all else may be called
    // meanwhile. After one that failed, none that is made later counts.
    [[nodiscard]] std::uint64_t applied() const { return applied_; }
    [[nodiscard]] std::uint64_t flushed() const { return flushed_; }
    [[nodiscard]] std::shared_ptr<File> begin_flush();
    Status end_flush(Status synced);

    /// Writes into the log that all of it is synced, if it is and the log does not end with a mark: what is damaged
    /// from then on is not taken for what a power failure left out. For whoever closes it, after a flush. If it cannot
    /// be written, nothing is lost.
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
    /// The bytes of the records that the index leads to, and of the others.
    [[nodiscard]] std::uint64_t live() const { return index_.size() * kHeadSize + index_.bytes(); }
    [[nodiscard]] std::uint64_t garbage() const { return end_ - kHeaderSize - live(); }

    Env& env_;
    std::string path_;
    std::unique_ptr<Lock> lock_;
    OpenLog log_;
    std::uint64_t end_ = 0;  ///< Of the log: where the next batch goes.
    Index index_;
    std::uint64_t synced_ = 0;                 ///< Up to where it is known to be.
    std::uint64_t records_end_ = kHeaderSize;  ///< Of the last record that is no mark.
    bool ends_with_mark_ = true;               ///< Or has no record.
    bool last_says_all_ = true;                ///< Whether the last record says of all others that they are synced.
    std::uint64_t applied_ = 0;
    std::uint64_t flushed_ = 0;
    struct {
        std::uint64_t applied = 0;
        std::uint64_t end = 0;
        std::uint64_t generation = 0;  ///< Of the log, which a compaction may replace meanwhile.
    } flushing_;                       ///< What the flush that is under way covers.
    std::optional<Failure> broken_;    ///< Without a message where there was no memory for one.
    std::unique_ptr<Compaction> compaction_;
    std::uint64_t claimed_ = 0;  ///< The bytes that may be appended before it is looked again how much room there is.
    std::uint64_t garbage_wanted_ = std::uint64_t{1} << 20U;
};

}  // namespace polystore::engine
