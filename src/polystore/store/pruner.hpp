#pragma once

#include <chrono>
#include <memory>

#include "polystore/store.hpp"

namespace polystore {

/// A thread that prunes a store again and again, until it is stopped, or until the client is closed.
class Pruner {
   public:
    using Period = std::chrono::duration<double>;

    /// @param period The time from the end of one prune to the start of the next.
    Pruner(Store store, Period period);
    Pruner(const Pruner&) = delete;
    Pruner& operator=(const Pruner&) = delete;
    /// Stops it.
    ~Pruner();

    /// Ends the thread. Waits for a prune in progress.
    void stop();

   private:
    struct State;

    std::unique_ptr<State> state_;
    unsigned process_;  ///< The one that has the thread.
};

}  // namespace polystore
