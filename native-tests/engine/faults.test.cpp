// The behaviour of the engine on a storage that fails, forgets, fills up or lies.

#include <algorithm>
#include <set>
#include <string>

#include "polystore/engine/engine.hpp"
#include "polystore/engine/maintenance.hpp"
#include "polystore/engine/notes.hpp"
#include "polystore/engine/salvage.hpp"
#include "support/catch.hpp"
#include "support/engine.hpp"
#include "support/fault_env.hpp"

using namespace polystore::engine;
using namespace polystore::testing;

namespace {

using Values = std::map<std::string, std::string>;

void apply_to(Values& values, const std::vector<Change>& batch) {
    for (const auto& [key, stored] : batch) {
        if (stored) {
            values[key] = stored->value;
        } else {
            values.erase(key);
        }
    }
}

const std::vector<std::vector<Change>>& story() {
    static const std::vector<std::vector<Change>> kStory = {
        {set("a", "1")},
        {set("b", "22", 5), set("c", "333")},
        {erase("a")},
        {set("b", "4444")},
        {set("d", "5"), erase("c"), set("e", "66", 9)},
        {set("a", std::string(600, '7'))},
        {erase("b"), set("f", "8")},
    };
    return kStory;
}

/// The contents after each number of batches of the story.
std::vector<Values> chapters() {
    std::vector<Values> chapters(1);
    for (const auto& batch : story()) {
        chapters.push_back(chapters.back());
        apply_to(chapters.back(), batch);
    }
    return chapters;
}

/// A closed log of the story, and the offsets at which its batches end.
struct Log {
    std::string bytes;
    std::vector<std::size_t> ends;
};

Log told() {
    FaultEnv env;
    Log log;
    const auto engine = opened(env);
    log.ends.push_back(env.text(kPath).size());
    for (const auto& batch : story()) {
        got(engine->apply(batch));
        log.ends.push_back(env.text(kPath).size());
    }
    got(engine->flush());
    engine->mark_synced();
    log.bytes = env.text(kPath);
    return log;
}

}  // namespace

