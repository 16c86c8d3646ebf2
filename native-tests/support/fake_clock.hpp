#pragma once

#include <memory>

#include "polystore/options.hpp"

namespace polystore::testing {

/// A clock that stands still until it is advanced. Copies show the same time.
class FakeClock {
   public:
    static constexpr double kStart = 1'700'000'000'000;

    void advance(double milliseconds) { *now_ += milliseconds; }
    double operator()() const { return *now_; }

   private:
    std::shared_ptr<double> now_ = std::make_shared<double>(kStart);
};

}  // namespace polystore::testing
