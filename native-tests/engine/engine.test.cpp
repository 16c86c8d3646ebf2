#include "polystore/engine/engine.hpp"

#include <random>
#include <set>
#include <string>

#include "support/catch.hpp"
#include "support/engine.hpp"
#include "support/fault_env.hpp"

using namespace polystore::engine;
using polystore::Range;
using namespace polystore::testing;

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// The expected contents of the engine.
using Model = std::map<std::string, Stored>;

std::map<std::string, std::string> values_of(const Model& model) {
    std::map<std::string, std::string> values;
    for (const auto& [key, stored] : model) values.emplace(key, stored.value);
    return values;
}

bool within(const Range& range, const std::string& key) {
    const bool is_after = range.gte ? key >= *range.gte : !range.gt || key > *range.gt;
    const bool is_before = range.lte ? key <= *range.lte : !range.lt || key < *range.lt;
    return key.starts_with(range.prefix) && is_after && is_before;
}

Pairs listed(const Model& model, const Range& range) {
    Pairs pairs;
    for (const auto& [key, stored] : model) {
        if (within(range, key)) pairs.emplace_back(key, stored.value);
    }
    if (range.reverse) std::reverse(pairs.begin(), pairs.end());
    if (pairs.size() > range.limit) pairs.resize(range.limit);
    return pairs;
}

/// Applies random changes to an engine and to a model of it.
class Player {
   public:
    explicit Player(unsigned seed) : random_(seed) { engine_ = opened(env_); }

    void play(int moves) {
        for (int i = 0; i < moves; ++i) {
            move();
            CHECK(engine_->size() == model_.size());
        }
        REQUIRE(contents(*engine_) == values_of(model_));
    }

   private:
    unsigned pick(unsigned below) { return static_cast<unsigned>(random_() % below); }

    std::string key() {
        std::string text = std::to_string(pick(400));
        return pick(10) == 0 ? text + std::string(pick(40) * 50, 'k') : text;
    }

    Change change() {
        if (pick(3) == 0) return erase(key());
        return set(key(), std::string(1 + pick(300), static_cast<char>('a' + pick(26))),
                   pick(3) == 0 ? std::int64_t{pick(1000)} : kNoExpiry);
    }

    void apply(const std::vector<Change>& batch) {
        got(engine_->apply(batch));
        for (const auto& [key, stored] : batch) {
            if (stored) {
                model_[key] = *stored;
            } else {
                model_.erase(key);
            }
        }
    }

    Range range() {
        Range range;
        if (pick(4) == 0) range.prefix = std::to_string(pick(10));
        if (pick(4) == 0) range.gte = key();
        if (pick(4) == 0) range.gt = key();
        if (pick(4) == 0) range.lte = key();
        if (pick(4) == 0) range.lt = key();
        if (pick(3) == 0) range.limit = pick(20);
        range.reverse = pick(2) == 0;
        return range;
    }

    void evict() {
        const std::int64_t now = pick(200);
        const std::string prefix = pick(2) == 0 ? "" : std::to_string(pick(10));
        const auto expected = std::erase_if(
            model_, [&](const auto& entry) { return entry.second.expires <= now && entry.first.starts_with(prefix); });
        CHECK(got(engine_->evict(now, prefix)) == expected);
    }

    void move() {
        switch (pick(14)) {
            case 0: {
                std::vector<Change> batch;
                for (unsigned i = pick(40); i > 0; --i) batch.push_back(change());
                return apply(batch);
            }
            case 1: {
                const Range any = range();
                REQUIRE(polystore::testing::listed(engine_->scan(any)) == listed(model_, any));
                return;
            }
            case 2: {
                const std::string sought = key();
                const auto found = model_.find(sought);
                CHECK(stored_at(*engine_, sought) ==
                      (found == model_.end() ? std::nullopt : std::optional(found->second)));
                CHECK(engine_->expiry_of(sought).has_value() == (found != model_.end()));
                return;
            }
            case 3: return static_cast<void>(got(engine_->compact(pick(4000))));
            case 4:
                if (pick(10) != 0) return;
                if (pick(2) == 0) {
                    got(engine_->flush());
                    engine_.reset();
                    env_.crash();
                } else {
                    engine_.reset();
                }
                engine_ = opened(env_);
                return;
            case 5: return evict();
            case 6: {
                if (pick(20) != 0) return;
                const std::string prefix = std::to_string(pick(40));
                got(engine_->clear(prefix));
                std::erase_if(model_, [&](const auto& entry) { return entry.first.starts_with(prefix); });
                return;
            }
            case 7: {
                if (pick(4) == 0) scans_.clear();
                const Range any = range();
                scans_.emplace_back(engine_->scan(any), listed(model_, any));
                return;
            }
            case 8: {
                if (scans_.empty()) return;
                auto [scan, expected] = std::move(scans_.back());
                scans_.pop_back();
                REQUIRE(polystore::testing::listed(std::move(scan)) == expected);
                return;
            }
            default: return apply({change()});
        }
    }