TEST_CASE("engine faults: each call fails in turn, once or from then on, and then the power fails", "[engine]") {
    const bool for_good = GENERATE(false, true);
    const std::size_t kept = GENERATE(0U, 1U, 40U, 100'000U);
    bool failed = true;
    int at = 0;
    for (; failed; ++at) {
        INFO("call " << at << ", kept " << kept);
        FaultEnv env;
        env.fail_after(at, for_good);
        Values acknowledged;
        // Other contents that are possible too: those with changes whose flush failed.
        std::vector<Values> possible;
        {
            auto engine = Engine::open(env, kPath);
            for (std::size_t i = 0; engine.ok() && i < story().size(); ++i) {
                const auto& batch = story()[i];
                Values with = acknowledged;
                apply_to(with, batch);
                const bool applied = (*engine)->apply(batch).ok();
                if (applied && (*engine)->flush().ok()) {
                    acknowledged = with;
                    possible.clear();
                } else if (applied) {
                    possible.push_back(with);
                }
                // A compaction in the middle of the story.
                if (i == 3 || i == 5) {
                    for (Result<bool> more = true; more.ok() && *more;) more = (*engine)->compact(30);
                }
            }
            failed = env.has_failed();
            env.fail_no_more();
            // A failed call must not remove readable contents, and must not add rejected changes.
            if (engine.ok()) CHECK(contents(**engine) == (possible.empty() ? acknowledged : possible.back()));
        }
        env.crash(kept);
        possible.push_back(acknowledged);
        const Values found = contents(*opened(env));
        CHECK(std::find(possible.begin(), possible.end(), found) != possible.end());
        CHECK_FALSE(env.has(kPath + ".new"));
    }
    CHECK(at > 40);  // The number of calls.
}

TEST_CASE("engine faults: writes that are flushed while a new log is synced survive every failure", "[engine]") {
    const bool flushes = GENERATE(true, false);
    const std::size_t kept = GENERATE(0U, 1U, 40U, 100'000U);
    bool failed = true;
    bool compacted = false;
    int at = 0;
    for (; failed; ++at) {
        INFO("call " << at << ", kept " << kept);
        FaultEnv env;
        env.fail_after(at);
        Values acknowledged;
        std::vector<Values> possible;
        {
            auto engine = Engine::open(env, kPath);
            const auto apply = [&](const std::vector<Change>& batch) {
                if (!(*engine)->apply(batch).ok()) return;
                possible.push_back(possible.empty() ? acknowledged : possible.back());
                apply_to(possible.back(), batch);
            };
            const auto flush = [&] {
                if (!(*engine)->flush().ok() || possible.empty()) return;
                acknowledged = possible.back();
                possible.clear();
            };
            Engine::CompactionFiles files;
            const auto step = [&] {
                files = {};
                return (*engine)->step_compaction(100, files);
            };
            std::size_t next = 0;
            if (engine.ok()) {
                apply(story()[next++]);
                flush();
            }
            while (engine.ok() && next < story().size()) {
                Result<bool> more = step();
                for (; more.ok() && *more; more = step()) {
                    if (!files.to_sync) continue;
                    if (next < story().size()) apply(story()[next++]);  // This batch is synced, but not copied yet.
                    const bool synced = files.to_sync->sync().ok();
                    if (flushes) flush();
                    if (next < story().size()) apply(story()[next++]);
                    if (!synced) (*engine)->give_up_compaction();
                }
                compacted = compacted || more.ok();
                if (more.ok() || next == story().size()) continue;
                apply(story()[next++]);
            }
            failed = env.has_failed();
            env.fail_no_more();
            if (engine.ok()) CHECK(contents(**engine) == (possible.empty() ? acknowledged : possible.back()));
        }
        env.crash(kept);
        possible.push_back(acknowledged);
        const Values found = contents(*opened(env));
        CHECK(std::find(possible.begin(), possible.end(), found) != possible.end());
    }
    CHECK(compacted);
    CHECK(at > 40);
}

TEST_CASE("engine faults: a new log replaces the old one only once all flushed data is synced in it", "[engine]") {
    FaultEnv env;
    auto engine = opened(env);
    got(engine->apply({set("a", std::string(FaultEnv::kSector, '1'))}));
    got(engine->flush());
    Engine::CompactionFiles files;
    const auto step = [&] {
        files = {};
        return got(engine->step_compaction(10'000, files));
    };
    while (!files.to_sync) REQUIRE(step());
    got(engine->apply({set("b", "2")}));
    got(files.to_sync->sync());
    SECTION("a flush in between requires one more sync") {
        got(engine->flush());
        CHECK(step());
        REQUIRE(files.to_sync);
        CHECK(env.has(kPath + ".new"));
        got(files.to_sync->sync());
        CHECK_FALSE(step());
        env.crash();
        CHECK(contents(*opened(env)).size() == 2);
    }
    SECTION("a power failure may lose unsynced data, which is not damage") {
        CHECK_FALSE(step());
        CHECK(engine->flushed() == 1);
        got(engine->apply({set("c", std::string(FaultEnv::kSector, '3'))}));
        const std::size_t first = (env.text(kPath).size() - 1) / FaultEnv::kSector;
        FaultEnv after;
        after.put(kPath, env.left_out_of_order(
                             kPath, [&](std::size_t sector) { return sector == first; }, false));
        CHECK(contents(*opened(after)).contains("a"));
    }
    SECTION("a compaction whose sync failed is cancelled, and can begin again later") {
        engine->give_up_compaction();
        CHECK_FALSE(env.has(kPath + ".new"));
        while (got(engine->compact(1000))) continue;
        CHECK(contents(*engine).size() == 2);
    }
}

TEST_CASE("engine faults: after a failure that can be undone, everything continues to work", "[engine]") {
    FaultEnv env;
    auto engine = opened(env);
    got(engine->apply({set("a", "1")}));
    env.fail_after(0);
    CHECK(failure_in(engine->apply({set("b", std::string(100, '2'))})) == "ERR_CLIENT: Injected: write.");
    CHECK(contents(*engine) == Values{{"a", "1"}});
    got(engine->apply({set("c", "3")}));
    engine.reset();
    CHECK(contents(*opened(env)) == Values{{"a", "1"}, {"c", "3"}});
}

TEST_CASE("engine faults: after a failed sync writes fail, and everything can be read", "[engine]") {
    FaultEnv env;
    auto engine = opened(env);
    got(engine->apply({set("a", "1")}));
    got(engine->flush());
    got(engine->apply({set("b", "2")}));
    env.fail_after(0);
    CHECK_THAT(failure_in(engine->flush()),
               Catch::Contains("ERR_CLIENT: Injected: sync.") && Catch::Contains("open it"));
    CHECK_THAT(failure_in(engine->apply({set("c", "3")})), Catch::StartsWith("ERR_CLIENT"));
    CHECK_THAT(failure_in(engine->flush()), Catch::StartsWith("ERR_CLIENT"));
    CHECK_THAT(failure_in(engine->compact(1)), Catch::StartsWith("ERR_CLIENT"));
    // The system forgets writes that failed, so another sync, for example in close(), would report success.
    static_cast<void>(engine->begin_flush());
    CHECK_THAT(failure_in(engine->end_flush(Done{})), Catch::StartsWith("ERR_CLIENT: Injected: sync."));
    CHECK(engine->flushed() == 1);
    CHECK(stored_at(*engine, "a")->value == "1");
    engine.reset();
    env.crash();
    CHECK(contents(*opened(env)) == Values{{"a", "1"}});
}

TEST_CASE("engine faults: a log truncated at any length holds the batches up to there", "[engine]") {
    const Log log = told();
    const std::vector<Values> expected = chapters();
    for (std::size_t length = kHeaderSize; length <= log.bytes.size(); ++length) {
        INFO("length " << length);
        FaultEnv env;
        env.put(kPath, log.bytes.substr(0, length));
        const auto whole =
            static_cast<std::size_t>(std::upper_bound(log.ends.begin(), log.ends.end(), length) - log.ends.begin() - 1);
        const auto engine = opened(env);
        REQUIRE(contents(*engine) == expected[whole]);
        REQUIRE(env.text(kPath).substr(0, log.ends[whole]) == log.bytes.substr(0, log.ends[whole]));
        const std::size_t mark = whole > 0 ? kHeadSize : 0;  // The mark states that everything is now synced.
        REQUIRE(env.text(kPath).size() == log.ends[whole] + mark);
    }
}

TEST_CASE("engine faults: sectors that a crash left unwritten are truncated too", "[engine]") {
    const Log log = told();
    const std::vector<Values> expected = chapters();
    for (std::size_t from : log.ends) {
        FaultEnv env;
        env.put(kPath, log.bytes.substr(0, from) + std::string(2000, '\0'));
        const auto whole =
            static_cast<std::size_t>(std::find(log.ends.begin(), log.ends.end(), from) - log.ends.begin());
        REQUIRE(contents(*opened(env)) == expected[whole]);
    }
}

TEST_CASE("engine faults: if a disk writes in any order, all synced data is kept, and whole batches after it",
          "[engine]") {
    const std::vector<Values> expected = chapters();
    const bool cut = GENERATE(false, true);
    const std::size_t flushed = GENERATE(range(0U, 8U));
    FaultEnv written;
    std::size_t first = 0;  // The first unsynced sector.
    {
        const auto engine = opened(written);
        for (std::size_t i = 0; i <= story().size(); ++i) {
            if (i == flushed) {
                got(engine->flush());
                first = written.text(kPath).size() / FaultEnv::kSector;
            }
            if (i == story().size()) break;
            // Batches are longer than a sector, so some sectors hold the end of one and the beginning of the next.
            std::vector<Change> batch = story()[i];
            batch.push_back(set("pad", std::string(520, static_cast<char>('0' + i))));
            got(engine->apply(batch));
        }
    }
    const std::size_t sectors = written.text(kPath).size() / FaultEnv::kSector + 1;
    std::set<std::size_t> seen;
    for (std::size_t kept = 0; kept < std::size_t{1} << (sectors - first); ++kept) {
        INFO("kept " << kept << " of those from " << first << " on, " << flushed << " flushed");
        const auto keeps = [&](std::size_t sector) { return (kept >> (sector - first) & 1U) != 0; };
        FaultEnv env;
        env.put(kPath, written.left_out_of_order(kPath, keeps, cut));
        Values values = contents(*opened(env));
        values.erase("pad");
        const auto chapter =
            static_cast<std::size_t>(std::find(expected.begin(), expected.end(), values) - expected.begin());
        REQUIRE(chapter < expected.size());
        REQUIRE(chapter >= flushed);
        seen.insert(chapter);
        // Opening synced the remaining data, so later damage in it is not a gap.
        if (chapter == 0) continue;
        std::string bytes = env.text(kPath);
        bytes[kHeaderSize] = static_cast<char>(bytes[kHeaderSize] ^ 1);
        env.crash();
        env.put(kPath, bytes);
        REQUIRE_THAT(failure_in(Engine::open(env, kPath)), Catch::StartsWith("ERR_CORRUPT"));
    }
    CHECK(seen.size() == expected.size() - flushed);
}

TEST_CASE("engine faults: a gap is damage in synced data, but not in unsynced data", "[engine]") {
    FaultEnv env;
    const auto engine = opened(env);
    got(engine->apply({set("a", "1")}));
    got(engine->apply({set("b", "2")}));
    got(engine->begin_flush()->sync());
    got(engine->apply({set("c", "3")}));  // That sync is still in progress, so its result is unknown.
    got(engine->end_flush(Done{}));
    got(engine->apply({set("d", "4")}));
    const std::size_t record = kHeadSize + 2;
    const auto without = [&](std::size_t i) {
        std::string bytes = env.text(kPath);
        bytes.replace(kHeaderSize + i * record, record, std::string(record, '\0'));
        FaultEnv other;
        other.put(kPath, bytes);
        auto opened = Engine::open(other, kPath);
        return opened.ok() ? std::to_string((*opened)->size()) + " are left" : failure_in(std::move(opened));
    };
    CHECK_THAT(without(0), Catch::StartsWith("ERR_CORRUPT") && Catch::Contains("offset 24"));
    CHECK_THAT(without(1), Catch::StartsWith("ERR_CORRUPT"));
    CHECK(without(2) == "2 are left");
}

TEST_CASE("engine faults: a mark is written once, and only if the records alone cannot tell damage from a gap",
          "[engine]") {
    FaultEnv env;
    auto engine = opened(env);
    const auto size = [&] { return env.text(kPath).size(); };
    const std::size_t record = kHeadSize + 2;
    std::size_t expected = kHeaderSize;
    engine->mark_synced();
    CHECK(size() == expected);  // An empty log needs no mark.
    got(engine->apply({set("a", "1")}));
    engine->mark_synced();
    CHECK(size() == (expected += record));  // The record is not synced.
    got(engine->flush());
    got(engine->apply({set("b", "2")}));
    got(engine->flush());
    CHECK(size() == (expected += record));  // Each record covers the ones before it,
    engine->mark_synced();
    engine->mark_synced();
    CHECK(size() == (expected += kHeadSize));  // and the mark covers the last one.
    engine.reset();
    const int syncs = env.syncs();
    engine = opened(env);
    CHECK(env.syncs() == syncs);  // Because of the mark, no sync is needed.
    CHECK(size() == expected);
    CHECK(contents(*engine) == Values{{"a", "1"}, {"b", "2"}});
    got(engine->apply({set("c", "3")}));
    got(engine->flush());
    CHECK(size() == (expected += record));  // This record need not cover the mark.

    SECTION("after a flush that several batches shared") {
        got(engine->apply({set("d", "4")}));
        got(engine->apply({set("e", "5")}));
        got(engine->flush());
        CHECK(size() == (expected += 2 * record + kHeadSize));
        got(engine->apply({set("f", "6"), set("g", "7")}));
        got(engine->flush());
        CHECK(size() == (expected += 2 * record + kHeadSize));
    }
    SECTION("after compaction, which removes earlier marks") {
        got(engine->compact(1));
        got(engine->apply({set("d", "4"), set("e", "5")}));
        got(engine->flush());
        while (got(engine->compact(1000))) continue;
        // d and e were copied before the entries were synced, so a separate mark states that everything is.
        CHECK(size() == kHeaderSize + 5 * record + kHeadSize);
        engine->mark_synced();
        CHECK(size() == kHeaderSize + 5 * record + kHeadSize);
        while (got(engine->compact(1000))) continue;
        CHECK(size() == kHeaderSize + 5 * record);
        engine->mark_synced();
        CHECK(size() == kHeaderSize + 5 * record + kHeadSize);
    }
    SECTION("a mark that cannot be written is omitted") {
        const bool is_full = GENERATE(true, false);
        if (is_full) env.limit(size() + kHeadSize - 1);
        if (!is_full) env.fail_after(0);
        engine->mark_synced();
        CHECK(size() == expected);
        env.limit(1'000'000);
        got(engine->apply({set("d", "4")}));
    }
}

TEST_CASE("engine faults: a mark that a power failure lost is not damage", "[engine]") {
    FaultEnv env;
    auto engine = opened(env);
    got(engine->apply({set("a", std::string(FaultEnv::kSector - kHeaderSize - kHeadSize - 1, 'a'))}));
    got(engine->flush());
    engine->mark_synced();  // The mark is in its own sector.
    engine.reset();
    engine = opened(env);
    got(engine->apply({set("b", std::string(FaultEnv::kSector, 'b'))}));
    FaultEnv after;
    after.put(kPath, env.left_out_of_order(
                         kPath, [](std::size_t sector) { return sector != 1; }, false));
    CHECK(opened(after)->size() == 1);
}

TEST_CASE("engine faults: damage in acknowledged data is never mistaken for a gap", "[engine]") {
    FaultEnv env;
    {
        const auto engine = opened(env);
        const bool shared = GENERATE(true, false);
        for (const char* key : {"a", "b", "c"}) {
            got(engine->apply({set(key, std::string(2000, '1'))}));
            if (!shared) got(engine->flush());
        }
        got(engine->flush());
        if (!shared) engine->mark_synced();  // The log was closed, or killed if the batches shared a flush.
    }
    const std::string bytes = env.text(kPath);
    for (std::size_t sector = 0; sector * FaultEnv::kSector < bytes.size() - kHeadSize; ++sector) {
        INFO("sector " << sector);
        std::string damaged = bytes;
        damaged.replace(std::max(kHeaderSize, sector * FaultEnv::kSector), 30, std::string(30, '\0'));
        env.put(kPath, damaged);
        CHECK_THAT(failure_in(Engine::open(env, kPath)), Catch::StartsWith("ERR_CORRUPT"));
        env.crash();
    }
}

TEST_CASE("engine faults: a flush during which a compaction ended only covers the old log", "[engine]") {
    FaultEnv env;
    const auto engine = opened(env);
    for (int i = 0; i < 50; ++i) got(engine->apply({set("a", std::string(100, 'x'))}));
    const auto file = engine->begin_flush();
    while (got(engine->compact(1000))) continue;
    got(file->sync());
    got(engine->apply({set("b", "1")}));
    got(engine->end_flush(Done{}));
    got(engine->apply({set("c", "2")}));
    CHECK(engine->flushed() == 0);
    const std::string_view log = env.text(kPath);
    const std::size_t record = kHeadSize + 2;
    CHECK(decode_head(log.substr(log.size() - record), *decode_header(log)).value().unsynced == record);
}

TEST_CASE("engine faults: an engine that lost the lock cannot write, but it can read", "[engine]") {
    FaultEnv env;
    const auto engine = opened(env);
    got(engine->apply({set("a", "1")}));
    got(engine->apply({set("b", "2")}));
    got(engine->compact(1));
    got(engine->flush());
    const std::string before = env.text(kPath);
    env.lose_lock();
    CHECK(failure_in(engine->apply({set("c", "3")})) == "ERR_CLIENT: It has another.");
    CHECK(failure_in(engine->clear("")) == "ERR_CLIENT: It has another.");
    CHECK(failure_in(engine->compact(1000)) == "ERR_CLIENT: It has another.");
    engine->mark_synced();
    CHECK(env.text(kPath) == before);
    CHECK(contents(*engine) == Values{{"a", "1"}, {"b", "2"}});
}

TEST_CASE("engine faults: a flush looks whether the lock is lost, even if a write relied on an earlier check",
          "[engine]") {
    FaultEnv env;
    const auto engine = opened(env);
    env.lose_lock(true);
    got(engine->apply({set("a", "1")}));
    const int syncs = env.syncs();
    CHECK(failure_in(engine->flush()) == "ERR_CLIENT: It has another.");
    CHECK(engine->flushed() == 0);
    CHECK(env.syncs() == syncs);
}

TEST_CASE("engine faults: a log that cannot be replaced is written without compaction", "[engine]") {
    FaultEnv env;
    const bool exists = GENERATE(true, false);
    if (!exists) {  // An empty file becomes a log, because nothing can replace it.
        env.put(kPath, "");
        env.refuse_replacing();
    }
    auto engine = opened(env);
    env.refuse_replacing();
    const std::string value(400'000, 'x');
    for (int i = 0; i < 10; ++i) got(engine->apply({set("a", value + std::to_string(i))}));
    REQUIRE(engine->wants_compaction());
    std::string failure;
    while (failure.empty()) failure = failure_in(engine->compact(1'000'000));
    CHECK(failure == "ERR_UNSUPPORTED: It is mounted.");
    CHECK_FALSE(engine->wants_compaction());  // It is not tried again at once.
    CHECK_FALSE(env.has(kPath + ".new"));
    got(engine->apply({set("b", "2"), set("c", "3")}));
    got(engine->flush());
    engine.reset();
    env.crash();
    CHECK(contents(*opened(env)) == Values{{"a", value + "9"}, {"b", "2"}, {"c", "3"}});
}

TEST_CASE("engine faults: a step of compaction copies few records, however small they are", "[engine]") {
    FaultEnv env;
    auto engine = opened(env);
    const std::size_t records = 3 * kCompactedAtOnce;
    for (std::size_t i = 0; i < records; ++i) got(engine->apply({set("key" + std::to_string(i), "1")}));
    std::size_t steps = 0;
    for (bool more = true; more; ++steps) {
        Engine::CompactionFiles files;
        more = got(engine->step_compaction(1'000'000, files));
        if (files.to_sync) got(files.to_sync->sync());
    }
    CHECK(steps > records / kCompactedAtOnce);
    engine.reset();
    CHECK(contents(*opened(env)).size() == records);
}

TEST_CASE("engine faults: a new log that is kept from its place for a while takes it with a later step", "[engine]") {
    FaultEnv env;
    auto engine = opened(env);
    const std::string value(400'000, 'x');
    for (int i = 0; i < 10; ++i) got(engine->apply({set("a", value + std::to_string(i))}));
    const auto step = [&] {
        Engine::CompactionFiles files;
        Result<bool> more = engine->step_compaction(1'000'000, files);
        if (files.to_sync) got(files.to_sync->sync());
        return more;
    };
    env.refuse_replacing();
    std::string failure;
    while (failure.empty()) failure = failure_in(step());
    CHECK(failure == "ERR_UNSUPPORTED: It is mounted.");
    got(engine->apply({set("b", "2")}));  // It is written to both logs.
    env.allow_replacing();
    CHECK(engine->wants_compaction());
    while (got(step())) continue;
    CHECK_FALSE(env.has(kPath + ".new"));
    CHECK(env.text(kPath).size() < 2 * value.size());
    got(engine->flush());
    engine.reset();
    env.crash();
    CHECK(contents(*opened(env)) == Values{{"a", value + "9"}, {"b", "2"}});
}

TEST_CASE("engine faults: an incomplete header is an error, and an empty file is not", "[engine]") {
    const Log log = told();
    FaultEnv env;
    env.put(kPath, "");
    CHECK(opened(env)->size() == 0);
    for (std::size_t length = 1; length < kHeaderSize; ++length) {
        env.put(kPath, log.bytes.substr(0, length));
        CHECK_THAT(failure_in(Engine::open(env, kPath)),
                   Catch::StartsWith("ERR_CORRUPT") && Catch::Contains("offset 0"));
        CHECK(env.text(kPath).size() == length);
    }
}

TEST_CASE("engine faults: a flipped bit anywhere is detected, and the other records can be salvaged", "[engine]") {
    const Log log = told();
    const Values all = chapters().back();
    for (std::size_t i = 0; i < log.bytes.size() * 8; ++i) {
        std::string bytes = log.bytes;
        bytes[i / 8] = static_cast<char>(bytes[i / 8] ^ (1 << (i % 8)));
        INFO("bit " << i << " of " << bytes.size() * 8);
        FaultEnv env;
        env.put(kPath, bytes);
        const std::string failure = failure_in(Engine::open(env, kPath));
        const auto damaged = i / 8 < kHeaderSize ? 0 : *(std::upper_bound(log.ends.begin(), log.ends.end(), i / 8) - 1);
        REQUIRE_THAT(failure, Catch::StartsWith("ERR_CORRUPT") && Catch::Contains(kPath));
        // The offset is that of a record in the batch that contains the bit.
        const std::size_t offset = std::stoul(failure.substr(failure.find("offset ") + 7));
        REQUIRE((offset >= damaged && offset <= i / 8));
        REQUIRE(env.text(kPath) == bytes);

        const Salvaged salvaged = got(salvage(env, kPath, "saved.kv"));
        const bool is_in_record = i / 8 >= kHeaderSize && i / 8 < log.ends.back();
        REQUIRE(salvaged.records == (is_in_record ? 10 : 11));
        REQUIRE((salvaged.lost_bytes == 0) == (i / 8 < kHeaderSize));
        if (i % 8 != 0) continue;
        const auto chapter = chapters();
        for (const auto& [key, value] : contents(*opened(env, "saved.kv"))) {
            // If a replacement or removal was lost, the old value may be back.
            REQUIRE(std::any_of(chapter.begin(), chapter.end(), [&, key = key, value = value](const Values& values) {
                const auto found = values.find(key);
                return found != values.end() && found->second == value;
            }));
        }
    }
}

TEST_CASE("engine faults: a log without its header can be salvaged after any number of compactions", "[engine]") {
    for (const int times : {1, 63, 64, 65, 300}) {
        FaultEnv env;
        {
            const auto engine = opened(env);
            got(engine->apply({set("a", "1"), set("b", "2"), set("c", std::string(1000, 'x'))}));
            for (int i = 0; i < times; ++i) {
                while (got(engine->compact(std::size_t{1} << 20U))) continue;
            }
            got(engine->apply({erase("b")}));
            got(engine->flush());
        }
        std::string text = env.text(kPath);
        text.replace(0, kHeaderSize, std::string(kHeaderSize, 'x'));
        env.put(kPath, text);
        CHECK(got(salvage(env, kPath, "saved.kv")).records == 4);
        // The first record is damaged too.
        text.replace(kHeaderSize, kHeadSize + 2, std::string(kHeadSize + 2, 'x'));
        env.put(kPath, text);
        CHECK(got(salvage(env, kPath, "rest.kv")).records == 3);
        CHECK(opened(env, "saved.kv")->size() == 2);
    }
}

TEST_CASE("engine faults: an unfinished salvage does not create the new log", "[engine]") {
    const Log log = told();
    bool failed = true;
    for (int at = 0; failed; ++at) {
        INFO("call " << at);
        FaultEnv env;
        env.put(kPath, log.bytes);
        env.fail_after(at);
        const bool salvaged = salvage(env, kPath, "saved.kv").ok();
        failed = env.has_failed();
        if (salvaged) CHECK(env.has("saved.kv"));
        env.crash();
        if (env.has("saved.kv")) {
            CHECK(contents(*opened(env, "saved.kv")) == chapters().back());
            continue;
        }
        CHECK(got(salvage(env, kPath, "saved.kv")).records == 11);  // The first attempt left remains.
    }
}

TEST_CASE("engine faults: a record that is damaged while the log is open is not returned", "[engine]") {
    FaultEnv env;
    const auto engine = opened(env);
    got(engine->apply({set("a", "whole"), set("b", "whole")}));
    const auto file = got(env.open(kPath));
    got(file->write(env.text(kPath).size() - 1, "?"));
    CHECK(stored_at(*engine, "a")->value == "whole");
    std::string value;
    CHECK_THAT(failure_in(engine->get("b", value)), Catch::StartsWith("ERR_CORRUPT") && Catch::Contains("offset"));
    CHECK_THAT(failure_in(engine->compact(1000)), Catch::StartsWith("ERR_CORRUPT"));
    CHECK(stored_at(*engine, "a")->value == "whole");
}

TEST_CASE("engine faults: records of an earlier log do not belong to this one", "[engine]") {
    FaultEnv env;
    auto engine = opened(env);
    got(engine->apply({set("a", "1")}));
    const std::string stale = env.text(kPath).substr(kHeaderSize);
    got(engine->apply({erase("a")}));
    while (got(engine->compact(1000))) continue;
    engine.reset();
    env.put(kPath, env.text(kPath) + stale);
    CHECK_THAT(failure_in(Engine::open(env, kPath)), Catch::StartsWith("ERR_CORRUPT") && Catch::Contains("offset 24"));
}

TEST_CASE("engine faults: a full disk rejects writes and loses nothing, and removals free room", "[engine]") {
    FaultEnv env;
    auto engine = opened(env);
    const std::string value(1000, 'v');
    env.limit(100'000);
    Values expected;
    std::string failure;
    for (int i = 0; failure.empty(); ++i) {
        const std::string key = std::to_string(i);
        failure = failure_in(engine->apply({set(key, value)}));
        if (failure.empty()) expected[key] = value;
    }
    CHECK_THAT(failure, Catch::StartsWith("ERR_QUOTA: There is no room to store 1034 bytes in data.kv"));
    CHECK(expected.size() > 35);
    CHECK(contents(*engine) == expected);
    got(engine->flush());

    SECTION("a crash then loses nothing") {
        engine.reset();
        env.crash();
        CHECK(contents(*opened(env)) == expected);
    }
    SECTION("clearing works with hardly any room") {
        env.limit(env.text(kPath).size() + kHeaderSize);
        got(engine->clear(""));
        CHECK(engine->size() == 0);
        env.limit(100'000);
        got(engine->apply({set("a", value)}));
        CHECK(contents(*engine) == Values{{"a", value}});
        engine.reset();
        CHECK(contents(*opened(env)) == Values{{"a", value}});
    }
    SECTION("a removal with a note, opening, and a note alone work too") {
        engine.reset();
        env.limit(env.text(kPath).size() + 500);
        engine = opened(env);
        got(engine->apply({change_of_note(7, {.sequence = 1})}));
        got(engine->apply({erase("1"), change_of_note(7, {.sequence = 2})}));
        expected.erase("1");
        CHECK(got(find_note(*engine, 7)).value().sequence == 2);
        got(engine->apply({removal_of_note(7)}));
        CHECK(contents(*engine) == expected);
    }
    SECTION("a removal with a note uses the room that it frees") {
        env.limit(env.text(kPath).size() + kHeaderSize);
        std::vector<Change> batch = engine->removal_of(without_notes({}));
        batch.push_back(change_of_note(7, {.sequence = 1, .result = 5}));
        got(engine->apply(batch));
        CHECK(engine->size() == 1);
        CHECK(got(find_note(*engine, 7)).value().result == 5);
    }
    SECTION("removed records make room for new ones, again and again") {
        for (int round = 0; round < 5; ++round) {
            const std::size_t full = expected.size();
            for (const auto& [key, stored] : Values(expected)) {
                if (expected.size() == full / 4) break;
                got(engine->apply({erase(key)}));
                expected.erase(key);
            }
            for (int i = 0; expected.size() < full - 2; ++i) {
                const std::string key = "r" + std::to_string(round) + ":" + std::to_string(i);
                got(engine->apply({set(key, value)}));
                expected[key] = value;
            }
            CHECK(contents(*engine) == expected);
        }
    }
    SECTION("a disk that other programs filled rejects writes without room") {
        env.limit(env.text(kPath).size() + 500);
        CHECK_THAT(failure_in(engine->apply({set("big", value)})), Catch::StartsWith("ERR_QUOTA"));
        CHECK(contents(*engine) == expected);
    }
    SECTION("a removal without any room removes nothing") {
        env.limit(0);
        CHECK_THAT(failure_in(engine->apply({erase("1")})), Catch::StartsWith("ERR_QUOTA"));
        CHECK(contents(*engine) == expected);
    }
}
