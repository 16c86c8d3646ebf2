#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "polystore/engine/engine.hpp"

namespace polystore::engine {

/// A new log that is to replace an old one. First it receives the old log's contents of the moment of `begin`, in the
/// order of the keys, then the batches that were written since. It is therefore never finished while writes are faster
/// than it. Everything that was flushed in the old log is synced in the new one before the replacement.
class Compaction {
   public:
    /// `index` and `end` are the current ones of `old_log`. The new log is created at `path`.
    [[nodiscard]] static Result<std::unique_ptr<Compaction>> begin(Env& env, std::string path, OpenLog old_log,
                                                                   Index index, std::uint64_t end);

    Compaction(const Compaction&) = delete;
    Compaction& operator=(const Compaction&) = delete;
    /// Removes the new log, unless it has replaced the old one.
    ~Compaction();

    /// Copies about `bytes` of the records before `end` in the old log, or fewer if they are many small ones.
    Status step(std::size_t bytes, std::uint64_t end);

    /// True if the new log contains everything before `end` in the old log.
    [[nodiscard]] bool has(std::uint64_t end) const { return !entries_ && old_end_ >= end; }

    /// The number of bytes of the new log that are not known to be synced.
    [[nodiscard]] std::uint64_t unsynced() const { return new_end_ - synced_.new_end; }

    /// True if everything before `end` in the old log is synced in the new one.
    [[nodiscard]] bool has_synced(std::uint64_t end) const { return synced_.old_end >= end; }

    /// Returns the new log for the caller to sync. The caller then calls `end_sync`.
    [[nodiscard]] std::shared_ptr<File> begin_sync();
    void end_sync() { synced_ = syncing_; }

    /// Moves the complete new log to `path`, where it replaces the old one. If this fails, either log may be at `path`.
    Status finish(const std::string& path);

    // The new log, its end, the end of its synced part, and whether its last record marks all others as synced.
    [[nodiscard]] OpenLog log() const { return new_log_; }
    [[nodiscard]] std::uint64_t end() const { return new_end_; }
    [[nodiscard]] std::uint64_t synced_end() const { return synced_.new_end; }
    [[nodiscard]] bool last_says_all() const { return last_unsynced_ == 0; }
    [[nodiscard]] Index& index() { return new_index_; }

   private:
    Compaction(Env& env, std::string path, OpenLog old_log, Index index, std::uint64_t end);

    Status copy_entries(std::size_t bytes);
    Status copy_batches(std::size_t bytes, std::uint64_t end);
    void copy(const RecordView& record, bool follows, std::uint64_t unsynced);
    Status write();

    Env& env_;
    std::string path_;
    OpenLog old_log_;
    std::unique_ptr<Scan> entries_;  ///< Null once all entries are copied.
    Index::Builder new_entries_;
    std::uint64_t old_end_;  ///< Batches before this offset are copied.
    OpenLog new_log_;
    std::uint64_t new_end_ = 0;
    Index new_index_;
    /// Two offsets before which both logs have the same contents.
    struct Reached {
        std::uint64_t old_end = 0;  ///< 0 while entries are copied.
        std::uint64_t new_end = 0;
    };
    Reached synced_;
    Reached syncing_;
    std::uint64_t last_unsynced_ = 0;
    std::string buffer_;
    bool finished_ = false;
};

}  // namespace polystore::engine
