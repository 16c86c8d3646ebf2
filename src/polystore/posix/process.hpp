#pragma once

#include <utility>
#include <vector>

/// A forked process has copies of everything that its parent had open, but neither the parent's threads nor its locks.
namespace polystore::posix {

/// Returns a number that differs between a process and its forks. This does not make a system call.
[[nodiscard]] unsigned this_process() noexcept;

/// Keeps an object until the process ends and never destroys it, because it is a copy of the parent's.
template <typename T>
void keep(T&& thing) {
    static auto* const kept = new std::vector<T>;  // The vector stays reachable, so leak checkers ignore it.
    kept->push_back(std::forward<T>(thing));
}

}  // namespace polystore::posix
