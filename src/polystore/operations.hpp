#pragma once

#include <cstdint>

#include "polystore/operation.hpp"

/// The semantics of every public method, once, for every language and every client.
namespace polystore {

/// What a client is and can do, and the state that it is in; a set of bits, so that it crosses a boundary as a number.
enum class Trait : std::uint32_t {
    manages_expiry = 1 << 0,  ///< Never shows what has expired.
    add = 1 << 1,             ///< Chooses the keys of `add` itself.
    list = 1 << 2,            ///< Can list what it holds.
    sweeps_all = 1 << 3,      ///< Can remove all records that have a prefix by itself.
    sweeps_expired = 1 << 4,  ///< Can remove the expired ones of them by itself.
    closed = 1 << 5,          ///< Was closed.
};

class Traits {
   public:
    constexpr Traits() = default;
    constexpr explicit Traits(std::uint32_t bits) : bits_(bits) {}
    constexpr Traits(Trait trait) : bits_(static_cast<std::uint32_t>(trait)) {}

    [[nodiscard]] constexpr bool operator[](Trait trait) const {
        return (bits_ & static_cast<std::uint32_t>(trait)) != 0;
    }
    [[nodiscard]] constexpr Traits operator|(Traits other) const { return Traits(bits_ | other.bits_); }
    [[nodiscard]] constexpr std::uint32_t bits() const { return bits_; }

   private:
    std::uint32_t bits_ = 0;
};

[[nodiscard]] constexpr Traits operator|(Trait left, Trait right) { return Traits(left) | right; }

/// The public methods. One that lists records is a `list`, whatever it makes of them.
enum class Method : std::uint8_t { get, set, add, has, del, list, clear, prune, close };

/// A call: the method and what it needs to know of its arguments.
struct Call {
    Method method = Method::get;
    /// For `set` and `add`: the seconds until the value expires, or `kNever`. Never NaN.
    double expires = 0;
    /// For `set` and `add`: whether there is a value; without one, `set` deletes.
    bool has_value = false;
};

/// Starts an operation, and runs it to its first question or its end.
Operation start(Traits traits, Call call);

}  // namespace polystore
