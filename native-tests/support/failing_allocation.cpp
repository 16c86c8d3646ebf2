// Replaces the allocator of the whole test program by one that can be told to fail.

#include "support/failing_allocation.hpp"

#include <cstdlib>
#include <new>

namespace polystore::testing {
namespace {

struct Plan {
    bool armed = false;
    bool all = false;
    bool reached = false;
    std::size_t before = 0;
};
thread_local Plan plan;

bool fails() {
    if (!plan.armed) return false;
    if (plan.before > 0) {
        --plan.before;
        return false;
    }
    plan.armed = plan.all;
    plan.reached = true;
    return true;
}

void* allocated_or_null(std::size_t size) noexcept { return fails() ? nullptr : std::malloc(size == 0 ? 1 : size); }

void* allocated(std::size_t size) {
    void* const memory = allocated_or_null(size);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

}  // namespace

FailingAllocation::FailingAllocation(std::size_t before, Kind kind) { plan = {true, kind == Kind::all, false, before}; }

FailingAllocation::~FailingAllocation() { plan.armed = false; }

bool FailingAllocation::was_reached() { return plan.reached; }

}  // namespace polystore::testing

void* operator new(std::size_t size) { return polystore::testing::allocated(size); }
void* operator new[](std::size_t size) { return polystore::testing::allocated(size); }
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
    return polystore::testing::allocated_or_null(size);
}
void* operator new[](std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
    return polystore::testing::allocated_or_null(size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t /*size*/) noexcept { std::free(memory); }
