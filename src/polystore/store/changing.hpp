#pragma once

#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "polystore/client.hpp"
#include "polystore/record.hpp"

/// A change of values that depends on what is there. Internal: `Store` has the methods.
namespace polystore {

/// One key of a change.
struct Part {
    std::string id;
    /// The life in seconds of a value that is put there, or `kNever`.
    double life = kNever;
    /// True if a value that is there keeps its expiry, even if the other values of the change get a new one.
    bool keeps_expiry = false;
    /// True if the change does not depend on the record.
    bool is_unread = false;
    /// The record that was read.
    std::optional<Record> found = {};
    /// The expiry of a value that is put there, in milliseconds since the epoch, `kNever` or `kOver`.
    double expires = kNever;
    /// The value that was read; null if there is none.
    Json value = {};
    /// The value after the change; null if there is none.
    Json result = {};
};

/// The new value of each part: `std::nullopt` leaves the record, null removes it.
using Chosen = std::vector<std::optional<Json>>;

/// The keys of a change, and how to choose their new values. `choose` is called again in each attempt.
struct Changing {
    std::string method;
    /// True if only expiries change.
    bool is_touch = false;
    std::vector<Part> parts = {};
    std::function<Chosen(std::vector<Part>&)> choose = {};
    /// The changes of this attempt.
    std::vector<Change> changes = {};
};

/// An exception of the user's own function. It reaches the user unchanged.
struct Thrown {
    std::exception_ptr error;
};

}  // namespace polystore
