#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

/// Measures two ways of doing the same in turn, so that a machine that slows down slows both.
namespace polystore::bench {

/// What is timed, and gives the seconds that it took. What it needs is prepared before, and not timed.
using Timed = std::function<double()>;

/// The seconds that `action` takes.
[[nodiscard]] double seconds(const std::function<void()>& action);

struct Row {
    std::string name;
    std::string unit;
    double ours = 0;
    double theirs = 0;
    std::string against;           ///< Who the peer is.
    std::optional<double> target;  ///< How many times as good as the peer we have to be.
};

/// Both are run `rounds` times in turn, and the fastest of each counts: what else the machine does only ever adds. The
/// row is in microseconds an operation, of which a run does so many.
[[nodiscard]] Row race(const std::string& name, double operations, const Timed& ours, const std::string& against,
                       const Timed& theirs, std::optional<double> target, int rounds = 7);

/// Prints the rows as a table, those that miss their target marked; false if there are such.
bool print(const std::string& title, const std::vector<Row>& rows);

}  // namespace polystore::bench
