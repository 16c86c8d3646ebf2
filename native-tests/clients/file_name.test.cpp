#include "polystore/clients/file_name.hpp"

#include <string>

#include "support/catch.hpp"
#include "support/code_of.hpp"

using polystore::to_file_name;
using polystore::to_key;
using polystore::testing::code_of;

TEST_CASE("a key makes the name that encodeURIComponent makes", "[file_name]") {
    CHECK(to_file_name("") == ".json");
    CHECK(to_file_name("AZaz09-_.!~'()") == "AZaz09-_.!~'().json");
    CHECK(to_file_name("../a b.json") == "..%2Fa%20b.json.json");
    CHECK(to_file_name("user:1?*%") == "user%3A1%3F%2A%25.json");
    CHECK(to_file_name("ü鍵🦊") == "%C3%BC%E9%8D%B5%F0%9F%A6%8A.json");
    CHECK(to_file_name(std::string("\0\x7f\\", 3)) == "%00%7F%5C.json");
}

TEST_CASE("the name of a key leads back to it", "[file_name]") {
    for (int byte = 0; byte < 128; ++byte) {
        const std::string key = {'x', static_cast<char>(byte), 'y'};
        CHECK(to_key(to_file_name(key)) == key);
    }
    for (const char* key : {"", ".", "..", ".json", "a.json", "ü鍵🦊", "%2A", "%", "%%", "a%zz"}) {
        CHECK(to_key(to_file_name(key)) == key);
    }
}

TEST_CASE("a name that no key makes belongs to none", "[file_name]") {
    for (const char* name :
         {"",         "a",        "json",     "a.jso",    "a.JSON",         "a.json.tmp",  "100%.json",
          "%.json",   "%2.json",  "%zz.json", "a b.json", "a:b.json",       "*.json",      "%2a.json",
          "%61.json", "%FF.json", "%C3.json", "ü.json",   "%ED%A0%80.json", "%C0%AF.json", ".polystore-1-1.tmp",
          "a/b.json", "%25%.json"}) {
        INFO(name);
        CHECK_FALSE(to_key(name).has_value());
    }
    CHECK_FALSE(to_key(std::string(251, 'a') + ".json").has_value());
}

TEST_CASE("a key that makes no name is refused", "[file_name]") {
    CHECK(to_file_name(std::string(250, 'a')).size() == 255);
    CHECK(code_of([] { return to_file_name(std::string(251, 'a')); }) == "ERR_KEY");
    CHECK(code_of([] { return to_file_name(std::string(10000, '*')); }) == "ERR_KEY");
    CHECK(code_of([] { return to_file_name("\xff"); }) == "ERR_KEY");
    CHECK(code_of([] { return to_file_name("\xed\xa0\x80"); }) == "ERR_KEY");
    CHECK_THAT(polystore::testing::failure_of([] { return to_file_name(std::string(251, 'a')); }),
               Catch::Contains("256 bytes"));
}
