#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "polystore/engine/env.hpp"

namespace polystore::engine {

struct Salvaged {
    std::size_t records = 0;       ///< How many were whole, removals and replaced values included.
    std::uint64_t lost_bytes = 0;  ///< Of the file, that are part of no whole record.
};

/// Makes a log at `to` of all that is whole in the log at `from`, which is left as it is: also of batches of which
/// another part is damaged. Fails with ERR_CORRUPT where there is no log at all, and with ERR_CLIENT where there is a
/// file `to` already. Where it fails, there is none, or one that is whole whose name may not outlast a power failure;
/// perhaps one `to + ".unfinished"`, which is nothing to keep.
Result<Salvaged> salvage(Env& env, const std::string& from, const std::string& to);

}  // namespace polystore::engine
