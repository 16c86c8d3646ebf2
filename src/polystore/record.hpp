#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "polystore/expires.hpp"
#include "polystore/value.hpp"

/// The record: the data that a storage without its own expiry holds at a key, as polystore 0.27 reads and writes it.
///
///     record  = "{" members "}"       ; JSON, members in any order; written as text with an indentation of 2, but a
///                                     ; value nested more than 4 levels deep on one line
///     members = "expires": instant    ; and
///               "value": value        ; other members are ignored
///     instant = number / "null"       ; milliseconds since the epoch, or never
///     value   = any JSON but "null"
///
/// Data that does not follow this grammar is not a record. Other code stored it; the store never lists or removes it.
namespace polystore {

struct Record {
    /// When it expires, in milliseconds since the epoch, or `kNever`; for a client that manages expiry, too.
    double expires = kNever;
    /// Never null. If the stored text cannot be read as a value, this is `unreadable(text)`.
    Json value;

    [[nodiscard]] bool operator==(const Record&) const = default;
};

/// Returns the stand-in for a value that cannot be read, because its stored text has a number outside the range of a
/// double, or is not JSON. So the record can be listed, compared and removed: only its value is ERR_CORRUPT.
[[nodiscard]] Json unreadable(std::string_view text);

/// Throws `Error` ERR_CORRUPT, with the reason, if `value`, which is stored at `id`, is such a stand-in.
void require_readable(std::string_view id, const Json& value);

[[nodiscard]] bool is_record(const Json& json);

/// Returns the record in `json`, or `std::nullopt` if it does not follow the grammar.
[[nodiscard]] std::optional<Record> to_record(const Json& json);

[[nodiscard]] Json to_json(const Record& record);

/// Returns the record in `text`, or `std::nullopt` if it is not JSON or does not follow the grammar.
[[nodiscard]] std::optional<Record> parse_record(std::string_view text);

/// The text of a record. Its value must have passed `check_value`.
[[nodiscard]] std::string to_text(const Record& record);

}  // namespace polystore
