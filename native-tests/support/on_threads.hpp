#pragma once

#include <functional>
#include <thread>
#include <vector>

namespace polystore::testing {

/// Does something on several threads at once, each of which is told its number, and waits for all.
inline void on_threads(int count, const std::function<void(int)>& work) {
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) threads.emplace_back(work, i);
    for (std::thread& thread : threads) thread.join();
}

}  // namespace polystore::testing
