#include "polystore/core/id.hpp"

#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "support/catch.hpp"

using polystore::kIdAlphabet;
using polystore::make_id_characters;

namespace {

std::string characters_of(std::vector<std::uint8_t> bytes) {
    const std::size_t length = make_id_characters(bytes);
    return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length)};
}

}  // namespace

TEST_CASE("the alphabet of ids is the letters and digits of ASCII, each once", "[id]") {
    std::set<char> expected;
    for (char c = 'a'; c <= 'z'; ++c) expected.insert({c, static_cast<char>(c - 'a' + 'A')});
    for (char c = '0'; c <= '9'; ++c) expected.insert(c);
    CHECK(std::set<char>(kIdAlphabet.begin(), kIdAlphabet.end()) == expected);
    CHECK(kIdAlphabet.size() == 62);
}

TEST_CASE("every character of an id is made from the same number of bytes", "[id]") {
    std::map<char, int> count;
    int refused = 0;
    for (int byte = 0; byte < 256; ++byte) {
        const std::string made = characters_of({static_cast<std::uint8_t>(byte)});
        if (made.empty()) {
            ++refused;
        } else {
            ++count[made.at(0)];
        }
    }
    CHECK(count.size() == 62);
    for (const auto& [character, bytes] : count) {
        INFO(character);
        CHECK(bytes == 4);
    }
    CHECK(refused == 8);
}

TEST_CASE("bytes that do not make a character are skipped, and the others move up", "[id]") {
    CHECK(characters_of({}).empty());
    CHECK(characters_of({255, 248}).empty());
    CHECK(characters_of({0, 255, 1, 248, 247, 61, 62}) ==
          "AB9"
          "9A");
}
