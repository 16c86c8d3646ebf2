#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "polystore/expires.hpp"
#include "polystore/traits.hpp"

namespace polystore {

/// A numeric type, without bool and the character types.
template <typename T>
concept Number = std::floating_point<T> ||
    (std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> && !std::same_as<T, wchar_t> &&
     !std::same_as<T, char8_t> && !std::same_as<T, char16_t> && !std::same_as<T, char32_t>);

/// The lifetime of a value: seconds (`3600`, `0.5`), a duration (`1h`, with `std::chrono_literals`), a text ("1h", in
/// the grammar of expires.hpp), or `std::nullopt` for ever. A lifetime of zero or less is over at once: setting a value
/// with it deletes the key. If omitted, the store's default applies.
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

    /// True if an expiry was given.
    [[nodiscard]] bool given() const noexcept { return given_; }

    /// The lifetime in seconds; `kNever` if no expiry was given. Never NaN.
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

/// Returns the time in milliseconds since the epoch. Whichever thread uses the store calls it, the one that prunes in
/// the background, and the one that tells listeners of expiry.
using Clock = std::function<double()>;

/// The system clock.
[[nodiscard]] double system_time();

struct StoreOptions {
    /// The store puts this before every key and removes it from the keys that it returns.
    std::string prefix = {};
    /// The expiry of values that are set without one. If omitted, they never expire.
    Expires expires = {};
    Clock clock = system_time;
    /// Whom a change that depends on the value has to keep out at least. `Store` throws ERR_UNSUPPORTED over a client
    /// that keeps out fewer.
    Atomic atomic = Atomic::none;
    /// The time between two prunes in the background, for example `1min` or "1 min". It must be greater than 0. If it
    /// is omitted or `std::nullopt`, expired records are removed when they are read, and by `Store::prune`. A thread
    /// does it, which ends with `Store::close`, or with the last of the stores that were made from this one. A prune
    /// that fails is not reported; the next one tries again.
    Expires prune = {};
};

struct SetOptions {
    /// If omitted, the store's default applies.
    Expires expires = {};
    /// Replaces the store's prefix for this call. If omitted, the store's prefix applies.
    std::optional<std::string> prefix = {};
};

/// The options of a change in `Store::batch`.
struct WriteOptions {
    /// If omitted, the store's default applies.
    Expires expires = {};
    /// Replaces the store's prefix for this call. If omitted, the store's prefix applies.
    std::optional<std::string> prefix = {};
    /// False if a value that is already there keeps its expiry.
    bool renew = true;
};

/// The options of the methods that change a value depending on what is there.
struct UpdateOptions {
    /// The lifetime of a value that is new. If omitted, the store's default applies.
    Expires expires = {};
    /// Replaces the store's prefix for this call. If omitted, the store's prefix applies.
    std::optional<std::string> prefix = {};
    /// True if a value that is already there gets that lifetime, too. Otherwise, it keeps its expiry.
    bool renew = false;
};

/// How `Store::expires` applies.
struct ExpiresOptions {
    /// True if `Store::get` renews the lifetime of a value, once an eighth of it is over.
    bool sliding = false;
};

}  // namespace polystore
