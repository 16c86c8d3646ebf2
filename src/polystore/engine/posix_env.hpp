#pragma once

#include "polystore/engine/env.hpp"

namespace polystore::engine {

/// The file system, for any thread. Files are read through a mapping: on our measurements a read costs a tenth of what
/// pread costs. So a disk that fails to read ends the process (SIGBUS), and so does another program that cuts the file
/// off; the lock keeps those away that ask for it.
[[nodiscard]] Env& posix_env();

}  // namespace polystore::engine
