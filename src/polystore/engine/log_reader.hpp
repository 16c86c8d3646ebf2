#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "polystore/engine/env.hpp"
#include "polystore/engine/log_format.hpp"

namespace polystore::engine {

/// Reads the records of a log in order and checks each.
class LogReader {
   public:
    enum class Found : std::uint8_t { record, end, no_record };

    /// Reads `file`, which is `size` bytes long, from `offset` on.
    LogReader(File& file, const Header& header, std::uint64_t offset, std::uint64_t size)
        : file_(file), header_(header), offset_(offset), size_(size) {}

    /// Reads the record at `offset()` and moves behind it. If there is no valid record, the offset stays.
    [[nodiscard]] Result<Found> next();

    /// The record that was found, valid until the next call, and its offset.
    [[nodiscard]] const RecordView& record() const { return record_; }
    [[nodiscard]] std::uint64_t record_offset() const { return record_offset_; }
    /// True if the record is not the last of its batch.
    [[nodiscard]] bool follows() const { return follows_; }

    /// The end of the last record found.
    [[nodiscard]] std::uint64_t offset() const { return offset_; }

    /// True if the invalid bytes at `offset()` are explained by an interrupted write (a truncated tail, or a gap of
    /// unsynced data); false if a complete record was damaged. Reads everything that follows.
    [[nodiscard]] Result<bool> is_torn();

    /// Moves from invalid bytes to the next valid record, or to the end.
    Status skip_damage();

   private:
    // Creating a `Result` takes as long as reading a record, so these two read from the window without one.
    [[nodiscard]] bool sees(std::uint64_t offset, std::uint64_t length) const {
        return offset >= window_offset_ && offset + length <= window_offset_ + window_.size();
    }
    [[nodiscard]] std::string_view seen(std::uint64_t offset, std::uint64_t length) const {
        return window_.substr(static_cast<std::size_t>(offset - window_offset_), static_cast<std::size_t>(length));
    }
    /// Moves the window so that it begins at `offset`.
    Status look(std::uint64_t offset, std::uint64_t length);
    [[nodiscard]] Result<std::string_view> bytes(std::uint64_t offset, std::uint64_t length);
    struct Whole {
        std::uint64_t offset;
        std::uint64_t end;
        std::uint32_t unsynced;
    };
    [[nodiscard]] Result<std::optional<Whole>> first_whole_from(std::uint64_t offset);

    File& file_;
    Header header_;
    std::uint64_t offset_;
    std::uint64_t size_;
    RecordView record_;
    std::uint64_t record_offset_ = 0;
    bool follows_ = false;
    std::string buffer_;
    // A part of the file, so that not every record costs a read call.
    std::string_view window_;
    std::uint64_t window_offset_ = 0;
};

}  // namespace polystore::engine
