#include <algorithm>

#include "polystore/engine/engine.hpp"
#include "polystore/engine/notes.hpp"
#include "polystore/engine/read_value.hpp"

namespace polystore::engine {

namespace {

bool is_past_first(const Range& range, std::string_view key) {
    return (!range.gte || key >= *range.gte) && (!range.gt || key > *range.gt);
}

bool is_before_end(const Range& range, std::string_view key) {
    return (!range.lte || key <= *range.lte) && (!range.lt || key < *range.lt);
}

}  // namespace

Range Range::with_prefix(std::string_view prefix) {
    Range range = {.gte = std::string(prefix)};
    // The upper bound is the prefix with its last byte increased. A byte 255 cannot be increased, so it is removed.
    std::string end(prefix);
    while (!end.empty() && end.back() == '\xFF') end.pop_back();
    if (end.empty()) {
        if (prefix.empty()) range.lt = std::string(1, kNoteMark);
        return range;
    }
    end.back() = static_cast<char>(end.back() + 1);
    range.lt = std::move(end);
    return range;
}

bool Range::contains(std::string_view key) const { return is_past_first(*this, key) && is_before_end(*this, key); }

Scan::Scan(OpenLog log, Index index, Range range)
    : log_(std::move(log)), walk_(std::move(index)), range_(std::move(range)), left_(range_.limit) {}

void Scan::seek_first() {
    walk_.seek(std::max(range_.gte.value_or(""), range_.gt.value_or("")));
    if (walk_.on_entry() && !is_past_first(range_, walk_.key())) walk_.next();
}

void Scan::seek_last() {
    walk_.seek_end();
    if (range_.lte) walk_.seek(*range_.lte);
    if (range_.lt && (!range_.lte || *range_.lt < *range_.lte)) walk_.seek(*range_.lt);
    if (!walk_.on_entry() || !is_before_end(range_, walk_.key())) walk_.previous();
}

bool Scan::next() {
    if (left_ == 0) return false;
    if (!std::exchange(begun_, true)) {
        range_.reverse ? seek_last() : seek_first();
    } else {
        range_.reverse ? walk_.previous() : walk_.next();
    }
    const bool found =
        walk_.on_entry() && (range_.reverse ? is_past_first(range_, walk_.key()) : is_before_end(range_, walk_.key()));
    left_ = found ? left_ - 1 : 0;
    if (found) expect_values();
    return found;
}

/// Records lie in the order in which they were written. Without prefetching, the scan would wait for each of them.
void Scan::expect_values() {
    constexpr std::size_t kAhead = 16;
    for (std::size_t ahead = walk_.on_first_of_node() ? 1 : kAhead; ahead <= kAhead; ++ahead) {
        const std::optional<Place> place = walk_.place_ahead(ahead);
        if (!place) return;
        expect_value(log_, walk_.key(), *place);
    }
}

Result<std::string_view> Scan::read(std::string& buffer) const {
    return read_value(log_, walk_.key(), walk_.place(), buffer);
}

}  // namespace polystore::engine
