#include "polystore/engine/notes.hpp"

#include <limits>
#include <string>

#include "support/catch.hpp"
#include "support/engine.hpp"
#include "support/fault_env.hpp"

using namespace polystore::engine;
using namespace polystore::testing;

namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
constexpr std::int64_t kLatest = std::numeric_limits<std::int64_t>::max();

bool same(const std::optional<Note>& left, const Note& right) {
    return left && left->sequence == right.sequence && left->result == right.result && left->time == right.time;
}

}  // namespace

TEST_CASE("notes: the last note of a session is found, also after the log was closed", "[engine]") {
    FaultEnv env;
    auto engine = opened(env);
    CHECK_FALSE(got(find_note(*engine, 7)));
    got(engine->apply({set("key", "1"), change_of_note(7, {1, 0, 100})}));
    got(engine->apply({change_of_note(7, {2, 30, 200})}));
    got(engine->apply({change_of_note(0, {0, 0, 0}), change_of_note(kMost, {kMost, kMost, kLatest})}));
    for (int times = 0; times < 2; ++times) {
        CHECK(same(got(find_note(*engine, 7)), {2, 30, 200}));
        CHECK(same(got(find_note(*engine, 0)), {0, 0, 0}));
        CHECK(same(got(find_note(*engine, kMost)), {kMost, kMost, kLatest}));
        CHECK_FALSE(got(find_note(*engine, 1)));
        CHECK_FALSE(got(find_note(*engine, 77)));
        engine.reset();
        engine = opened(env);
    }
}

TEST_CASE("notes: a note is written together with the changes of its batch, or not at all", "[engine]") {
    FaultEnv env;
    auto engine = opened(env);
    got(engine->apply({set("key", "1"), change_of_note(7, {1, 0, 0})}));
    const std::size_t before = env.text(kPath).size();
    got(engine->apply({set("key", "2"), change_of_note(7, {2, 0, 0})}));
    const std::string whole = env.text(kPath);
    engine.reset();
    for (std::size_t length = before; length <= whole.size(); ++length) {
        env.put(kPath, whole.substr(0, length));
        engine = opened(env);
        const bool made = length == whole.size();
        REQUIRE(stored_at(*engine, "key")->value == (made ? "2" : "1"));
        REQUIRE(got(find_note(*engine, 7))->sequence == (made ? 2 : 1));
        engine.reset();
    }
}

TEST_CASE("notes: a note is not affected by listing, clearing or eviction", "[engine]") {
    FaultEnv env;
    const auto engine = opened(env);
    // The greatest key of one character in UTF-8.
    const std::string last = "\xF4\x8F\xBF\xBF";
    got(engine->apply({set("a", "1"), set(last, "2", 5), change_of_note(7, {1, 0, 0})}));
    CHECK(listed(engine->scan(without_notes({}))) ==
          std::vector<std::pair<std::string, std::string>>{{"a", "1"}, {last, "2"}});
    CHECK(got(engine->evict(kLatest)) == 1);
    got(engine->clear(""));
    CHECK_FALSE(engine->scan(without_notes({})).next());
    CHECK(same(got(find_note(*engine, 7)), {1, 0, 0}));
    while (got(engine->compact(1000))) continue;
    CHECK(same(got(find_note(*engine, 7)), {1, 0, 0}));
}

TEST_CASE("notes: the end of a session only removes its own note", "[engine]") {
    FaultEnv env;
    const auto engine = opened(env);
    got(engine->apply({change_of_note(7, {1, 0, 0}), change_of_note(70, {1, 0, 0})}));
    got(engine->apply({removal_of_note(7)}));
    CHECK_FALSE(got(find_note(*engine, 7)));
    CHECK(got(find_note(*engine, 70)));
}

TEST_CASE("notes: notes before a given time are removed, and so are invalid ones", "[engine]") {
    FaultEnv env;
    const auto engine = opened(env);
    got(engine->apply({set("a", "1"), change_of_note(1, {1, 0, 99}), change_of_note(2, {1, 0, 100}),
                       change_of_note(3, {1, 0, 101})}));
    for (const std::string value : {"", "[", "[1", "[1,2", "[1,2,", "[-1,2,3]", "[1,2,x]", "\"text\""}) {
        const std::string key = kNoteMark + std::to_string(10 + value.size());
        got(engine->apply({set(key, value)}));
        INFO(value);
        CHECK_FALSE(got(find_note(*engine, 10 + value.size())));
    }
    got(forget_notes(*engine, 100));
    CHECK_FALSE(got(find_note(*engine, 1)));
    CHECK(got(find_note(*engine, 2)));
    CHECK(got(find_note(*engine, 3)));
    CHECK(engine->size() == 3);
    CHECK(stored_at(*engine, "a")->value == "1");
}

TEST_CASE("notes: a note that cannot be read is an error", "[engine]") {
    FaultEnv env;
    const auto engine = opened(env);
    got(engine->apply({change_of_note(7, {1, 0, 0})}));
    got(got(env.open(kPath))->write(env.text(kPath).size() - 1, "?"));
    CHECK_THAT(failure_in(find_note(*engine, 7)), Catch::StartsWith("ERR_CORRUPT"));
    CHECK_THAT(failure_in(forget_notes(*engine, 1)), Catch::StartsWith("ERR_CORRUPT"));
}
