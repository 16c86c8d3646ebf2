#pragma once

#include <cmath>
#include <cstdint>

#include "polystore/engine/log_format.hpp"
#include "polystore/expires.hpp"

/// Expiries in milliseconds since the epoch. A log stores them as integers. The rest of the library uses doubles, as in
/// JavaScript, and infinity means never.
namespace polystore::engine {

[[nodiscard]] inline std::int64_t to_instant(double expires) {
    // The first double that is too large for int64. A store never asks for an expiry later than the year 275760.
    constexpr double kTooLate = 9223372036854775808.0;
    return expires < kTooLate ? static_cast<std::int64_t>(std::floor(expires)) : kNoExpiry;
}

[[nodiscard]] inline double to_number(std::int64_t expires) {
    return expires == kNoExpiry ? kNever : static_cast<double>(expires);
}

}  // namespace polystore::engine
