#pragma once

#include <filesystem>
#include <memory>

#include "polystore/client.hpp"

namespace polystore {

/// A client that keeps its records in one JSON file, in the format of polystore 0.27:
///
///     file    = "" / "{" [member *("," member)] "}"   ; after a byte order mark, if there is one
///     member  = key ":" (record / foreign)            ; `record` as in record.hpp; of two with one key the later wins
///     foreign = any other JSON                        ; never listed, never removed, and kept by every write
///
/// Members that are not changed keep their text. A record with a number that is larger than a double holds is
/// ERR_CORRUPT when it is read or listed; it can be replaced and deleted.
///
/// A missing file is an empty store, and is made, with its folders, by the first write. A file that is something else
/// is ERR_CORRUPT, and is left as it is.
///
/// Every call that changes something writes the whole file once: to a temporary file beside it, which is synced and
/// then takes the file's place, so that a crash at any moment leaves the old file or the new one. Where the folder
/// takes no new file (the file is mounted alone, or the folder is not writable), the file itself is written instead:
/// then a crash in the middle may leave parts of both. Links are followed at each call, and never replaced. Reads cost
/// a look at the file's date, unless another process wrote to it. Any number of processes may write to one file,
/// in C++ and JavaScript: each waits for its turn with the lock `<path>.lock-<token>`. If one process has the lock for
/// 20 s, the others fail with ERR_CLIENT. Where permissions forbid a lock beside the file, there is none.
///
/// Keys must be UTF-8, or are ERR_KEY. A full disk is ERR_QUOTA.
[[nodiscard]] std::shared_ptr<Client> file(const std::filesystem::path& path);

}  // namespace polystore
