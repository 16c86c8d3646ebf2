#pragma once

#include <limits>
#include <string_view>

/// Expiry: how a user writes one, and the instant that it stands for.
///
/// Grammar of the text form, after every `,` and `_` is dropped and letters are made lower case:
///
///     expires = *blank number *blank [unit] *blank
///     number  = ["-"] (digits ["." *digit] / "." digits) ["e" ["+" / "-"] digits]
///     unit    = "ms" / "msec" / "millisecond" / "s" / "sec" / "second" / "m" / "min" / "minute" / "h" / "hr" / "hour"
///             / "d" / "day" / "w" / "wk" / "week" / "b" / "month" / "y" / "yr" / "year", or one of these and an "s"
///
/// Without a unit the number is in seconds. A month is a twelfth of a year, and a year is 365.25 days.
namespace polystore {

/// The expiry of what does not expire, both as a duration and as an instant.
inline constexpr double kNever = std::numeric_limits<double>::infinity();

/// The seconds that `text` stands for, to the millisecond; NaN when it does not follow the grammar.
[[nodiscard]] double parse_expires(std::string_view text) noexcept;

/// `seconds` rounded to the millisecond, the resolution of everything stored.
[[nodiscard]] double to_milliseconds(double seconds) noexcept;

/// The instant, in milliseconds since the epoch, that lies `seconds` after `now`; `kNever` when it is later than the
/// latest date that JavaScript can hold (in the year 275760).
[[nodiscard]] double deadline(double now, double seconds) noexcept;

}  // namespace polystore
