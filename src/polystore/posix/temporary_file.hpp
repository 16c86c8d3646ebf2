#pragma once

#include <filesystem>
#include <string>

/// Temporary files, which are written before they are renamed. A killed process leaves its temporary files; the next
/// process that writes to the folder removes them. The JavaScript library uses the same names, in
/// js/disk/temporary_file.js:
///
///     name    = ".polystore-" machine "-" pid "-" since "-" token ".tmp"
///     machine = the first 16 hexadecimal digits, in lower case, of the SHA-256 of the machine's name in a lock
///     since   = the start time of the process, as in a lock; "0" if it is not known
///     token   = 16 random hexadecimal digits in lower case
namespace polystore::posix {

/// Returns a name for a new file of this process. It differs from every record's file, whose name ends with ".json".
[[nodiscard]] std::string temporary_name();

/// Removes the temporary files of processes that have certainly ended. Files that cannot be removed stay.
void remove_abandoned(const std::filesystem::path& folder);

}  // namespace polystore::posix
