// The memory of the core, in place of an allocator. The core only allocates frames of operations, and the frame pool
// keeps those for reuse. Memory is therefore never freed, which saves 0.7 KB (brotli) on every page.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

constexpr std::uintptr_t kPage = 64 * 1024;

}  // namespace

extern "C" {

/// The linker defines this symbol where the free memory begins.
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

/// The pool only frees frames that are too large for it, and there are none. Otherwise, the memory would grow for ever.
void free(void* /*frame*/) { __builtin_trap(); }

/// Registers the pool's destructor for the end of its thread. The thread never ends, so this has no effect.
int __cxa_thread_atexit(void (* /*destroy*/)(void*), void* /*object*/, void* /*library*/) { return 0; }

/// abort() calls this. There is no process that could exit.
void _Exit(int /*status*/) { __builtin_trap(); }
}
