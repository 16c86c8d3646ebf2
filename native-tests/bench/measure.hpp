#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

/// Measures two implementations in turn, so that a machine that slows down slows both.
namespace polystore::bench {

/// A timed action, which returns the seconds that it took. Its preparation is not timed.
using Timed = std::function<double()>;

/// Returns the seconds that `action` takes.
[[nodiscard]] double seconds(const std::function<void()>& action);

struct Row {
    std::string name;
    std::string unit;
    double ours = 0;
    double theirs = 0;
    std::string against;           ///< The name of the peer.
    std::optional<double> target;  ///< The factor by which the engine has to be better than the peer.
};

/// Runs both `rounds` times in turn and compares the fastest runs, because other load only ever adds time. The row is
/// in microseconds per operation; a run has `operations` of them.
[[nodiscard]] Row race(const std::string& name, double operations, const Timed& ours, const std::string& against,
                       const Timed& theirs, std::optional<double> target, int rounds = 7);

/// Prints the rows as a table and marks those that miss their target. Returns false if there are any.
bool print(const std::string& title, const std::vector<Row>& rows);

}  // namespace polystore::bench
