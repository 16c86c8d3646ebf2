#pragma once

#include <new>

namespace polystore::engine {

/// Runs an action that may be skipped if there is not enough memory for it.
template <typename Action>
void if_memory_allows(Action action) {
    try {
        action();
    } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): the action may be skipped.
    }
}

}  // namespace polystore::engine
