#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

/// How the files of polystore name a process. The JavaScript library does it alike, in process_identity.js.
namespace polystore {

/// What distinguishes the processes that a number may mean: the machine since it was started, and the container.
[[nodiscard]] std::string this_machine();

/// When a process of this machine and container began: the 22nd field of /proc/<pid>/stat; nothing where that is not
/// known.
[[nodiscard]] std::optional<std::string> beginning_of(pid_t process);

/// Whether a process of this machine and container runs that began at `since`, and its `thread`, if that is given;
/// nothing where nobody can know.
[[nodiscard]] std::optional<bool> is_running(pid_t process, const std::optional<std::string>& since,
                                             std::optional<pid_t> thread);

}  // namespace polystore
