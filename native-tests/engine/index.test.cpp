#include "polystore/engine/index.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "polystore/engine/index_loader.hpp"
#include "polystore/engine/log_format.hpp"
#include "support/catch.hpp"

using namespace polystore::engine;

namespace {

using Model = std::map<std::string, Place>;

Model model_of(Index index) {
    Model model;
    Index::Walk walk(std::move(index));
    for (walk.seek(""); walk.on_entry(); walk.next()) model.emplace(walk.key(), walk.place());
    return model;
}

/// Checks in every way of reading that `index` has the same contents as `model`.
void check_same(const Index& index, const Model& model) {
    REQUIRE(index.size() == model.size());
    REQUIRE(model_of(index) == model);
    std::uint64_t bytes = 0;
    for (const auto& [key, place] : model) bytes += key.size() + place.value_length;
    CHECK(index.bytes() == bytes);
    for (const auto& [key, place] : model) {
        REQUIRE(index.find(key) == place);
        REQUIRE(index.find_likely(key) == place);
    }
    const auto first = std::min_element(model.begin(), model.end(), [](const auto& left, const auto& right) {
        return left.second.expires < right.second.expires;
    });
    CHECK(index.earliest_expiry() == (first == model.end() ? kNoExpiry : first->second.expires));
}

std::vector<std::string> expired_in(const Model& model, std::int64_t now, const std::string& from, std::size_t most) {
    std::vector<std::string> keys;
    for (const auto& [key, place] : model) {
        if (place.expires <= now && key >= from && keys.size() < most) keys.push_back(key);
    }
    return keys;
}

std::vector<std::string> expired_in(const Index& index, std::int64_t now, const std::string& from, std::size_t most) {
    std::vector<std::string> keys;
    index.visit_expired(now, from, [&](std::string_view key) {
        keys.emplace_back(key);
        return keys.size() < most;
    });
    return keys;
}

/// Keys of many shapes: with long and with short shared prefixes, of zeros, long ones, and prefixes of others.
class Keys {
   public:
    explicit Keys(unsigned seed) : random_(seed) {}

    unsigned pick(unsigned below) { return static_cast<unsigned>(random_() % below); }

    std::string key() {
        switch (pick(6)) {
            case 0: return std::string(pick(12), '\0');
            case 1: return std::string(pick(2000), 'l') + std::to_string(pick(20));
            case 2: return "session:" + std::to_string(pick(5000));
            case 3: return "session:" + std::string(16, 'x') + std::to_string(pick(2000));
            case 4: return std::string(1 + pick(3), static_cast<char>(pick(256)));
            default: return std::to_string(pick(3000));
        }
    }

    Place place() { return {pick(1'000'000), pick(3) == 0 ? std::int64_t{pick(1000)} : kNoExpiry, pick(1000)}; }

   private:
    std::mt19937 random_;
};

}  // namespace

TEST_CASE("index: random changes have the same effect as on a map, and do not change copies", "[engine]") {
    const auto seed = GENERATE(range(0U, 6U));
    INFO("seed " << seed);
    Keys keys(seed);
    Index index;
    Model model;
    std::vector<std::pair<Index, Model>> copies;
    for (int i = 0; i < 12'000; ++i) {
        const std::string key = keys.key();
        // The index grows, shrinks and grows again.
        if (keys.pick(10) < (i / 4000 == 1 ? 8U : 3U)) {
            REQUIRE(index.erase(key).has_value() == (model.erase(key) == 1));
        } else {
            const Place place = keys.place();
            REQUIRE(index.put(key, place).has_value() == model.contains(key));
            model[key] = place;
        }
        const std::string sought = keys.key();
        CHECK(index.find(sought).has_value() == model.contains(sought));
        if (i % 1000 == 0) {
            check_same(index, model);
            copies.emplace_back(index, model);
        }
        if (i % 100 == 0) {
            const std::int64_t now = keys.pick(1000);
            const std::string from = keys.pick(2) == 0 ? "" : keys.key();
            const std::size_t most = keys.pick(2) == 0 ? 3 : 10'000;
            REQUIRE(expired_in(index, now, from, most) == expired_in(model, now, from, most));
        }
    }
    for (const auto& [copy, expected] : copies) check_same(copy, expected);
    for (const auto& [key, place] : Model(model)) index.erase(key);
    check_same(index, {});
}

TEST_CASE("index: a key that never expires has not expired at any time", "[engine]") {
    Index index;
    index.put("a", {0, kNoExpiry, 1});
    CHECK(expired_in(index, kNoExpiry, "", 9).empty());
}

TEST_CASE("index: the loader builds the same index as the changes one by one", "[engine]") {
    const auto seed = GENERATE(range(0U, 4U));
    const std::size_t most = GENERATE(1U, 100U, 1'000'000U);
    INFO("seed " << seed << ", " << most << " at once");
    Keys keys(seed);
    IndexLoader loader(most);
    Model model;
    for (int i = 0; i < 8'000; ++i) {
        const std::string key = keys.key();
        if (keys.pick(4) == 0) {
            loader.erase(key);
            model.erase(key);
        } else {
            const Place place = keys.place();
            loader.put(key, place);
            model[key] = place;
        }
    }
    Index index = loader.finish();
    check_same(index, model);
    // The index then works like any other.
    for (int i = 0; i < 2'000; ++i) {
        const std::string key = keys.key();
        const Place place = keys.place();
        index.put(key, place);
        model[key] = place;
    }
    check_same(index, model);
}

TEST_CASE("index: the loader accepts repeated keys, and keys with long shared prefixes", "[engine]") {
    IndexLoader loader;
    Model model;
    for (unsigned i = 0; i < 1000; ++i) {
        const Place place = {i, kNoExpiry, 1};
        for (const std::string& key : {std::string("counter-of-visits"), std::string(i % 100 * 8, 'z') + "y"}) {
            loader.put(key, place);
            model[key] = place;
        }
    }
    check_same(loader.finish(), model);
}

TEST_CASE("index: the loader accepts keys in order, and changes out of order", "[engine]") {
    const std::size_t most = GENERATE(1U, 1'000'000U);
    IndexLoader loader(most);
    Model model;
    const auto put = [&](const std::string& key) {
        const Place place = {model.size(), kNoExpiry, 1};
        loader.put(key, place);
        model[key] = place;
    };
    const auto erase = [&](const std::string& key) {
        loader.erase(key);
        model.erase(key);
    };
    erase("");
    put("");  // The smallest key is the first one, so it does not come after another.
    for (int i = 1000; i < 2000; ++i) put(std::to_string(i));
    erase("3");  // This key would come after all others, and it is not there.
    SECTION("no more changes") {}
    SECTION("the last key again") { put("1999"); }
    SECTION("a key in between") { put("1500x"); }
    SECTION("the removal of the last key") {
        erase("1999");
        put("2");
    }
    SECTION("the removal of the first key") { erase(""); }
    put("4");
    check_same(loader.finish(), model);
}

TEST_CASE("index: the loader builds an empty index", "[engine]") {
    check_same(IndexLoader().finish(), {});
    IndexLoader loader;
    loader.put("a", {});
    loader.erase("a");
    check_same(loader.finish(), {});
}
