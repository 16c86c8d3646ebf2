#pragma once

#include <cstdint>

namespace polystore::engine {

/// The moment when a change is acknowledged.
enum class Durability : std::uint8_t {
    strict,   ///< Acknowledged once a power failure cannot undo it any more.
    relaxed,  ///< Acknowledged once a crash of the process cannot undo it. A power failure undoes at most one second.
};

}  // namespace polystore::engine
