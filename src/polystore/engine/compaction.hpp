#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "polystore/engine/engine.hpp"

namespace polystore::engine {

/// A new log that is to take the place of an old one. First it gets what the old one held when this began, in the order
/// of the keys, then the batches that came since; so it is never finished while writes outrun it. What was flushed in
/// the old log is synced in the new one before that takes its place.
class Compaction {
   public:
    /// `index` and `end` are those of `old_log` now. The new log is at `path`.
    [[nodiscard]] static Result<std::unique_ptr<Compaction>> begin(Env& env, std::string path, OpenLog old_log,
                                                                   Index index, std::uint64_t end);

    Compaction(const Compaction&) = delete;
    Compaction& operator=(const Compaction&) = delete;
    /// Removes the new log, unless it has its place.
    ~Compaction();

    /// Copies some `bytes`, of what is before `end` in the old log.
    Status step(std::size_t bytes, std::uint64_t end);

    /// Whether the new log has all of the old one that is before `end`.
    [[nodiscard]] bool has(std::uint64_t end) const { return !entries_ && old_end_ >= end; }

    /// How many bytes of the new log are not known to be synced.
    [[nodiscard]] std::uint64_t unsynced() const { return new_end_ - synced_.new_end; }

    /// Whether all of that is synced, too.
    [[nodiscard]] bool has_synced(std::uint64_t end) const { return synced_.old_end >= end; }

    /// The new log, to be synced, and to be called when it is.
    [[nodiscard]] std::shared_ptr<File> begin_sync();
    void end_sync() { synced_ = syncing_; }

    /// Lets the new log, which has all, take the place of the one at `path`. When that fails, either may be there.
    Status finish(const std::string& path);

    // The new log: where it ends, up to where it is synced, and whether its last record says that all others are.
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
    std::unique_ptr<Scan> entries_;  ///< Null when all are copied.
    Index::Builder new_entries_;
    std::uint64_t old_end_;  ///< Up to where batches are copied.
    OpenLog new_log_;
    std::uint64_t new_end_ = 0;
    Index new_index_;
    /// Up to where both logs say the same.
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
