#pragma once

#include <filesystem>
#include <memory>

#include "polystore/client.hpp"

namespace polystore {

/// A client that keeps each record in a file of its own, in the format of polystore 0.27: the record, as in record.hpp,
/// in `<folder>/<name>.json`, with the name that file_name.hpp makes of the key. Other files are never listed or
/// removed.
///
/// A missing folder is an empty store, and is made by the first write. A record is written to a temporary file in the
/// folder, which is synced and then takes the record's place, so that a crash at any moment leaves the old record or
/// the new one. Any number of processes may use one folder.
///
/// Keys must be UTF-8 and make a name of 255 bytes at most, or are ERR_KEY. A full disk is ERR_QUOTA. The file system
/// must tell upper case from lower, or keys that differ in nothing else are one.
[[nodiscard]] std::shared_ptr<Client> folder(const std::filesystem::path& path);

}  // namespace polystore
