#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "polystore/expires.hpp"
#include "polystore/value.hpp"

/// The record: what a storage without expiry of its own holds at a key, as polystore 0.27 reads and writes it.
///
///     record  = "{" members "}"       ; JSON, members in any order; written as text with an indentation of 2, but a
///                                     ; value nested more than 4 levels deep on one line
///     members = "expires": instant    ; and
///               "value": value        ; others are passed over
///     instant = number / "null"       ; milliseconds since the epoch, or never
///     value   = any JSON but "null"
///
/// What does not follow it is not a record: it was put there by other code, and is not ours to list or remove.
namespace polystore {

struct Record {
    /// Milliseconds since the epoch, or `kNever`. To a client that manages expiry: seconds from now, or `kNever`.
    double expires = kNever;
    /// Never null.
    Json value;

    [[nodiscard]] bool operator==(const Record&) const = default;
};

[[nodiscard]] bool is_record(const Json& json);

/// The record that `json` is, if it is one.
[[nodiscard]] std::optional<Record> to_record(const Json& json);

[[nodiscard]] Json to_json(const Record& record);

/// The record that `text` stands for, if it does. What is not JSON is no record.
[[nodiscard]] std::optional<Record> parse_record(std::string_view text);

/// The text of a record. Its value must have passed `check_value`.
[[nodiscard]] std::string to_text(const Record& record);

}  // namespace polystore
