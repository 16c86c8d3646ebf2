#include "polystore/record.hpp"

#include <string>

#include "support/catch.hpp"

using polystore::Json;
using polystore::kNever;
using polystore::parse_record;
using polystore::Record;
using polystore::to_record;
using polystore::to_text;

TEST_CASE("a record is written as polystore 0.27 writes it", "[record]") {
    CHECK(to_text({kNever, "hello"}) == "{\n  \"expires\": null,\n  \"value\": \"hello\"\n}");
    CHECK(to_text({1700000000000, {{"a", {1, 2}}}}) ==
          "{\n  \"expires\": 1700000000000,\n  \"value\": {\n    \"a\": [\n      1,\n      2\n    ]\n  }\n}");
    CHECK(to_text({1700000000000.5, 1}) == "{\n  \"expires\": 1700000000000.5,\n  \"value\": 1\n}");
}

TEST_CASE("a record is read back unchanged", "[record]") {
    for (const double expires : {kNever, 0.0, -1.0, 0.5, 1700000000000.0, 1700000000000.5, 8.64e15, 1e300}) {
        for (const Json& value : {Json(false), Json(0), Json(""), Json(1.5), Json::parse(R"([null,{"ü":"\u0000"}])")}) {
            CHECK(parse_record(to_text({expires, value})) == Record{expires, value});
        }
    }
}

TEST_CASE("a record may be compact, in any order, and have additional members", "[record]") {
    CHECK(parse_record(R"({"expires":null,"value":1})") == Record{kNever, 1});
    CHECK(parse_record(R"( {"value":{"expires":2},"more":3,"expires":1e3} )") == Record{1000, {{"expires", 2}}});
    CHECK(parse_record(R"({"expires":-5,"value":""})") == Record{-5, ""});
}

TEST_CASE("data that is not a record is rejected", "[record]") {
    for (const char* text : {"",
                             "null",
                             "1",
                             "\"text\"",
                             "[]",
                             "{}",
                             R"({"value":1})",
                             R"({"expires":null})",
                             R"({"expires":1})",
                             R"({"expires":"1","value":1})",
                             R"({"expires":true,"value":1})",
                             R"({"expires":[],"value":1})",
                             R"({"expires":{},"value":1})",
                             R"({"expires":null,"value":null})",
                             R"([{"expires":null,"value":1}])",
                             R"({"expires":null,"value":1)",
                             R"({"expires":nul)",
                             R"({"Expires":null,"value":1})",
                             "dark",
                             "\xff"}) {
        INFO(text);
        CHECK_FALSE(parse_record(text).has_value());
    }
    CHECK_FALSE(parse_record(std::string(1'000'000, '[')).has_value());
    CHECK_FALSE(to_record(Json()).has_value());
}
