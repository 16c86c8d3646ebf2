#include "polystore/support/random_id.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "polystore/core/id.hpp"
#include "support/catch.hpp"

using polystore::IdMaker;
using polystore::make_random_id;

TEST_CASE("a random id is 24 letters and digits, and differs from the others", "[random_id]") {
    std::set<std::string> ids;
    std::set<char> characters;
    for (int i = 0; i < 1000; ++i) {
        const std::string id = make_random_id();
        CHECK(id.size() == 24);
        ids.insert(id);
        characters.insert(id.begin(), id.end());
    }
    CHECK(ids.size() == 1000);
    CHECK(characters == std::set<char>(polystore::kIdAlphabet.begin(), polystore::kIdAlphabet.end()));
}

TEST_CASE("each random byte is used once, and bytes are drawn for many ids at once", "[random_id]") {
    int draws = 0;
    std::uint8_t next = 0;
    IdMaker maker([&](std::span<std::uint8_t> bytes) {
        ++draws;
        for (std::uint8_t& byte : bytes) byte = next++;
    });
    std::string all;
    for (int i = 0; i < 40; ++i) all += maker.make();
    CHECK(draws == 1);
    // The bytes 0 to 255, repeated, make each character four times in 248 characters.
    CHECK(std::count(all.begin(), all.begin() + 248, 'A') == 4);
    CHECK(std::count(all.begin(), all.begin() + 248, '9') == 4);
    for (int i = 0; i < 40; ++i) all += maker.make();
    CHECK(draws == 2);
}

TEST_CASE("bytes that do not make a character are drawn again", "[random_id]") {
    int draws = 0;
    IdMaker maker([&](std::span<std::uint8_t> bytes) { std::fill(bytes.begin(), bytes.end(), ++draws < 3 ? 255 : 1); });
    CHECK(maker.make() == std::string(24, 'B'));
    CHECK(draws == 3);
}

TEST_CASE("random bytes fill the whole buffer", "[random_id]") {
    std::array<std::uint8_t, 67> bytes{};
    std::set<std::uint8_t> seen_last;
    for (int i = 0; i < 50; ++i) {
        polystore::fill_with_random_bytes(bytes);
        seen_last.insert(bytes.back());
    }
    CHECK(seen_last.size() > 10);
}

TEST_CASE("after a fork the two processes create different ids", "[random_id]") {
    static_cast<void>(make_random_id());
    std::array<int, 2> ends{};
    REQUIRE(pipe(ends.data()) == 0);
    const pid_t child = fork();
    if (child == 0) {
        const std::string id = make_random_id();
        _exit(write(ends[1], id.data(), id.size()) == 24 ? 0 : 1);
    }
    std::array<char, 24> of_child{};
    REQUIRE(read(ends[0], of_child.data(), of_child.size()) == 24);
    waitpid(child, nullptr, 0);
    close(ends[0]);
    close(ends[1]);
    CHECK(std::string(of_child.data(), of_child.size()) != make_random_id());
}

TEST_CASE("threads create different ids", "[random_id]") {
    std::array<std::vector<std::string>, 4> made;
    std::vector<std::thread> threads;
    for (auto& ids : made) {
        threads.emplace_back([&ids] {
            for (int i = 0; i < 500; ++i) ids.push_back(make_random_id());
        });
    }
    for (std::thread& thread : threads) thread.join();
    std::set<std::string> all;
    for (const auto& ids : made) all.insert(ids.begin(), ids.end());
    CHECK(all.size() == 2000);
}
