#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "polystore/engine/engine.hpp"

namespace polystore::engine {

/// A new log that is to take the place of an old one. First it gets what the old one held when this began, in the order
/// of the keys, then the batches that came since; so it is never finished while writes outrun it.
class Compaction {
   public:
    /// `index` and `end` are those of `old_log` now. The new log is at `path`.
    [[nodiscard]] static Result<std::unique_ptr<Compaction>> begin(Env& env, std::string path, OpenLog old_log,
                                                                   Index index, std::uint64_t end);

    Compaction(const Compaction&) = delete;
    Compaction& operator=(const Compaction&) = delete;
    /// Removes the new log, unless it has its place.
    ~Compaction();

    /// Copies some `bytes`; gives whether the new log then has all that the old one, which ends at `end`, has.
    Result<bool> step(std::size_t bytes, std::uint64_t end);

    /// Lets the new log, which has all, take the place of the one at `path`. When that fails with `replacing` set,
    /// either may be there.
    Status finish(const std::string& path, bool& replacing);

    // The new log.
    [[nodiscard]] OpenLog log() const { return new_log_; }
    [[nodiscard]] std::uint64_t end() const { return new_end_; }
    [[nodiscard]] Index& index() { return new_index_; }

   private:
    Compaction(Env& env, std::string path, OpenLog old_log, Index index, std::uint64_t end);

    Status copy_entries(std::size_t bytes);
    Status copy_batches(std::size_t bytes, std::uint64_t end);
    void copy(const RecordView& record, bool follows);
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
    std::string buffer_;
    bool finished_ = false;
};

}  // namespace polystore::engine
