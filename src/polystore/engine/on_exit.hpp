#pragma once

#include <utility>

namespace polystore::engine {

/// Does something when its scope is left, by an exception as well, unless it was dismissed before. What it does must
/// not throw.
template <typename Action>
class [[nodiscard]] OnExit {
   public:
    explicit OnExit(Action action) : action_(std::move(action)) {}
    OnExit(const OnExit&) = delete;
    OnExit& operator=(const OnExit&) = delete;
    ~OnExit() {
        if (armed_) action_();
    }

    void dismiss() { armed_ = false; }

   private:
    Action action_;
    bool armed_ = true;
};

}  // namespace polystore::engine
