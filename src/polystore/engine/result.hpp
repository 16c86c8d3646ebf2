#pragma once

#include <string>
#include <utility>
#include <variant>

#include "polystore/error.hpp"

/// The results of the engine's calls. For WebAssembly the engine is built without exceptions, so it throws none.
namespace polystore::engine {

/// An error in the form in which it reaches the user.
struct Failure {
    ErrorCode code;
    std::string message;
};

/// A `T`, or the reason why there is none.
template <typename T>
class [[nodiscard]] Result {
   public:
    Result(T value) : held_(std::in_place_index<0>, std::move(value)) {}
    Result(Failure failure) : held_(std::in_place_index<1>, std::move(failure)) {}

    [[nodiscard]] bool ok() const { return held_.index() == 0; }
    [[nodiscard]] T& operator*() { return *std::get_if<0>(&held_); }
    [[nodiscard]] T* operator->() { return std::get_if<0>(&held_); }
    [[nodiscard]] Failure& failure() { return *std::get_if<1>(&held_); }

   private:
    std::variant<T, Failure> held_;
};

struct Done {};
using Status = Result<Done>;

}  // namespace polystore::engine
