#include "polystore/engine/log_reader.hpp"

#include <algorithm>

namespace polystore::engine {
namespace {

constexpr std::uint64_t kWindow = 1 << 18;
/// Disks write a sector as a whole.
constexpr std::uint64_t kSector = 512;

}  // namespace

Status LogReader::look(std::uint64_t offset, std::uint64_t length) {
    const std::uint64_t ahead = std::min(std::max(length, kWindow), size_ - offset);
    Result<std::string_view> window = file_.read(offset, static_cast<std::size_t>(ahead), buffer_);
    if (!window.ok()) return window.failure();
    window_ = *window;
    window_offset_ = offset;
    return Done{};
}

Result<std::string_view> LogReader::bytes(std::uint64_t offset, std::uint64_t length) {
    if (!sees(offset, length)) {
        if (Status looked = look(offset, length); !looked.ok()) return looked.failure();
    }
    return seen(offset, length);
}

Result<LogReader::Found> LogReader::next() {
    if (offset_ == size_) return Found::end;
    const std::uint64_t left = size_ - offset_;
    const std::size_t head_size = header_.head_size();
    if (left < head_size) return Found::no_record;
    if (!sees(offset_, head_size)) {
        if (Status looked = look(offset_, head_size); !looked.ok()) return looked.failure();
    }
    const std::optional<Head> head = decode_head(seen(offset_, head_size), header_);
    if (!head) return Found::no_record;
    const std::uint64_t record_size = head_size + head->body_size();
    if (record_size > left) return Found::no_record;
    if (!sees(offset_, record_size)) {
        if (Status looked = look(offset_, record_size); !looked.ok()) return looked.failure();
    }
    const std::string_view body = seen(offset_ + head_size, head->body_size());
    if (!is_whole(*head, body)) return Found::no_record;
    record_ = record_of(*head, body);
    record_offset_ = offset_;
    follows_ = head->follows;
    offset_ += record_size;
    return Found::record;
}

/// A power failure may leave an incomplete record, or a gap, but only in unsynced data. It may also leave sectors that
/// were never written, which read as zeros, after all valid records.
Result<bool> LogReader::is_torn() {
    const std::uint64_t left = size_ - offset_;
    const std::size_t head_size = header_.head_size();
    if (left < head_size) return true;
    Result<std::string_view> head_bytes = bytes(offset_, head_size);
    if (!head_bytes.ok()) return head_bytes.failure();
    const std::optional<Head> head = decode_head(*head_bytes, header_);
    if (head && head->body_size() > left - head_size) return true;

    bool is_gap = false;
    for (std::uint64_t from = offset_ + 1;; is_gap = true) {
        Result<std::optional<Whole>> whole = first_whole_from(from);
        if (!whole.ok()) return whole.failure();
        if (!*whole) break;
        if ((*whole)->unsynced < (*whole)->offset - offset_) return false;
        from = (*whole)->end;
    }
    if (is_gap) return true;
    for (std::uint64_t sector = offset_ / kSector * kSector; sector < size_; sector += kSector) {
        const std::uint64_t begin = std::max(sector, offset_);
        Result<std::string_view> part = bytes(begin, std::min(sector + kSector, size_) - begin);
        if (!part.ok()) return part.failure();
        if (part->find_first_not_of('\0') == std::string_view::npos) return true;
    }
    return false;
}

/// Returns the first valid record that begins at `offset` or later.
Result<std::optional<LogReader::Whole>> LogReader::first_whole_from(std::uint64_t offset) {
    const std::size_t head_size = header_.head_size();
    for (std::uint64_t i = offset; i + head_size <= size_; ++i) {
        Result<std::string_view> head_bytes = bytes(i, head_size);
        if (!head_bytes.ok()) return head_bytes.failure();
        const std::optional<Head> head = decode_head(*head_bytes, header_);
        if (!head || head->body_size() > size_ - i - head_size) continue;
        Result<std::string_view> body = bytes(i + head_size, head->body_size());
        if (!body.ok()) return body.failure();
        if (is_whole(*head, *body)) return std::optional(Whole{i, i + head_size + body->size(), head->unsynced});
    }
    return std::optional<Whole>();
}

Status LogReader::skip_damage() {
    Result<std::optional<Whole>> next = first_whole_from(offset_ + 1);
    if (!next.ok()) return next.failure();
    offset_ = *next ? (*next)->offset : size_;
    return Done{};
}

}  // namespace polystore::engine
