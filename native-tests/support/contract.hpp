#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "polystore/client.hpp"
#include "polystore/value.hpp"
#include "support/fake_clock.hpp"

/// Runs the cases of web-tests/contract/cases.json, whose grammar is in runner.js beside it, on the C++ API.
namespace polystore::testing {

/// A storage that the cases are run on.
struct Subject {
    std::string name;
    /// Opens the storage, the first time empty: on the same path again, or the same client if it is all there is.
    std::function<std::shared_ptr<Client>()> open;
    FakeClock clock = {};
    /// What it refuses to hold, by the names that cases are marked `awkward` with, and the code that it fails with.
    std::map<std::string, std::string> refuses = {};
};

/// The cases in the file at `path`. Throws where it does not follow the grammar, or holds none.
[[nodiscard]] std::vector<Json> read_cases(const std::string& path);

/// Throws where `test_case` does not follow the grammar.
void check_case(const Json& test_case);

/// What is wrong with the way that the subject does a case; "" if nothing is.
[[nodiscard]] std::string run_case(const Json& test_case, const Subject& subject);

}  // namespace polystore::testing
