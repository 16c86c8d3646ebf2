#pragma once

#include <limits>
#include <string_view>

/// Expiry: the text that a user writes, and the instant that it stands for.
///
/// Grammar of the text form, after every `,` and `_` is removed and letters are converted to lower case:
///
///     expires = *blank number *blank [unit] *blank
///     number  = ["-"] (digits ["." *digit] / "." digits) ["e" ["+" / "-"] digits]
///     unit    = "ms" / "msec" / "millisecond" / "s" / "sec" / "second" / "m" / "min" / "minute" / "h" / "hr" / "hour"
///             / "d" / "day" / "w" / "wk" / "week" / "b" / "month" / "y" / "yr" / "year", or one of these and an "s"
///
/// Without a unit the number is in seconds. A month is a twelfth of a year, and a year is 365.25 days.
namespace polystore {

/// The expiry of a value that does not expire, both as a duration and as an instant.
inline constexpr double kNever = std::numeric_limits<double>::infinity();

/// The expiry of a value that has expired before any time, so that putting it stores nothing.
inline constexpr double kOver = -kNever;

/// Returns the seconds that `text` stands for, rounded to the millisecond, or NaN if it does not follow the grammar.
[[nodiscard]] double parse_expires(std::string_view text) noexcept;

/// Returns `seconds` in milliseconds, rounded to a whole number: every stored expiry has this resolution.
[[nodiscard]] double to_milliseconds(double seconds) noexcept;

/// Returns the instant `seconds` after `now`, both instants in milliseconds since the epoch. Returns `kNever` if it is
/// later than the latest date that JavaScript can hold (in the year 275760).
[[nodiscard]] double deadline(double now, double seconds) noexcept;

}  // namespace polystore
