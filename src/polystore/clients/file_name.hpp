#pragma once

#include <optional>
#include <string>
#include <string_view>

/// How a folder names the file of a key. The JavaScript client has the same rules, in file_name.js.
///
///     name    = encoded ".json"         ; as polystore names it, where that is 255 bytes or less
///             / head "+" hash ".json"   ; else: the long name of a file that has its key in it
///     encoded = the key by JavaScript's encodeURIComponent, with "*" as "%2A"; for a disk that ignores case, with
///               capitals as "%41" to "%5A" too, and, of a name that Windows reserves for a device, with the first
///               character as well: "%63on.json"
///     head    = as many of the key's first characters, encoded, as make 160 bytes or less
///     hash    = the SHA-256 of the key, as 64 hexadecimal digits in small letters
///
/// No encoded text has a "+": so no two keys have one name, nor two that such a disk takes for one.
namespace polystore {

/// Whether the disk tells upper case from lower.
enum class Case : bool { counts, is_ignored };

/// The name of the file of `key`. Throws `Error` ERR_KEY if that is not UTF-8.
[[nodiscard]] std::string to_file_name(std::string_view key, Case letter_case);

[[nodiscard]] bool is_long(std::string_view name);

/// What `name` says of a key: all of it, or how it begins if the name is long; none if `name` is none of ours.
/// That `to_file_name` makes this name of the key is not said.
[[nodiscard]] std::optional<std::string> to_key(std::string_view name);

/// Whether two names are one to a disk that ignores case: all that differs in ours is letters of ASCII.
[[nodiscard]] bool is_same(std::string_view name, std::string_view other);

}  // namespace polystore