    std::mt19937 random_;
    FaultEnv env_;
    std::unique_ptr<Engine> engine_;
    Model model_;
    // The scans, with the contents that they saw when they began.
    std::vector<std::pair<Scan, Pairs>> scans_;
};

}  // namespace

TEST_CASE("engine: random changes have the same effect as on a map", "[engine]") {
    const auto seed = GENERATE(range(0U, 40U));
    INFO("seed " << seed);
    Player(seed).play(600);
}

TEST_CASE("engine: many keys, in order, in reverse order and shuffled", "[engine]") {
    FaultEnv env;
    const auto engine = opened(env);
    const int how = GENERATE(0, 1, 2);
    std::set<std::string> keys;
    for (int i = 0; i < 20'000; ++i) {
        const int number = how == 0 ? i : (how == 1 ? 20'000 - i : i * 7919 % 20'011);
        keys.insert(std::to_string(100'000 + number));
        got(engine->apply({set(std::to_string(100'000 + number), "v")}));
    }
    auto expected = keys.begin();
    for (Scan scan = engine->scan({}); scan.next(); ++expected) REQUIRE(scan.key() == *expected);
    CHECK(expected == keys.end());
    for (const std::string& key : keys) got(engine->apply({erase(key)}));
    CHECK(engine->size() == 0);
    CHECK_FALSE(engine->scan({}).next());
    CHECK_FALSE(engine->scan({.reverse = true}).next());
}

TEST_CASE("engine: a scan sees the state of its beginning despite writes and compaction", "[engine]") {
    FaultEnv env;
    const auto engine = opened(env);
    for (int i = 0; i < 1000; ++i) got(engine->apply({set(std::to_string(i), "old")}));
    Scan scan = engine->scan({});
    CHECK(scan.next());
    for (int i = 0; i < 1000; i += 2) got(engine->apply({erase(std::to_string(i))}));
    while (got(engine->compact(1000))) got(engine->apply({set("5", "new"), set("more", "new")}));
    std::size_t count = 1;
    std::string buffer;
    for (; scan.next(); ++count) REQUIRE(got(scan.read(buffer)) == "old");
    CHECK(count == 1000);
    CHECK(engine->size() == 501);
    CHECK(stored_at(*engine, "5")->value == "new");
}

TEST_CASE("engine: compaction only leaves the live records in the file", "[engine]") {
    FaultEnv env;
    auto engine = opened(env);
    const std::string value(1000, 'v');
    CHECK_FALSE(engine->wants_compaction());
    for (int i = 0; i < 4000; ++i) got(engine->apply({set(std::to_string(i % 10), value)}));
    CHECK(engine->wants_compaction());
    while (got(engine->compact(4096))) continue;
    CHECK_FALSE(engine->wants_compaction());
    CHECK(env.text(kPath).size() == kHeaderSize + 10 * (kHeadSize + 1 + value.size()));
    CHECK_FALSE(env.has(kPath + ".new"));
    engine.reset();
    CHECK(opened(env)->size() == 10);
}

TEST_CASE("engine: expired keys are found without visiting the others", "[engine]") {
    FaultEnv env;
    auto engine = opened(env);
    got(engine->apply({set("a", "1", 100), set("b", "2", 200), set("c", "3"), set("ab", "4", 100)}));
    CHECK(got(engine->evict(99)) == 0);
    CHECK(got(engine->evict(100, "ab")) == 1);
    got(engine->apply({set("b", "2", 300)}));
    engine.reset();
    engine = opened(env);
    CHECK(got(engine->evict(299)) == 1);
    CHECK(got(engine->evict(300, "", 0)) == 0);
    CHECK(got(engine->evict(300)) == 1);
    CHECK(contents(*engine) == std::map<std::string, std::string>{{"c", "3"}});
}

TEST_CASE("engine: the log has only one owner", "[engine]") {
    FaultEnv env;
    const auto engine = opened(env);
    CHECK(failure_in(Engine::open(env, kPath)) == "ERR_CLIENT: It is locked.");
}
