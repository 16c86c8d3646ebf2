#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace polystore {

/// The name of the file that a folder keeps the record of `key` in: JavaScript's encodeURIComponent(key), with `*` as
/// `%2A`, and ".json". Throws `Error` ERR_KEY if `key` is not UTF-8, or the name would be longer than 255 bytes.
[[nodiscard]] std::string to_file_name(std::string_view key);

/// The key that `name` belongs to; none if `to_file_name` makes this name of no key.
[[nodiscard]] std::optional<std::string> to_key(std::string_view name);

}  // namespace polystore
