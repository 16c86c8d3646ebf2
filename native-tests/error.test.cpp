#include "polystore/error.hpp"

#include <string>

#include "polystore/support/utf8.hpp"
#include "support/catch.hpp"

using polystore::Error;
using polystore::ErrorCode;
using polystore::show;

TEST_CASE("an error has a code, its stable text, and a message", "[error]") {
    const Error error(ErrorCode::quota, "full");
    CHECK(error.code() == ErrorCode::quota);
    CHECK(name_of(error.code()) == "ERR_QUOTA");
    CHECK(std::string(error.what()) == "full");
}

TEST_CASE("the texts of the codes are the same as in JavaScript", "[error]") {
    CHECK(name_of(ErrorCode::client) == "ERR_CLIENT");
    CHECK(name_of(ErrorCode::closed) == "ERR_CLOSED");
    CHECK(name_of(ErrorCode::corrupt) == "ERR_CORRUPT");
    CHECK(name_of(ErrorCode::expires) == "ERR_EXPIRES");
    CHECK(name_of(ErrorCode::key) == "ERR_KEY");
    CHECK(name_of(ErrorCode::unsupported) == "ERR_UNSUPPORTED");
    CHECK(name_of(ErrorCode::value) == "ERR_VALUE");
}

TEST_CASE("a text is shown in quotes and on one line", "[error]") {
    CHECK(show("a \"b\"\n\\") == R"("a \"b\"\n\\")");
    CHECK(show("grüße") == "\"grüße\"");
    CHECK(show("") == "\"\"");
}

TEST_CASE("a long text is shown shortened, without splitting a character", "[error]") {
    CHECK(show(std::string(60, 'x')) == '"' + std::string(60, 'x') + '"');
    CHECK(show(std::string(61, 'x')) == '"' + std::string(60, 'x') + "…\"");
    for (std::size_t blanks = 0; blanks < 5; ++blanks) {
        std::string text(blanks, ' ');
        for (int i = 0; i < 100; ++i) text += "鍵";
        CHECK(polystore::is_utf8(show(text)));
        CHECK(show(text).find("\uFFFD") == std::string::npos);
    }
}

TEST_CASE("a text that is not UTF-8 is shown too", "[error]") {
    CHECK(show("a\xff") == "\"a\uFFFD\"");
    CHECK(polystore::is_utf8(show(std::string(200, '\x80'))));
}
