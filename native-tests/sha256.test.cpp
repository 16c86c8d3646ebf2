#include "polystore/support/sha256.hpp"

#include <string>

#include "support/catch.hpp"

using polystore::sha256;

TEST_CASE("sha256: the examples of the standard", "[sha256]") {
    CHECK(sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    CHECK(sha256(std::string(1'000'000, 'a')) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("sha256: every length around the end of a block", "[sha256]") {
    // The hash of all these hashes, one after the other, is the same as that of sha256sum.
    std::string all;
    for (std::size_t length = 0; length <= 130; ++length) all += sha256(std::string(length, '\xff'));
    CHECK(sha256(all) == "cf649f34677fc3b17f8e2bdb9c4216d26d31e4e4450e9eb9fd9fa59c73723250");
}
