#pragma once

#include <cmath>
#include <cstdint>

#include "polystore/engine/log_format.hpp"
#include "polystore/expires.hpp"

/// Times of expiry, in milliseconds since the epoch: whole numbers in a log, and in the rest of the library, as in
/// JavaScript, numbers whose infinity is never.
namespace polystore::engine {

[[nodiscard]] inline std::int64_t to_instant(double expires) {
    // The first that is too large for the type; a store asks for none that is later than the year 275760.
    constexpr double kTooLate = 9223372036854775808.0;
    return expires < kTooLate ? static_cast<std::int64_t>(std::floor(expires)) : kNoExpiry;
}

[[nodiscard]] inline double to_number(std::int64_t expires) {
    return expires == kNoExpiry ? kNever : static_cast<double>(expires);
}

}  // namespace polystore::engine
