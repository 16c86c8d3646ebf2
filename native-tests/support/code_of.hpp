#pragma once

#include <string>

#include "polystore/error.hpp"

namespace polystore::testing {

/// How a call failed, as "ERR_...: message"; "" if it did not.
template <typename Call>
std::string failure_of(Call call) {
    try {
        call();
    } catch (const Error& error) {
        return std::string(name_of(error.code())) + ": " + error.what();
    }
    return "";
}

/// The code of the error that a call fails with; "" if it does not fail.
template <typename Call>
std::string code_of(Call call) {
    const std::string failure = failure_of(call);
    return failure.substr(0, failure.find(':'));
}

}  // namespace polystore::testing
