#include "polystore/engine/engine.hpp"
#include "polystore/engine/read_value.hpp"

namespace polystore::engine {

Scan::Scan(OpenLog log, Index index, const Range& range)
    : log_(std::move(log)),
      walk_(std::move(index)),
      bounds_(bounds_of(range)),
      left_(range.limit),
      reverse_(range.reverse) {}

void Scan::seek_last() {
    bounds_.end ? walk_.seek(*bounds_.end) : walk_.seek_end();
    walk_.previous();
}

bool Scan::next() {
    if (left_ == 0) return false;
    if (!std::exchange(begun_, true)) {
        reverse_ ? seek_last() : walk_.seek(bounds_.first);
    } else {
        reverse_ ? walk_.previous() : walk_.next();
    }
    const bool found = walk_.on_entry() && bounds_.contains(walk_.key());
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
