#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "polystore/client.hpp"
#include "polystore/value.hpp"
#include "support/fake_clock.hpp"

/// Runs the cases of js/contract/cases.json and changes.json on the C++ API. runner.js beside these files describes
/// their grammar.
namespace polystore::testing {

/// A storage that runs the cases.
struct Subject {
    std::string name;
    /// Opens the storage, empty at first. Later calls open the same path, or return the same client if it holds the
    /// data.
    std::function<std::shared_ptr<Client>()> open;
    FakeClock clock = {};
    /// The values that the storage refuses, by the `awkward` names of the cases, and the code of the error.
    std::map<std::string, std::string> refuses = {};
};

/// Returns the cases in the file at `path`. Throws if it does not follow the grammar or does not contain a case.
[[nodiscard]] std::vector<Json> read_cases(const std::string& path);

/// Throws if `test_case` does not follow the grammar.
void check_case(const Json& test_case);

/// Runs a case on the subject. Returns the difference from the expected results, or "" if there is none.
[[nodiscard]] std::string run_case(const Json& test_case, const Subject& subject);

}  // namespace polystore::testing
