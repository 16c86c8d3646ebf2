#pragma once

#include <filesystem>
#include <memory>

#include "polystore/client.hpp"

namespace polystore {

/// A client that keeps each record in a file of its own, in the format of polystore 0.27: the record, as in record.hpp,
/// under the name that file_name.hpp makes of the key, which is polystore's where that is 255 bytes or less. Other
/// files are never listed or removed.
///
/// A missing folder is an empty store, and is made by the first write. A record is written to a temporary file in the
/// folder, which is synced and then takes the record's place, so that a crash at any moment leaves the old record or
/// the new one. Any number of processes may use one folder.
///
/// Keys must be UTF-8, or are ERR_KEY, and may be of any length. A full disk is ERR_QUOTA. In a folder whose disk
/// ignores case, the files have other names where a key has capitals, for good: see file_name.hpp and folder_case.hpp.
/// Those that polystore left there are renamed when the folder is first used, and it does not find them any more.
[[nodiscard]] std::shared_ptr<Client> folder(const std::filesystem::path& path);

}  // namespace polystore
