#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "polystore/engine/env.hpp"

namespace polystore::engine {

struct Salvaged {
    std::size_t records = 0;       ///< The number of valid records, including removals and replaced values.
    std::uint64_t lost_bytes = 0;  ///< The number of bytes in the file that are not part of a valid record.
};

/// Creates a log at `to` from every valid record in the log at `from`, including those of batches that are damaged in
/// another part. The log at `from` is left unchanged. Fails with ERR_CORRUPT if `from` contains no log, and with
/// ERR_CLIENT if a file exists at `to`.
///
/// After a failure, `to` does not exist, or it is a complete log whose name may not survive a power failure. The file
/// `to + ".unfinished"` may remain, and can be deleted.
Result<Salvaged> salvage(Env& env, const std::string& from, const std::string& to);

}  // namespace polystore::engine
