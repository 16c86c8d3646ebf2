#include "polystore/engine/crc32c.hpp"

#include <cstdint>
#include <string>

#include "support/catch.hpp"

using polystore::engine::crc32c;
using polystore::engine::crc32c_before;

TEST_CASE("crc32c: the vectors of RFC 3720", "[engine]") {
    CHECK(crc32c("") == 0);
    CHECK(crc32c("123456789") == 0xE3069283);
    CHECK(crc32c(std::string(32, '\0')) == 0x8A9136AA);
    CHECK(crc32c(std::string(32, '\xFF')) == 0x62A8AB43);
    std::string ascending;
    for (char c = 0; c < 32; ++c) ascending += c;
    CHECK(crc32c(ascending) == 0x46DD794E);
}

TEST_CASE("crc32c: a part continues from the part before", "[engine]") {
    const std::string text = "The quick brown fox jumps over the lazy dog";
    for (std::size_t i = 0; i <= text.size(); ++i) {
        CHECK(crc32c(text.substr(i), crc32c(text.substr(0, i))) == crc32c(text));
    }
}

TEST_CASE("crc32c: the CRC before a part can be recovered", "[engine]") {
    for (const std::uint32_t before : {0U, 1U, 65U, 0x12345678U, 0xFFFFFFFFU}) {
        for (const std::string& text :
             {std::string(), std::string("a"), std::string(28, '\0'), std::string("123456789")}) {
            CHECK(crc32c_before(crc32c(text, before), text) == before);
        }
    }
}
