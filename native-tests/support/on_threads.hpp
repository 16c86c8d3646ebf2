#pragma once

#include <functional>
#include <thread>
#include <vector>

namespace polystore::testing {

/// Runs `work` with its number on each of several threads at once, and waits for all of them.
inline void on_threads(int count, const std::function<void(int)>& work) {
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) threads.emplace_back(work, i);
    for (std::thread& thread : threads) thread.join();
}

}  // namespace polystore::testing
