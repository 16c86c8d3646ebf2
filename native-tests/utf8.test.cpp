#include "polystore/support/utf8.hpp"

#include <string>

#include "support/catch.hpp"

using polystore::is_utf8;

namespace {

/// Returns the bytes of a code point by the definition of UTF-8, without any check.
std::string encoded(unsigned code) {
    const auto byte = [](unsigned value) { return static_cast<char>(value); };
    if (code < 0x80) return {byte(code)};
    if (code < 0x800) return {byte(0xC0 | code >> 6), byte(0x80 | (code & 63))};
    if (code < 0x10000) return {byte(0xE0 | code >> 12), byte(0x80 | (code >> 6 & 63)), byte(0x80 | (code & 63))};
    return {byte(0xF0 | code >> 18), byte(0x80 | (code >> 12 & 63)), byte(0x80 | (code >> 6 & 63)),
            byte(0x80 | (code & 63))};
}

}  // namespace

TEST_CASE("every code point is UTF-8, except for surrogates and those beyond U+10FFFF", "[utf8]") {
    unsigned wrong = 0;
    for (unsigned code = 0; code < 0x120000; ++code) {
        const bool expected = code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
        if (is_utf8(encoded(code)) != expected) ++wrong;
        if (code >= 0x80 && is_utf8(encoded(code).substr(0, encoded(code).size() - 1))) ++wrong;
    }
    CHECK(wrong == 0);
}

TEST_CASE("a text is UTF-8 only if all of it is", "[utf8]") {
    CHECK(is_utf8(""));
    CHECK(is_utf8(std::string("a\0b", 3)));
    CHECK(is_utf8("grüße 鍵 🦊 z"));
    CHECK_FALSE(is_utf8("grüße \xff"));
    CHECK_FALSE(is_utf8("🦊\xf0\x9f"));
}

TEST_CASE("overlong forms and stray bytes are not UTF-8", "[utf8]") {
    for (const char* text : {"\x80", "\xbf", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xe0\x9f\xbf", "\xf0\x80\x80\xaf",
                             "\xf0\x8f\xbf\xbf", "\xf5\x80\x80\x80", "\xfe", "\xff", "\xed\xa0\x80", "\xc3(",
                             "\xe2(\xa1", "\xe2\x82(", "\xf0(\x8c\xbc", "\xf0\x90(\xbc", "\xf0\x28\x8c\x28"}) {
        CHECK_FALSE(is_utf8(text));
    }
}
