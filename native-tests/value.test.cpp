#include "polystore/value.hpp"

#include <limits>
#include <string>

#include "polystore/error.hpp"
#include "support/catch.hpp"
#include "support/code_of.hpp"

using polystore::check_value;
using polystore::Json;
using polystore::kDeepestNesting;
using polystore::parse_json;
using polystore::testing::failure_of;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string complaint_about(const Json& value) {
    const std::string failure = failure_of([&] { check_value(value); });
    return failure.substr(0, failure.find(", which"));
}

Json nested(std::size_t depth) {
    Json value = 1;
    for (std::size_t i = 0; i < depth; ++i) value = i % 2 == 0 ? Json::array({value}) : Json{{"a", value}};
    return value;
}

}  // namespace

TEST_CASE("every JSON text is a value", "[value]") {
    for (const char* text : {"null", "true", "0", "-0.0", "1e308", "18446744073709551615", "\"\"", "[]", "{}",
                             R"({"":[null,{"__proto__":{}}],"鍵":"🦊"})"}) {
        CHECK(complaint_about(Json::parse(text)).empty());
    }
}

TEST_CASE("a part that JSON cannot hold is reported with its path", "[value]") {
    CHECK(complaint_about(kNan) == "ERR_VALUE: value is NaN");
    CHECK(complaint_about(-kInfinity) == "ERR_VALUE: value is infinite");
    CHECK(complaint_about(Json::binary({1})) == "ERR_VALUE: value is binary");
    CHECK(complaint_about(Json::parse("{", nullptr, false)) == "ERR_VALUE: value is what a failed parse left");
    CHECK(complaint_about({{"user", {{"name", "x"}, {"born", kNan}}}}) == "ERR_VALUE: value.user.born is NaN");
    CHECK(complaint_about({1, {{"a b", {0, kInfinity}}}}) == R"(ERR_VALUE: value[1]["a b"][1] is infinite)");
    CHECK(complaint_about({{"", kNan}}) == R"(ERR_VALUE: value[""] is NaN)");
    CHECK(complaint_about({{"text", "\xff"}}) == "ERR_VALUE: value.text is a string that is not UTF-8: \"\uFFFD\"");
    CHECK(complaint_about({{"user", {{"\xff", 1}}}}) ==
          "ERR_VALUE: value.user has a member whose name, \"\uFFFD\", is not UTF-8");
}

TEST_CASE("a value is nested at most 1,000 levels deep", "[value]") {
    CHECK(complaint_about(nested(kDeepestNesting)).empty());
    CHECK(complaint_about(nested(kDeepestNesting + 1)) ==
          "ERR_VALUE: value is nested too deeply: 1,000 levels are the most.");
}

TEST_CASE("a text that is nested too deeply is rejected before it is parsed", "[value]") {
    CHECK(parse_json(nested(kDeepestNesting).dump()) == nested(kDeepestNesting));
    CHECK(parse_json(nested(kDeepestNesting + 2).dump()) == nested(kDeepestNesting + 2));  // In a record, in a file.
    CHECK_THROWS_WITH(parse_json(nested(kDeepestNesting + 3).dump()), "nested more than 1,000 levels deep");
    CHECK_THROWS(parse_json(std::string(1'000'000, '[')));
}

TEST_CASE("brackets in strings do not count as nesting", "[value]") {
    const std::string many(5000, '[');
    for (const Json& brackets : {Json(many), Json("\"" + many), Json("\\" + many), Json("\\\"" + many), Json{{many, 1}},
                                 Json{{"\"", many}}, Json{{"\\", many}}}) {
        CHECK(parse_json(brackets.dump()) == brackets);
    }
    CHECK(parse_json("[" + std::string(3000, ' ') + "[],[],[],{}]").size() == 4);
}

TEST_CASE("a text that is not JSON is an error", "[value]") {
    for (const char* text : {"", " ", "{", "]", "[1,]", "{'a':1}", "NaN", "\"\\ud800\"", "\"\xff\"", "1 2", "1e999"}) {
        CHECK_THROWS_AS(parse_json(text), std::exception);
    }
}
