#pragma once

#include <cstddef>

namespace polystore {

/// Memory for coroutine frames, recycled instead of freed: an operation takes its frame from a list and puts it back.
/// Every frame is aligned to 16 bytes, which leaves the four low bits of its address free (see wasm/abi.cpp).
/// Each thread has a pool of its own, so a frame must be released on the thread that took it.
class FramePool {
   public:
    static constexpr std::size_t kAlignment = 16;

    /// Memory for a frame of `size` bytes; a null pointer when there is none left.
    [[nodiscard]] static void* take(std::size_t size) noexcept;

    /// Takes back what `take(size)` gave.
    static void release(void* frame, std::size_t size) noexcept;
};

}  // namespace polystore
