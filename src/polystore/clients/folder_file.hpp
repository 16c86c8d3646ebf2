#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "polystore/client.hpp"
#include "polystore/clients/file_name.hpp"

/// What is in a file of a folder: a record, as record.hpp has it; under a long name, with its key as one more member,
/// "key".
namespace polystore {

/// The text of the file called `name` that holds `record` for `key`.
[[nodiscard]] std::string to_file_text(std::string_view name, const std::string& key, const Record& record);

/// The key and the record of the file called `name` that holds `text`; none where the file is another's.
/// @param letter_case What the file was named for.
[[nodiscard]] std::optional<Entry> parse_file(std::string_view name, std::string_view text, Case letter_case);

}  // namespace polystore
