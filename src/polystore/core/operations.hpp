#pragma once

#include <cstdint>

#include "polystore/core/operation.hpp"
#include "polystore/expires.hpp"
#include "polystore/traits.hpp"

/// The semantics of every public method, defined once for every language and every client.
namespace polystore {

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
    /// For `list`, `clear` and `size`: the maximum number of records that they concern, not counting expired ones.
    double limit = kNever;
    /// For `change`: true if a value that is already there gets a new expiry, too.
    bool renews = false;
    /// For `change`: true if it concerns several keys.
    bool has_several_keys = false;
};

/// Starts an operation and runs it to its first question or its end.
Operation start(Traits traits, Call call);

}  // namespace polystore
