#include "polystore/range.hpp"

#include <optional>
#include <string>
#include <utility>

#include "support/catch.hpp"

using namespace polystore;

namespace {

std::pair<std::string, std::optional<std::string>> bounds(const Range& range) {
    Bounds bounds = bounds_of(range);
    return {std::move(bounds.first), std::move(bounds.end)};
}

using Pair = std::pair<std::string, std::optional<std::string>>;

}  // namespace

TEST_CASE("range: a prefix ends before the first id that does not begin with it", "[range]") {
    CHECK(bounds({}) == Pair{"", std::nullopt});
    CHECK(bounds({.prefix = "a"}) == Pair{"a", "b"});
    CHECK(bounds({.prefix = "a\xFF\xFF"}) == Pair{"a\xFF\xFF", "b"});
    CHECK(bounds({.prefix = "\xFF"}) == Pair{"\xFF", std::nullopt});
    CHECK(bounds({.prefix = "\x7F"}) == Pair{"\x7F", "\x80"});
}

TEST_CASE("range: bounds narrow a prefix, and never widen it", "[range]") {
    CHECK(bounds({.prefix = "b", .gt = "b", .lte = "bz"}) == Pair{std::string("b\0", 2), std::string("bz\0", 3)});
    CHECK(bounds({.prefix = "b", .gte = "a", .lt = "z"}) == Pair{"b", "c"});
    CHECK(bounds({.gt = "x", .gte = "a", .lt = "b", .lte = "y"}) == Pair{"a", std::string("y\0", 2)});
}

TEST_CASE("range: bounds that leave nothing are empty", "[range]") {
    for (const Range& range : {Range{.gte = "b", .lt = "a"}, Range{.prefix = "b", .gt = "c"},
                               Range{.prefix = "b", .lt = "a"}, Range{.gt = "a", .lte = "a"}}) {
        const Bounds bounds = bounds_of(range);
        CHECK(bounds.first == bounds.end);
        CHECK_FALSE(bounds.contains(bounds.first));
    }
}
