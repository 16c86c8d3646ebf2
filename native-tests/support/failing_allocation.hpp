#pragma once

#include <cstddef>

namespace polystore::testing {

/// While this object exists, the allocation of this thread that follows `before` others throws std::bad_alloc: only
/// that one, or it and all later ones.
class FailingAllocation {
   public:
    enum class Kind { one, all };

    explicit FailingAllocation(std::size_t before, Kind kind = Kind::one);
    FailingAllocation(const FailingAllocation&) = delete;
    FailingAllocation& operator=(const FailingAllocation&) = delete;
    ~FailingAllocation();

    /// True if that allocation was reached.
    [[nodiscard]] static bool was_reached();
};

}  // namespace polystore::testing
