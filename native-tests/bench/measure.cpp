#include "bench/measure.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <limits>

namespace polystore::bench {
namespace {

std::string number(double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.2f", value);
    return text.data();
}

}  // namespace

double seconds(const std::function<void()>& action) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point start = Clock::now();
    action();
    return std::chrono::duration<double>(Clock::now() - start).count();
}

Row race(const std::string& name, double operations, const Timed& ours, const std::string& against, const Timed& theirs,
         std::optional<double> target, int rounds) {
    double our_best = std::numeric_limits<double>::infinity();
    double their_best = our_best;
    for (int round = 0; round < rounds; ++round) {
        our_best = std::min(our_best, ours());
        their_best = std::min(their_best, theirs());
    }
    constexpr double kMicroseconds = 1e6;
    return {name,    "µs",  our_best / operations * kMicroseconds, their_best / operations * kMicroseconds,
            against, target};
}

bool print(const std::string& title, const std::vector<Row>& rows) {
    std::vector<std::array<std::string, 7>> cells = {
        {title, "ours", "theirs", "against", "times as good", "target", ""}};
    bool all_met = true;
    for (const Row& row : rows) {
        const double ratio = row.theirs / row.ours;
        const bool met = !row.target || ratio >= *row.target;
        all_met = all_met && met;
        cells.push_back({row.name, number(row.ours) + " " + row.unit, number(row.theirs) + " " + row.unit, row.against,
                         number(ratio) + "×", row.target ? number(*row.target) + "×" : "", met ? "" : "MISSED"});
    }
    // The width in characters of UTF-8: all bytes except the first of each have the form 10xxxxxx.
    const auto width = [](const std::string& text) {
        return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
    };
    std::array<std::ptrdiff_t, 7> widths{};
    for (const auto& line : cells) {
        for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], width(line[i]));
    }
    for (const auto& line : cells) {
        std::string text;
        for (std::size_t i = 0; i < line.size(); ++i) {
            text += line[i] + std::string(static_cast<std::size_t>(widths[i] - width(line[i])) + 2, ' ');
        }
        text.erase(text.find_last_not_of(' ') + 1);
        std::puts(text.c_str());
    }
    std::puts("");
    return all_met;
}

}  // namespace polystore::bench
