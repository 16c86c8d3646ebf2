#pragma once

#include <optional>
#include <string>
#include <string_view>

/// The name of a key's file in a folder. The JavaScript client has the same rules, in file_name.js.
///
///     name    = encoded ".json"         ; the name that polystore uses, if it is 255 bytes or less
///             / head "+" hash ".json"   ; otherwise: the long name of a file that contains its key
///     encoded = the key encoded by JavaScript's encodeURIComponent, with "*" as "%2A"; for a disk that ignores case,
///               capitals are also encoded as "%41" to "%5A", and so is the first character of a name that Windows
///               reserves for a device: "%63on.json"
///     head    = as many of the key's first characters as fit into 160 bytes once encoded
///     hash    = the SHA-256 of the key, as 64 lower-case hexadecimal digits
///
/// Encoded text never contains "+", so two keys never share a name, not even on a disk that ignores case.
namespace polystore {

/// Says whether the disk distinguishes upper and lower case.
enum class Case : bool { counts, is_ignored };

/// Returns the name of the file of `key`. Throws `Error` ERR_KEY if the key is not UTF-8.
[[nodiscard]] std::string to_file_name(std::string_view key, Case letter_case);

[[nodiscard]] bool is_long(std::string_view name);

/// Returns the key in `name`, or only its beginning if the name is long; `std::nullopt` if it is not a name of this
/// scheme. The result does not guarantee that `to_file_name` makes exactly `name` from the key.
[[nodiscard]] std::optional<std::string> to_key(std::string_view name);

/// True if a disk that ignores case treats both names as one. Only the ASCII letters of these names have a case.
[[nodiscard]] bool is_same(std::string_view name, std::string_view other);

}  // namespace polystore
