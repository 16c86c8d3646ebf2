#pragma once

#include <memory>
#include <vector>

namespace polystore {

class Watching;

/// A call of a thread. A thread in a call may be led to others, for example by a client that uses a store; when the
/// outermost of them has ended, and all locks with it, those are told who watch what was changed. Each `Hold` under
/// which a client may change something is in a turn.
class Turn {
   public:
    Turn() noexcept {
        if (!outermost_) outermost_ = this;
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() {
        if (outermost_ != this) return;
        outermost_ = nullptr;
        if (!due_.empty()) tell();
    }

    /// The outermost turn of this thread; null if there is none.
    [[nodiscard]] static Turn* outermost() noexcept { return outermost_; }

    /// Tells this watcher at the end.
    void add(std::shared_ptr<Watching> watching) { due_.push_back(std::move(watching)); }

   private:
    void tell() noexcept;

    inline static constinit thread_local Turn* outermost_ = nullptr;

    std::vector<std::shared_ptr<Watching>> due_;
};

}  // namespace polystore
