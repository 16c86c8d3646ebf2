// The memory of the core, in place of an allocator. All that the core takes is frames of operations, which the frame
// pool keeps for the next ones: nothing is given back, and 0.7 KB (brotli) of every page are saved.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

constexpr std::uintptr_t kPage = 64 * 1024;

}  // namespace

extern "C" {

/// The linker puts it where the memory is free from.
extern unsigned char __heap_base;

[[gnu::noinline]] void* aligned_alloc(std::size_t alignment, std::size_t size) {
    static std::uintptr_t free_from = reinterpret_cast<std::uintptr_t>(&__heap_base);
    const std::uintptr_t begin = (free_from + alignment - 1) & ~(alignment - 1);
    const std::uintptr_t end = begin + size;
    const std::uintptr_t pages = __builtin_wasm_memory_size(0);
    if (end > pages * kPage) {
        constexpr auto kRefused = static_cast<std::size_t>(-1);
        if (__builtin_wasm_memory_grow(0, (end - pages * kPage + kPage - 1) / kPage) == kRefused) return nullptr;
    }
    free_from = end;
    return reinterpret_cast<void*>(begin);
}

/// Of a frame that is too large for the pool. There is none: one that came to be would make the memory grow for ever.
void free(void* /*frame*/) { __builtin_trap(); }

/// What the pool wants to do when its thread ends, which it never does.
int __cxa_thread_atexit(void (* /*destroy*/)(void*), void* /*object*/, void* /*library*/) { return 0; }

/// Where abort() ends: here is no process to end.
void _Exit(int /*status*/) { __builtin_trap(); }
}
