#pragma once

#include "polystore/engine/env.hpp"

namespace polystore::engine {

/// The file system, for any thread. Files are read through a mapping, so that a read costs no call of the system. So a
/// disk that fails to read ends the process (SIGBUS), and so does another program that cuts the file off; the lock
/// keeps those away that ask for it.
[[nodiscard]] Env& posix_env();

}  // namespace polystore::engine
