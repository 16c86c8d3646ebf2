#include "polystore/engine/timer.hpp"

namespace polystore::engine {
namespace {

template <typename SomeClock>
std::chrono::milliseconds read() {
    return std::chrono::floor<std::chrono::milliseconds>(SomeClock::now().time_since_epoch());
}

class SystemTimer : public Timer {
   public:
    std::int64_t now() override { return read<std::chrono::system_clock>().count(); }
    std::chrono::milliseconds elapsed() override { return read<std::chrono::steady_clock>(); }
    void wait(std::unique_lock<std::mutex>& hold, std::condition_variable& wake,
              std::chrono::milliseconds time) override {
        wake.wait_for(hold, time);
    }
};

}  // namespace

Timer& system_timer() {
    // The timer is never destroyed, so that a static store may still use it when the process ends.
    static auto* const timer = new SystemTimer;
    return *timer;
}

}  // namespace polystore::engine
