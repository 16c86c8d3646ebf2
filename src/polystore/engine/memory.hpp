#pragma once

#include <new>

namespace polystore::engine {

/// Does what may be left undone where there is no memory for it.
template <typename Action>
void if_memory_allows(Action action) {
    try {
        action();
    } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): leaving it undone is what was asked for.
    }
}

}  // namespace polystore::engine
