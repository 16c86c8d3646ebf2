#include "polystore/core/frame_pool.hpp"

#include <cstdint>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

#include "support/catch.hpp"

using polystore::FramePool;

TEST_CASE("every frame is aligned, whatever its size", "[frame_pool]") {
    for (std::size_t size = 1; size < 2000; size += 7) {
        void* const frame = FramePool::take(size);
        CHECK(reinterpret_cast<std::uintptr_t>(frame) % FramePool::kAlignment == 0);
        std::memset(frame, 0xAB, size);
        FramePool::release(frame, size);
    }
}

TEST_CASE("a released frame is reused", "[frame_pool]") {
    void* const first = FramePool::take(120);
    FramePool::release(first, 120);
    CHECK(FramePool::take(113) == first);
    FramePool::release(first, 113);
}

TEST_CASE("frames in use at the same time are different", "[frame_pool]") {
    std::vector<void*> frames;
    for (int i = 0; i < 100; ++i) frames.push_back(FramePool::take(100));
    CHECK(std::set<void*>(frames.begin(), frames.end()).size() == frames.size());
    for (void* const frame : frames) FramePool::release(frame, 100);
}

TEST_CASE("a frame is not reused for a larger size", "[frame_pool]") {
    void* const small = FramePool::take(64);
    FramePool::release(small, 64);
    void* const large = FramePool::take(80);
    CHECK(large != small);
    FramePool::release(large, 80);
}

TEST_CASE("the pool of a thread is freed when the thread ends", "[frame_pool]") {
    // AddressSanitizer reports frames that are not freed.
    std::thread([] {
        for (const std::size_t size : {16U, 100U, 10000U}) FramePool::release(FramePool::take(size), size);
    }).join();
}
