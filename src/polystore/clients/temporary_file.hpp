#pragma once

#include <filesystem>
#include <string>

/// Files that are written before they get their name. A process that is killed leaves its own; they are removed by the
/// next one that writes into that folder. The JavaScript library names them alike, in temporary_file.js:
///
///     name    = ".polystore-" machine "-" pid "-" since "-" token ".tmp"
///     machine = the first 16 hexadecimal digits, in small letters, of the SHA-256 of what a lock calls the machine
///     since   = when the process began, as a lock has it; "0" where that is not known
///     token   = 16 random hexadecimal digits in small letters
namespace polystore {

/// A name for a new file of this process. It is no record's: those end in ".json".
[[nodiscard]] std::string temporary_name();

/// Removes the temporary files in a folder whose processes are certainly gone. What cannot be removed stays.
void remove_abandoned(const std::filesystem::path& folder);

}  // namespace polystore
