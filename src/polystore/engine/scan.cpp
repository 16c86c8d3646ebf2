#include <algorithm>

#include "polystore/engine/engine.hpp"
#include "polystore/engine/read_value.hpp"

namespace polystore::engine {

Range Range::with_prefix(std::string_view prefix) {
    Range range = {.gte = std::string(prefix)};
    // What comes after all of them is the prefix with its last byte increased; a byte 255 cannot be, so it is dropped.
    std::string end(prefix);
    while (!end.empty() && end.back() == '\xFF') end.pop_back();
    if (end.empty()) return range;
    end.back() = static_cast<char>(end.back() + 1);
    range.lt = std::move(end);
    return range;
}

Scan::Scan(OpenLog log, Index index, Range range)
    : log_(std::move(log)), walk_(std::move(index)), range_(std::move(range)), left_(range_.limit) {}

bool Scan::is_past_first() const {
    return (!range_.gte || walk_.key() >= *range_.gte) && (!range_.gt || walk_.key() > *range_.gt);
}

bool Scan::is_before_end() const {
    return (!range_.lte || walk_.key() <= *range_.lte) && (!range_.lt || walk_.key() < *range_.lt);
}

void Scan::seek_first() {
    walk_.seek(std::max(range_.gte.value_or(""), range_.gt.value_or("")));
    if (walk_.on_entry() && !is_past_first()) walk_.next();
}

void Scan::seek_last() {
    walk_.seek_end();
    if (range_.lte) walk_.seek(*range_.lte);
    if (range_.lt && (!range_.lte || *range_.lt < *range_.lte)) walk_.seek(*range_.lt);
    if (!walk_.on_entry() || !is_before_end()) walk_.previous();
}

bool Scan::next() {
    if (left_ == 0) return false;
    if (!std::exchange(begun_, true)) {
        range_.reverse ? seek_last() : seek_first();
    } else {
        range_.reverse ? walk_.previous() : walk_.next();
    }
    const bool found = walk_.on_entry() && (range_.reverse ? is_past_first() : is_before_end());
    left_ = found ? left_ - 1 : 0;
    return found;
}

Result<std::string_view> Scan::read() { return read_value(log_, walk_.key(), walk_.place(), buffer_); }

}  // namespace polystore::engine
