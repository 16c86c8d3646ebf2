#pragma once

#include <utility>

namespace polystore::engine {

/// Runs an action, which must not throw, when its scope is left, also by an exception, unless it was dismissed.
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
