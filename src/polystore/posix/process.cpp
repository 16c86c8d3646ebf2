#include "polystore/posix/process.hpp"

#include <pthread.h>

#include <atomic>

namespace polystore::posix {
namespace {

std::atomic<unsigned> forks = 0;

const int kRegistered = pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });

}  // namespace

unsigned this_process() noexcept { return forks.load(std::memory_order_relaxed); }

}  // namespace polystore::posix
