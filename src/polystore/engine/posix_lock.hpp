#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "polystore/engine/env.hpp"

namespace polystore::engine {

/// What the time is measured by for which a holder was silent.
using SteadyNow = std::function<std::chrono::steady_clock::time_point()>;

/// The lock that goes by the name `path`, as js/disk/lock.js takes it too. Node.js has no flock(2). So each who
/// wants the lock makes a file of its own, `<path>-<token>`, that says which process it is (and is `<path>-<token>.new`
/// until it does, lest one be left that says nothing); only then it looks for those of others. If there is one whose
/// process runs, it withdraws: of two that look, one at least sees the other, so never both go on. Files of processes
/// that are gone may be removed by anybody, at any time.
///
/// A process of another machine or container cannot be looked for, nor one whose file has no text because the disk is
/// full: it counts as running as long as its file is renewed, which a thread does.
///
///     text    = {"machine": <text>, "pid": <number>, "since": <text or null>, "thread": <number or null>}
///     machine = the host's name, the id of its boot and the namespace of its processes, a blank between each
///     since   = the 22nd field of /proc/<pid>/stat
///     thread  = of /proc/<pid>/task, for the lock goes with it; JavaScript names it, C++ does not
[[nodiscard]] Result<std::unique_ptr<Lock>> take_posix_lock(const std::string& path,
                                                            const SteadyNow& now = std::chrono::steady_clock::now);

}  // namespace polystore::engine
