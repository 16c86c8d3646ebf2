#pragma once

#include <string>

#include "polystore/error.hpp"

namespace polystore::testing {

/// Returns the failure of a call as "ERR_...: message", or "" if it did not fail.
template <typename Call>
std::string failure_of(Call call) {
    try {
        call();
    } catch (const Error& error) {
        return std::string(name_of(error.code())) + ": " + error.what();
    }
    return "";
}

/// Returns the code of the error that a call fails with, or "" if it does not fail.
template <typename Call>
std::string code_of(Call call) {
    const std::string failure = failure_of(call);
    return failure.substr(0, failure.find(':'));
}

}  // namespace polystore::testing
