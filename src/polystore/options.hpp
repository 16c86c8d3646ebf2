#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "polystore/expires.hpp"

namespace polystore {

/// A number that counts something: not a truth value, not a character.
template <typename T>
concept Number = std::floating_point<T> ||
    (std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> && !std::same_as<T, wchar_t> &&
     !std::same_as<T, char8_t> && !std::same_as<T, char16_t> && !std::same_as<T, char32_t>);

/// How long a value lives: seconds (`3600`, `0.5`), a duration (`1h`, with `std::chrono_literals`), a text ("1h", in
/// the grammar of expires.hpp), or `std::nullopt` for ever. What is zero or less is over at once: setting a value with
/// it deletes. Left out, the store's default holds.
///
/// Throws `Error` ERR_EXPIRES for a text that does not follow the grammar, and for NaN.
class Expires {
   public:
    Expires() = default;
    Expires(std::nullopt_t /*never*/) : given_(true) {}
    Expires(std::nullptr_t) = delete;

    template <Number T>
    Expires(T seconds) : Expires(checked(static_cast<double>(seconds))) {}

    template <typename Rep, typename Period>
    Expires(std::chrono::duration<Rep, Period> duration) : Expires(std::chrono::duration<double>(duration).count()) {}

    template <std::convertible_to<std::string_view> T>
    Expires(const T& text) : Expires(parsed(text)) {}

    /// Whether anything was given.
    [[nodiscard]] bool given() const noexcept { return given_; }

    /// `kNever` when nothing was given. Never NaN.
    [[nodiscard]] double seconds() const noexcept { return seconds_; }

   private:
    struct Seconds {
        double count;
    };

    Expires(Seconds seconds) : seconds_(seconds.count), given_(true) {}

    static Seconds checked(double seconds);
    static Seconds parsed(std::string_view text);

    double seconds_ = kNever;
    bool given_ = false;
};

/// Gives the time in milliseconds since the epoch. Called by whichever thread uses the store.
using Clock = std::function<double()>;

/// The clock of the system.
[[nodiscard]] double system_time();

struct StoreOptions {
    /// What every key of the store begins with, unseen.
    std::string prefix = {};
    /// What holds where no expiry is given. Left out: never.
    Expires expires = {};
    Clock clock = system_time;
};

struct SetOptions {
    /// Left out, the store's default holds.
    Expires expires = {};
    /// Replaces the store's prefix for this call; left out, that one holds.
    std::optional<std::string> prefix = {};
};

}  // namespace polystore
