#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

/// The identity of a process, as locks and temporary files name it. The JavaScript library uses the same format, in
/// js/disk/process_identity.js. A process id alone is ambiguous: it is reused after a restart, and on other machines
/// and in containers.
///
///     identity = {"machine": <text>, "pid": <number>, "since": <text or null>, "thread": <number or null>}
///     machine  = the host name, the id of this boot, and the PID namespace, with a space between them
///     since    = the start time: field 22 of /proc/<pid>/stat; null where /proc does not exist
///     thread   = an entry of /proc/<pid>/task; JavaScript names its thread, because a worker may end while its process
///                goes on; C++ does not
namespace polystore::posix {

/// Returns the identity of this process as JSON.
[[nodiscard]] const std::string& own_identity();

/// Returns the machine and the container of this process.
[[nodiscard]] const std::string& own_machine();

/// Returns the start time of this process, or "0" if it is not known.
[[nodiscard]] const std::string& own_start();

/// Returns whether a process with this identity is running, or `std::nullopt` if this cannot be determined, for example
/// because it belongs to another container.
[[nodiscard]] std::optional<bool> is_alive(const std::string& identity);

/// Returns whether a process of this machine and container is running.
/// @param since Its start time; without it, only the absence of the process can be determined.
/// @param thread A thread of the process that must be running too.
[[nodiscard]] std::optional<bool> is_running(pid_t process, const std::optional<std::string>& since,
                                             std::optional<pid_t> thread);

/// Describes the process with this identity, for a message.
[[nodiscard]] std::string show_process(const std::string& identity);

}  // namespace polystore::posix
