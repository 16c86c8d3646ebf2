#include "polystore/engine/log_reader.hpp"

#include <algorithm>

namespace polystore::engine {
namespace {

constexpr std::uint64_t kWindow = 1 << 18;
/// What a disk writes as a whole.
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
    if (left < kHeadSize) return Found::torn;
    if (!sees(offset_, kHeadSize)) {
        if (Status looked = look(offset_, kHeadSize); !looked.ok()) return looked.failure();
    }
    const std::optional<Head> head = decode_head(seen(offset_, kHeadSize), generation_);
    if (!head) return what_is_no_record();
    if (head->record_size() > left) return Found::torn;
    if (!sees(offset_, head->record_size())) {
        if (Status looked = look(offset_, head->record_size()); !looked.ok()) return looked.failure();
    }
    const std::optional<RecordView> record = decode_body(*head, seen(offset_ + kHeadSize, head->body_size()));
    if (!record) return what_is_no_record();
    record_ = *record;
    record_offset_ = offset_;
    follows_ = head->follows;
    offset_ += head->record_size();
    return Found::record;
}

/// A crash may leave sectors that were never written, which read as zeros: but only where nothing whole comes after.
Result<LogReader::Found> LogReader::what_is_no_record() {
    Result<std::uint64_t> next = next_record_after(offset_);
    if (!next.ok()) return next.failure();
    if (*next != size_) return Found::damaged;
    for (std::uint64_t sector = offset_ / kSector * kSector; sector < size_; sector += kSector) {
        const std::uint64_t begin = std::max(sector, offset_);
        Result<std::string_view> part = bytes(begin, std::min(sector + kSector, size_) - begin);
        if (!part.ok()) return part.failure();
        if (part->find_first_not_of('\0') == std::string_view::npos) return Found::torn;
    }
    return Found::damaged;
}

/// The offset of the first whole record beyond `offset`; the size of the log if there is none.
Result<std::uint64_t> LogReader::next_record_after(std::uint64_t offset) {
    for (std::uint64_t i = offset + 1; i + kHeadSize <= size_; ++i) {
        Result<std::string_view> head_bytes = bytes(i, kHeadSize);
        if (!head_bytes.ok()) return head_bytes.failure();
        const std::optional<Head> head = decode_head(*head_bytes, generation_);
        if (!head || head->record_size() > size_ - i) continue;
        Result<std::string_view> body = bytes(i + kHeadSize, head->body_size());
        if (!body.ok()) return body.failure();
        if (decode_body(*head, *body)) return i;
    }
    return size_;
}

Status LogReader::skip_damage() {
    Result<std::uint64_t> next = next_record_after(offset_);
    if (!next.ok()) return next.failure();
    offset_ = *next;
    return Done{};
}

}  // namespace polystore::engine
