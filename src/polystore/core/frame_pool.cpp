#include "polystore/core/frame_pool.hpp"

#include <array>
#include <cstdlib>

namespace polystore {
namespace {

// The coroutine frames of the operations are 100 to 250 bytes long. Larger frames use the allocator directly.
constexpr std::size_t kSizeClasses = 32;

constexpr std::size_t round_up(std::size_t size) {
    return (size + FramePool::kAlignment - 1) & ~(FramePool::kAlignment - 1);
}

struct FreeFrame {
    FreeFrame* next;
};

class FreeLists {
   public:
    FreeLists() = default;
    FreeLists(const FreeLists&) = delete;
    FreeLists& operator=(const FreeLists&) = delete;

    ~FreeLists() {
        for (FreeFrame*& list : lists_) {
            while (list != nullptr) {
                FreeFrame* const frame = list;
                list = frame->next;
                std::free(frame);
            }
        }
    }

    void* take(std::size_t size) {
        const std::size_t rounded = round_up(size);
        FreeFrame** const list = list_for(rounded);
        if (list == nullptr || *list == nullptr) return std::aligned_alloc(FramePool::kAlignment, rounded);
        FreeFrame* const frame = *list;
        *list = frame->next;
        return frame;
    }

    void release(void* frame, std::size_t size) {
        FreeFrame** const list = list_for(round_up(size));
        if (list == nullptr) return std::free(frame);
        auto* const free_frame = static_cast<FreeFrame*>(frame);
        free_frame->next = *list;
        *list = free_frame;
    }

   private:
    FreeFrame** list_for(std::size_t rounded) {
        const std::size_t index = rounded / FramePool::kAlignment;
        return index < kSizeClasses ? &lists_[index] : nullptr;
    }

    std::array<FreeFrame*, kSizeClasses> lists_{};
};

thread_local FreeLists free_lists;

}  // namespace

void* FramePool::take(std::size_t size) noexcept { return free_lists.take(size); }

void FramePool::release(void* frame, std::size_t size) noexcept { free_lists.release(frame, size); }

}  // namespace polystore
