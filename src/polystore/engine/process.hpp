#pragma once

#include <utility>
#include <vector>

/// A process that was forked has a copy of all that its parent had open, but neither the threads of that nor its locks.
namespace polystore::engine {

/// A number that differs in a process and in those that it forks; it costs no call of the system.
[[nodiscard]] unsigned this_process() noexcept;

/// Keeps something until the process ends, and never destroys it: what is a copy of the parent's.
template <typename T>
void keep(T&& thing) {
    static auto* const kept = new std::vector<T>;  // It can be reached, so it is not taken for a leak.
    kept->push_back(std::forward<T>(thing));
}

}  // namespace polystore::engine
