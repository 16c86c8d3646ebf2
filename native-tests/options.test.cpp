#include "polystore/options.hpp"

#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "support/catch.hpp"
#include "support/code_of.hpp"

using polystore::Expires;
using polystore::kNever;
using polystore::testing::failure_of;
using namespace std::chrono_literals;

// These are typing mistakes and must not compile.
static_assert(!std::is_constructible_v<Expires, bool>);
static_assert(!std::is_constructible_v<Expires, char>);
static_assert(!std::is_constructible_v<Expires, std::nullptr_t>);
static_assert(!std::is_constructible_v<Expires, std::chrono::system_clock::time_point>);

TEST_CASE("an expiry can be seconds, a duration, a text, or never", "[options]") {
    CHECK(Expires(5).seconds() == 5);
    CHECK(Expires(5U).seconds() == 5);
    CHECK(Expires(0.25F).seconds() == 0.25);
    CHECK(Expires(-1).seconds() == -1);
    CHECK(Expires(1h).seconds() == 3600);
    CHECK(Expires(1500ms).seconds() == 1.5);
    CHECK(Expires(std::chrono::duration<double, std::ratio<60>>(0.5)).seconds() == 30);
    CHECK(Expires("1h").seconds() == 3600);
    CHECK(Expires(std::string("2 days")).seconds() == 172800);
    CHECK(Expires(std::string_view("90s")).seconds() == 90);
    CHECK(Expires(std::nullopt).seconds() == kNever);
    CHECK(Expires(std::numeric_limits<double>::infinity()).seconds() == kNever);
}

TEST_CASE("an omitted expiry differs from one that is never", "[options]") {
    CHECK_FALSE(Expires().given());
    CHECK(Expires().seconds() == kNever);
    CHECK(Expires(std::nullopt).given());
    CHECK(Expires(0).given());
    CHECK(Expires("1h").given());
    CHECK_FALSE(polystore::SetOptions().expires.given());
    CHECK_FALSE(polystore::StoreOptions().expires.given());
}

TEST_CASE("an invalid expiry is an error that quotes it", "[options]") {
    CHECK_THAT(failure_of([] { Expires("soon"); }), Catch::StartsWith("ERR_EXPIRES: expires is \"soon\", which"));
    CHECK_THAT(failure_of([] { Expires(""); }), Catch::StartsWith("ERR_EXPIRES: expires is \"\", which"));
    CHECK_THAT(failure_of([] { Expires(std::nan("")); }), Catch::StartsWith("ERR_EXPIRES: expires is NaN."));
    CHECK_THAT(failure_of([] { Expires(std::string(1000, '5')); }), Catch::Contains("5…\""));
}

TEST_CASE("the system clock returns whole milliseconds since the epoch", "[options]") {
    const double now = polystore::system_time();
    CHECK(now > 1.6e12);
    CHECK(now < 8.64e15);
    CHECK(now == std::floor(now));
}
