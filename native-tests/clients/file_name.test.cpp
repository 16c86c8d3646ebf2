#include "polystore/clients/file_name.hpp"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "support/catch.hpp"
#include "support/code_of.hpp"

using polystore::Case;
using polystore::is_long;
using polystore::is_same;
using polystore::to_file_name;
using polystore::to_key;
using polystore::testing::code_of;

namespace {

/// Keys that are easily mistaken for each other.
std::vector<std::string> awkward_keys() {
    std::vector<std::string> keys = {"",    ".",   "..",  ".json", "a.json", "A.json", "ü鍵🦊", "Ü鍵🦊",
                                     "%2A", "%2a", "%",   "%%",    "a%zz",   "%41",    "A",         "a",
                                     "Ada", "ada", "aDA", "%41da", "A%41",   "a+b",    "a%2Bb"};
    for (int byte = 0; byte < 128; ++byte) keys.push_back({'x', static_cast<char>(byte), 'y'});
    for (const char* part : {"a", "A", "ü", "%", "+"}) {
        for (const int times : {42, 43, 83, 84, 85, 249, 250, 251, 252, 1000, 10000}) {
            std::string key;
            for (int i = 0; i < times; ++i) key += part;
            keys.push_back(key);
        }
    }
    return keys;
}

}  // namespace

TEST_CASE("a key is encoded as by encodeURIComponent", "[file_name]") {
    const auto name = [](std::string_view key) { return to_file_name(key, Case::counts); };
    CHECK(name("") == ".json");
    CHECK(name("AZaz09-_.!~'()") == "AZaz09-_.!~'().json");
    CHECK(name("../a b.json") == "..%2Fa%20b.json.json");
    CHECK(name("user:1?*%") == "user%3A1%3F%2A%25.json");
    CHECK(name("ü鍵🦊") == "%C3%BC%E9%8D%B5%F0%9F%A6%8A.json");
    CHECK(name(std::string("\0\x7f\\", 3)) == "%00%7F%5C.json");
    CHECK(name(std::string(250, 'a')) == std::string(250, 'a') + ".json");
}

TEST_CASE("keys have the same names as in the JavaScript library", "[file_name]") {
    const auto contract = std::filesystem::path(POLYSTORE_CONTRACT_CASES).parent_path();
    std::ifstream file(contract / "../../web-tests/contract/file_names.json");
    const nlohmann::json cases = nlohmann::json::parse(file);
    REQUIRE(!cases.empty());
    for (const nlohmann::json& names : cases) {
        const std::string key = names.at("key");
        CHECK(to_file_name(key, Case::counts) == names.at("name"));
        CHECK(to_file_name(key, Case::is_ignored) == names.at("ignoringCase"));
        CHECK(to_key(names.at("ignoringCase").get<std::string>()) == key);
    }
}

TEST_CASE("for a disk that ignores case, capitals are escaped", "[file_name]") {
    CHECK(to_file_name("AZaz09-_.!~'()", Case::is_ignored) == "%41%5Aaz09-_.!~'().json");
    CHECK(to_file_name("Ü:x", Case::is_ignored) == "%C3%9C%3Ax.json");
}

TEST_CASE("a name that is too long becomes the head of the key and a hash of the whole key", "[file_name]") {
    // The hashes are those that sha256sum prints for the keys.
    CHECK(to_file_name(std::string(251, 'A'), Case::counts) ==
          std::string(160, 'A') + "+599045be2b36ed4a06b4c7385889c9855bb5fb6de4d03f228458a7a7ff650127.json");
    CHECK(to_file_name(std::string(251, 'A'), Case::is_ignored).starts_with("%41%41"));
    CHECK(to_file_name(std::string(84, 'A'), Case::is_ignored).starts_with("%41%41"));
    CHECK(is_long(to_file_name(std::string(84, 'A'), Case::is_ignored)));
    CHECK_FALSE(is_long(to_file_name(std::string(83, 'A'), Case::is_ignored)));
    std::string foxes;
    for (int i = 0; i < 100; ++i) foxes += "🦊";
    const std::string name = to_file_name(foxes, Case::counts);
    CHECK(name.size() == 156 + 1 + 64 + 5);  // Thirteen whole foxes of twelve bytes each.
    CHECK(to_key(name) == foxes.substr(0, 13 * 4));
}

TEST_CASE("every name is short enough, reveals its key, and is unique on every disk", "[file_name]") {
    for (const Case letter_case : {Case::counts, Case::is_ignored}) {
        std::set<std::string> names;
        for (const std::string& key : awkward_keys()) {
            std::string name = to_file_name(key, letter_case);
            INFO(name);
            CHECK(name.size() <= 255);
            CHECK((is_long(name) ? key.starts_with(to_key(name).value()) : to_key(name) == key));
            if (letter_case == Case::is_ignored) {
                for (char& c : name) c = static_cast<char>(std::tolower(c));
            }
            CHECK(names.insert(name).second);
        }
    }
}

TEST_CASE("an invalid name has no key, or a key with another name", "[file_name]") {
    for (const char* name :
         {"",         "a",         "json",     "a.jso",    "a.JSON",         "a.json.tmp",  "100%.json",
          "%.json",   "%2.json",   "%zz.json", "a b.json", "a:b.json",       "*.json",      "%2a.json",
          "%61.json", "%FF.json",  "%C3.json", "ü.json",   "%ED%A0%80.json", "%C0%AF.json", ".polystore-1-1.tmp",
          "a/b.json", "%25%.json", "a+b.json", "a+.json"}) {
        INFO(name);
        const auto key = to_key(name);
        CHECK_FALSE(is_long(name));
        CHECK((!key || to_file_name(*key, Case::counts) != name));
    }
}

TEST_CASE("names that only differ in case are equal on a disk that ignores case", "[file_name]") {
    CHECK(is_same("Ada%2A.json", "aDA%2a.JSON"));
    CHECK_FALSE(is_same("a", "ab"));
    CHECK_FALSE(is_same("a", "b"));
    CHECK_FALSE(is_same("@", "`"));
}

TEST_CASE("a key that is not UTF-8 is rejected", "[file_name]") {
    CHECK(code_of([] { return to_file_name("\xff", Case::counts); }) == "ERR_KEY");
    CHECK(code_of([] { return to_file_name("\xed\xa0\x80", Case::is_ignored); }) == "ERR_KEY");
    CHECK(code_of([] { return to_file_name(std::string(300, 'a') + '\xff', Case::counts); }) == "ERR_KEY");
}
