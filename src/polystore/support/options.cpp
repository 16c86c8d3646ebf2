#include "polystore/options.hpp"

#include <cmath>

#include "polystore/error.hpp"

namespace polystore {
namespace {

constexpr std::string_view kHowTo =
    R"(Give seconds, or a number and a unit: ms, s, min, h, d, w, month or y, as in "90s" or "1h".)";

}  // namespace

Expires::Seconds Expires::checked(double seconds) {
    if (std::isnan(seconds)) throw Error(ErrorCode::expires, "expires is NaN. " + std::string(kHowTo));
    return {seconds};
}

Expires::Seconds Expires::parsed(std::string_view text) {
    const double seconds = parse_expires(text);
    if (!std::isnan(seconds)) return {seconds};
    throw Error(ErrorCode::expires, "expires is " + show(text) + ", which is not a duration. " + std::string(kHowTo));
}

double system_time() {
    using Milliseconds = std::chrono::duration<double, std::milli>;
    const Milliseconds now = std::chrono::system_clock::now().time_since_epoch();
    return std::floor(now.count());
}

}  // namespace polystore
