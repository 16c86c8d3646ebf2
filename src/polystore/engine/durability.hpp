#pragma once

#include <cstdint>

namespace polystore::engine {

/// When a change is acknowledged.
enum class Durability : std::uint8_t {
    strict,   ///< When a power failure cannot undo it any more.
    relaxed,  ///< When a crash of the process cannot. A power failure undoes the last second, at most.
};

}  // namespace polystore::engine
