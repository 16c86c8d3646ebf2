#pragma once

#include <memory>
#include <string>

#include "polystore/engine/env.hpp"
#include "polystore/posix/token_lock.hpp"

namespace polystore::engine {

/// Takes the lock of the log at `path`: see token_lock.hpp. A thread renews it. Fails at once with ERR_CLIENT and the
/// holder if another process has it, and with ERR_QUOTA if the disk is full.
[[nodiscard]] Result<std::unique_ptr<Lock>> take_posix_lock(
    const std::string& path, const posix::SteadyNow& now = std::chrono::steady_clock::now);

}  // namespace polystore::engine
