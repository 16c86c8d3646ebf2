#pragma once

#include <cstddef>

namespace polystore::testing {

/// As long as one is there, the allocation of this thread that comes after `before` others throws std::bad_alloc: that
/// one alone, or all that follow it as well.
class FailingAllocation {
   public:
    enum class Kind { one, all };

    explicit FailingAllocation(std::size_t before, Kind kind = Kind::one);
    FailingAllocation(const FailingAllocation&) = delete;
    FailingAllocation& operator=(const FailingAllocation&) = delete;
    ~FailingAllocation();

    /// Whether it was reached.
    [[nodiscard]] static bool was_reached();
};

}  // namespace polystore::testing
