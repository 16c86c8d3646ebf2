#pragma once

#include <cstdint>

#include "polystore/expires.hpp"
#include "polystore/operation.hpp"

/// The semantics of every public method, defined once for every language and every client.
namespace polystore {

/// A client's properties and abilities, and its state. A set of bits can cross a language boundary as a number.
enum class Trait : std::uint32_t {
    manages_expiry = 1 << 0,  ///< The client never shows an expired record.
    add = 1 << 1,             ///< The client chooses the keys of `add` itself.
    list = 1 << 2,            ///< The client can list its records.
    sweeps_all = 1 << 3,      ///< The client can remove all records with a prefix by itself.
    sweeps_expired = 1 << 4,  ///< The client can remove the expired records with a prefix by itself.
    closed = 1 << 5,          ///< The client was closed.
    compares = 1 << 6,        ///< The client can make a change on the condition that a record is the one that was read.
    transactions = 1 << 7,    ///< The client can do so with several records, all of them or none.
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

/// The public methods. Every method that lists records is a `list`, whatever it returns of them. A `change` is any
/// method that changes values depending on what is there.
enum class Method : std::uint8_t { get, set, add, has, del, list, clear, prune, close, change, ttl, size };

/// A call: the method and the facts about its arguments that the method needs.
struct Call {
    Method method = Method::get;
    /// For `set` and `add`: the seconds until the value expires, or `kNever`. For `get`: the life in seconds that is
    /// renewed once an eighth of it is over, or 0. Never NaN.
    double expires = 0;
    /// For `set` and `add`: true if there is a value. Without a value, `set` deletes.
    bool has_value = false;
    /// For `list` and `clear`: the maximum number of records that they concern, not counting expired ones.
    double limit = kNever;
    /// For `change`: true if a value that is already there gets a new expiry, too.
    bool renews = false;
    /// For `change`: true if it concerns several keys.
    bool has_several_keys = false;
};

/// Starts an operation and runs it to its first question or its end.
Operation start(Traits traits, Call call);

}  // namespace polystore
