#pragma once

#include <cstddef>

namespace polystore {

/// Memory for coroutine frames, recycled instead of freed: an operation takes its frame from a list and puts it back.
/// Every frame is aligned to 16 bytes, so the four low bits of its address are free for other data (see wasm/abi.cpp).
/// Each thread has its own pool, so a frame must be released on the thread that took it.
class FramePool {
   public:
    static constexpr std::size_t kAlignment = 16;

    /// Returns memory for a frame of `size` bytes, or a null pointer if there is not enough memory.
    [[nodiscard]] static void* take(std::size_t size) noexcept;

    /// Takes back memory that `take(size)` returned.
    static void release(void* frame, std::size_t size) noexcept;
};

}  // namespace polystore
