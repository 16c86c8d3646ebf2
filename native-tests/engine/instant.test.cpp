#include "polystore/engine/instant.hpp"

#include "support/catch.hpp"

using namespace polystore;
using namespace polystore::engine;

TEST_CASE("instant: never converts to never in both directions", "[engine]") {
    CHECK(to_instant(kNever) == kNoExpiry);
    CHECK(to_number(kNoExpiry) == kNever);
}

TEST_CASE("instant: a fraction of a millisecond is rounded down", "[engine]") {
    CHECK(to_instant(1.0) == 1);
    CHECK(to_instant(1.999) == 1);
    CHECK(to_instant(0.5) == 0);
    CHECK(to_instant(-0.5) == -1);
}

TEST_CASE("instant: the latest date of JavaScript is kept, and a number that is too large is never", "[engine]") {
    constexpr double kLatest = 8.64e15;
    CHECK(to_instant(kLatest) == 8'640'000'000'000'000);
    CHECK(to_number(to_instant(kLatest)) == kLatest);
    CHECK(to_instant(9223372036854774784.0) == 9'223'372'036'854'774'784);  // The last one that fits.
    CHECK(to_instant(9223372036854775808.0) == kNoExpiry);
    CHECK(to_instant(1e300) == kNoExpiry);
}
