// Random sequences of calls, over a store and over a model of it: both have to give the same. When they do not, the
// test prints the sequence and its seed; `polystore_tests "[model]" --rng-seed <seed>` repeats it.
// web-tests/server/changes_model.test.js is the same in JavaScript.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "polystore/polystore.hpp"
#include "support/catch.hpp"
#include "support/fake_clock.hpp"
#include "support/temporary_folder.hpp"

using namespace polystore;
using namespace polystore::testing;

namespace {

constexpr double kMaxInteger = 9007199254740991;
/// The life that a sliding read renews, in seconds.
constexpr double kSliding = 8;

/// The version of a value that a call names: that of the value which is there, that of no value, or that of another
/// one.
enum class Named { current, none, other };

/// A call with everything that any method may need of it.
struct Step {
    std::string method;
    std::string prefix;
    std::optional<double> by_default;
    std::vector<std::string> keys;  ///< Each once, at least two.
    Json value;
    double by;
    std::optional<double> life;
    bool renew;
    Named version;
    struct Write {
        std::string method;
        std::string key;
        Json value;
        std::optional<double> life;
        Named version;
    };
    std::vector<Write> writes;
    Range range;
};

Json to_json(const Step& step) {
    const auto optional = [](const auto& given) { return given ? Json(*given) : Json(); };
    Json writes = Json::array();
    for (const Step::Write& write : step.writes) {
        writes.push_back({write.method, write.key, write.value, optional(write.life), static_cast<int>(write.version)});
    }
    const Range& range = step.range;
    return {{"method", step.method},
            {"prefix", step.prefix},
            {"by_default", optional(step.by_default)},
            {"keys", step.keys},
            {"value", step.value},
            {"by", step.by},
            {"life", optional(step.life)},
            {"renew", step.renew},
            {"version", static_cast<int>(step.version)},
            {"writes", std::move(writes)},
            {"range",
             {{"gt", optional(range.gt)},
              {"gte", optional(range.gte)},
              {"lt", optional(range.lt)},
              {"lte", optional(range.lte)},
              {"limit", range.limit},
              {"reverse", range.reverse}}}};
}

/// Makes up sequences of steps.
class StepsGenerator : public Catch::Generators::IGenerator<std::vector<Step>> {
   public:
    explicit StepsGenerator(std::uint32_t seed) : random_(seed) { next(); }

    const std::vector<Step>& get() const override { return steps_; }

    bool next() override {
        steps_.clear();
        const int count = 1 + below(50);
        for (int i = 0; i < count; ++i) steps_.push_back(step());
        return true;
    }

   private:
    int below(int end) { return static_cast<int>(random_() % static_cast<std::uint32_t>(end)); }
    bool one_in(int count) { return below(count) == 0; }

    template <typename Value>
    Value any_of(const std::vector<Value>& values) {
        return values[static_cast<std::size_t>(below(static_cast<int>(values.size())))];
    }

    // Few keys, so that calls meet, and some of every length and order.
    std::string key() {
        if (!one_in(4)) return any_of<std::string>({"a", "b"});
        return any_of<std::string>({"", "a:b", "é", "\uffee", "🔑", "__proto__"});
    }

    Json value() {
        return any_of<Json>({0, 1, -1.5, 9007199254740991, "", "text", false, Json::array(), Json::array({1, nullptr}),
                             Json{{"a", {{"b", "c"}}}}});
    }

    std::optional<double> life() {
        if (one_in(2)) return std::nullopt;
        return any_of<double>({-1, 0, 2, 8, 3600});
    }

    Named version() { return any_of<Named>({Named::current, Named::current, Named::none, Named::other}); }

    std::optional<std::string> bound() { return one_in(3) ? std::optional(key()) : std::nullopt; }

    Range range() {
        Range range;
        if (one_in(2)) return range;
        range = {.gt = bound(), .gte = bound(), .lt = bound(), .lte = bound()};
        if (one_in(2)) range.limit = any_of<std::size_t>({0, 1, 2, 5});
        range.reverse = one_in(2);
        return range;
    }

    Step::Write write() {
        return {any_of<std::string>({"set", "del", "check"}), key(), one_in(4) ? Json() : value(), life(), version()};
    }

    Step step() {
        static const std::vector<std::string> kMethods = {
            "get",     "has",     "set",      "set",      "del",      "ttl",           "touch",   "entry",   "sliding",
            "append",  "replace", "swap",     "incr",     "incr",     "set_if_absent", "cas",     "cas",     "take",
            "batch",   "batch",   "get_many", "set_many", "del_many", "has_many",      "keys",    "values",  "entries",
            "all",     "iterate", "size",     "clear",    "page",     "prune",         "advance", "advance", "advance",
            "advance", "advance", "advance",  "reopen",   "reopen"};
        Step step;
        step.method = any_of(kMethods);
        step.prefix = one_in(4) ? "a" : "";
        if (one_in(3)) step.by_default = any_of<double>({2, 8});
        const std::size_t count = one_in(2) ? 2 : 3;
        while (step.keys.size() < count) {
            std::string next = key();
            if (std::find(step.keys.begin(), step.keys.end(), next) == step.keys.end()) step.keys.push_back(next);
        }
        step.value = value();
        step.by = any_of<double>({1, 1, -2.5, kMaxInteger});
        step.life = life();
        step.renew = one_in(2);
        step.version = version();
        for (int writes = below(5); writes > 0; --writes) step.writes.push_back(write());
        step.range = range();
        return step;
    }

    std::mt19937 random_;
    std::vector<Step> steps_;
};

/// What a store does, as simple as can be. Its ids are full ones.
class Model {
   public:
    Model(const FakeClock& clock, bool is_transactional) : clock_(clock), is_transactional_(is_transactional) {}

    /// Does what the step says, and returns what that has to give: a text that begins with "ERR_" for an error.
    Json perform(const Step& step) {
        const std::string& method = step.method;
        const std::string id = step.prefix + step.keys.front();
        const double by_default = step.by_default.value_or(kNever);
        const double life = step.life.value_or(by_default);
        Found* const found = find(id);
        const Json old = found ? found->value : Json();
        if (method == "get") return old;
        if (method == "has") return found != nullptr;
        if (method == "ttl") return found ? seconds((found->until - clock_()) / 1000) : Json();
        if (method == "entry") return found ? Json{{"value", old}, {"expires", seconds(found->until)}} : Json();
        if (method == "sliding") {
            if (found && found->until != kNever && found->until - clock_() <= kSliding * 875) set(id, old, kSliding);
            return old;
        }
        if (method == "set") return set(id, step.value, life), step.keys.front();
        if (method == "del") return set(id, {}, life), step.keys.front();
        if (method == "touch") {
            if (found) set(id, old, life);
            return found != nullptr;
        }
        if (method == "append") return change(id, Json::array({old, step.value}), life, step.renew);
        if (method == "replace") return change(id, step.value, life, step.renew);
        if (method == "incr") {
            if (!old.is_null() && !old.is_number()) return "ERR_VALUE";
            const double sum = (old.is_null() ? 0 : old.get<double>()) + step.by;
            if (!(std::abs(sum) <= kMaxInteger)) return "ERR_VALUE";
            change(id, sum, life, step.renew);
            return sum;
        }
        if (method == "set_if_absent") return !found && !set(id, step.value, life).is_null();
        if (method == "cas") {
            if (!is_meant(id, step.version)) return false;
            change(id, step.by < 0 ? Json() : step.value, life, step.renew);
            return true;
        }
        if (method == "take") {
            set(id, {}, life);
            return old;
        }
        if (method == "swap") return swap(step, life);
        if (method == "batch") return batch(step, by_default);
        if (method == "prune") return Json();
        if (method.ends_with("_many")) return many(step, life);
        if (method == "page" && step.range.limit == 0) return "ERR_OPTIONS";
        return list(step);
    }

    /// All that is there, in order, with its full keys.
    Json everything() {
        Json entries = Json::array();
        for (const auto& [id, found] : records_) {
            if (found.until > clock_()) entries.push_back({id, found.value});
        }
        return entries;
    }

    bool is_meant(const std::string& id, Named version) {
        return version == Named::current || (version == Named::none && !find(id));
    }

   private:
    struct Found {
        Json value;
        double until;
    };

    /// JSON has no infinity.
    static Json seconds(double number) { return number == kNever ? Json("never") : Json(number); }

    Found* find(const std::string& id) {
        const auto found = records_.find(id);
        return found == records_.end() || found->second.until <= clock_() ? nullptr : &found->second;
    }

    /// Returns the value that is there afterwards.
    Json set(const std::string& id, Json value, double life) {
        records_.erase(id);
        if (value.is_null() || life <= 0) return {};
        records_[id] = {value, clock_() + life * 1000};
        return value;
    }

    Json change(const std::string& id, const Json& value, double life, bool renew) {
        Found* const old = find(id);
        if (value.is_null() || !old || renew) return set(id, value, life);
        old->value = value;
        return value;
    }

    Json swap(const Step& step, double life) {
        if (!is_transactional_) return "ERR_UNSUPPORTED";
        std::vector<Json> values;
        for (const std::string& key : step.keys) {
            const Found* const found = find(step.prefix + key);
            values.push_back(found ? found->value : Json());
        }
        std::rotate(values.begin(), values.begin() + 1, values.end());
        Json results = Json::array();
        for (std::size_t i = 0; i < values.size(); ++i) {
            results.push_back(change(step.prefix + step.keys[i], values[i], life, step.renew));
        }
        return results;
    }

    Json batch(const Step& step, double by_default) {
        const auto is_other = [&](const Step::Write& write) { return write.key != step.writes.front().key; };
        if (!is_transactional_ && std::any_of(step.writes.begin(), step.writes.end(), is_other)) {
            return "ERR_UNSUPPORTED";
        }
        for (const Step::Write& write : step.writes) {
            if (write.method == "check" && !is_meant(step.prefix + write.key, write.version)) return false;
        }
        for (const Step::Write& write : step.writes) {
            const std::string id = step.prefix + write.key;
            if (write.method == "set") set(id, write.value, write.life.value_or(by_default));
            if (write.method == "del") set(id, {}, by_default);
        }
        return true;
    }

    Json many(const Step& step, double life) {
        Json results = Json::array();
        for (const std::string& key : step.keys) {
            const std::string id = step.prefix + key;
            if (step.method == "set_many") set(id, step.value, life);
            if (step.method == "del_many") set(id, {}, life);
            const Found* const found = find(id);
            if (step.method == "get_many")
                results.push_back(found ? found->value : Json());
            else if (step.method == "has_many")
                results.push_back(found != nullptr);
            else
                results.push_back(key);
        }
        return results;
    }

    Json list(const Step& step) {
        const auto& [prefix, gt, gte, lt, lte, limit, reverse] = step.range;
        std::vector<std::pair<std::string, Json>> entries;
        for (const auto& [id, found] : records_) {
            if (!id.starts_with(step.prefix) || found.until <= clock_()) continue;
            const std::string key = id.substr(step.prefix.size());
            const bool is_after = gte ? key >= *gte : !gt || key > *gt;
            const bool is_before = lte ? key <= *lte : !lt || key < *lt;
            if (is_after && is_before) entries.emplace_back(key, found.value);
        }
        if (reverse) std::reverse(entries.begin(), entries.end());
        if (step.method != "page" && entries.size() > limit) entries.resize(limit);
        if (step.method == "size") return entries.size();
        Json results = Json::array();
        for (const auto& [key, value] : entries) {
            if (step.method == "clear")
                set(step.prefix + key, {}, 0);
            else if (step.method == "keys")
                results.push_back(key);
            else if (step.method == "values")
                results.push_back(value);
            else
                results.push_back({key, value});
        }
        return results;
    }

    FakeClock clock_;
    bool is_transactional_;
    std::map<std::string, Found> records_;
};

using Open = std::function<std::shared_ptr<Client>(const FakeClock&)>;

/// A store, and the calls on it.
class Subject {
   public:
    Subject(Open open, const FakeClock& clock) : open_(std::move(open)), clock_(clock), store_(opened()) {}

    void reopen() {
        store_.close();
        store_ = opened();
    }

    Json everything() const { return json_of(store_.entries({.gte = ""})); }

    /// Returns what a call gives, or the code of its error.
    Json perform(const Step& step) {
        try {
            return call(step);
        } catch (const Error& error) {
            return std::string(name_of(error.code()));
        }
    }

   private:
    [[nodiscard]] Store opened() const { return Store(open_(clock_), {.clock = clock_}); }

    static Json seconds(double number) { return number == kNever ? Json("never") : Json(number); }

    template <typename Entries>
    static Json json_of(const Entries& entries) {
        Json list = Json::array();
        for (const auto& [key, value] : entries) list.push_back({key, value});
        return list;
    }

    static std::optional<std::string> version_at(const Store& store, const std::string& key, Named named) {
        if (named == Named::none) return std::nullopt;
        if (named == Named::other) return "another version";
        const auto entry = store.entry(key);
        return entry ? std::optional(entry->version) : std::nullopt;
    }

    Json call(const Step& step) {
        const std::string& method = step.method;
        const std::string& key = step.keys.front();
        const Store prefixed = store_.prefix(step.prefix);
        const Store store = step.by_default ? prefixed.expires(*step.by_default) : prefixed;
        const Expires expires = step.life ? Expires(*step.life) : Expires();
        const SetOptions setting{.expires = expires};
        const UpdateOptions updating{.expires = expires, .renew = step.renew};
        const auto append = [&](const Json& old) { return Json::array({old, step.value}); };
        const auto rotate = [](std::vector<Json> values) {
            std::rotate(values.begin(), values.begin() + 1, values.end());
            return values;
        };
        if (method == "get") return store.get(key);
        if (method == "has") return store.has(key);
        if (method == "sliding") return store.expires(kSliding, {.sliding = true}).get(key);
        if (method == "set") return store.set(key, step.value, setting);
        if (method == "del") return store.del(key);
        if (method == "touch") return store.touch(key, expires);
        if (method == "append") return store.update(key, append, updating);
        if (method == "replace")
            return store.update(
                key, [&](const Json&) { return step.value; }, updating);
        if (method == "swap") return store.update(step.keys, rotate, updating);
        if (method == "incr") return store.incr(key, step.by, updating);
        if (method == "set_if_absent") return store.set_if_absent(key, step.value, setting);
        if (method == "take") return store.take(key);
        if (method == "get_many") return store.get_many(step.keys);
        if (method == "del_many") return store.del_many(step.keys);
        if (method == "has_many") return store.has_many(step.keys);
        if (method == "keys") return store.keys(step.range);
        if (method == "values") return store.values(step.range);
        if (method == "entries") return json_of(store.entries(step.range));
        if (method == "size") return store.size(step.range);
        if (method == "clear") return store.clear(step.range), Json::array();
        if (method == "prune") return store.prune(), Json();
        return call_with_more(step, store, setting, updating);
    }

    Json call_with_more(const Step& step, const Store& store, const SetOptions& setting,
                        const UpdateOptions& updating) {
        const std::string& method = step.method;
        const std::string& key = step.keys.front();
        if (method == "ttl") {
            const auto left = store.ttl(key);
            return left ? seconds(*left) : Json();
        }
        if (method == "entry") {
            const auto entry = store.entry(key);
            return entry ? Json{{"value", entry->value}, {"expires", seconds(entry->expires)}} : Json();
        }
        if (method == "cas") {
            return store.cas(key, version_at(store, key, step.version), step.by < 0 ? Json() : step.value, updating);
        }
        if (method == "batch") {
            std::vector<Write> writes;
            for (const Step::Write& write : step.writes) {
                const Expires life = write.life ? Expires(*write.life) : Expires();
                if (write.method == "set") writes.push_back(Write::set(write.key, write.value, {.expires = life}));
                if (write.method == "del") writes.push_back(Write::del(write.key));
                if (write.method == "check") {
                    writes.push_back(Write::check(write.key, version_at(store, write.key, write.version)));
                }
            }
            return store.batch(writes);
        }
        if (method == "set_many") {
            std::vector<std::pair<std::string, Json>> entries;
            for (const std::string& each : step.keys) entries.emplace_back(each, step.value);
            return store.set_many(entries, setting);
        }
        if (method == "all") {
            std::vector<std::pair<std::string, Json>> entries;
            for (const auto& [each, value] : store.all(step.range)) entries.emplace_back(each, value);
            return json_of(entries);
        }
        if (method == "iterate") {
            Json entries = Json::array();
            for (const auto& [each, value] : store.range(step.range)) entries.push_back({each, value});
            return entries;
        }
        return pages(step, store);
    }

    /// All entries of a range, page by page.
    static Json pages(const Step& step, const Store& store) {
        Json entries = Json::array();
        std::optional<std::string> cursor;
        do {
            const EntryPage page = store.page(step.range, cursor);
            for (const auto& [key, value] : page.entries) entries.push_back({key, value});
            cursor = page.cursor;
        } while (cursor);
        return entries;
    }

    Open open_;
    FakeClock clock_;
    Store store_;
};

/// True if a listing without bounds, which has no order.
bool has_no_order(const Step& step) {
    const Range& range = step.range;
    const bool is_bare =
        !range.gt && !range.gte && !range.lt && !range.lte && range.limit == Range().limit && !range.reverse;
    const bool lists =
        step.method == "keys" || step.method == "values" || step.method == "entries" || step.method == "iterate";
    return step.method == "all" || (is_bare && lists);
}

/// Performs the steps on both. Returns the first difference, with the steps up to there, or "" if there is none.
std::string difference(const std::vector<Step>& steps, const Open& open, bool is_transactional) {
    FakeClock clock;
    Model model(clock, is_transactional);
    Subject subject(open, clock);
    std::string performed;
    for (const Step& step : steps) {
        performed += to_json(step).dump() + "\n";
        if (step.method == "advance") {
            clock.advance(step.by > 1 ? 8000 : step.by < 0 ? 500 : 2000);
        } else if (step.method == "reopen") {
            subject.reopen();
        } else {
            Json expected = model.perform(step);
            Json given = subject.perform(step);
            if (has_no_order(step)) {
                std::sort(expected.begin(), expected.end());
                std::sort(given.begin(), given.end());
            }
            if (given != expected) {
                return performed + "gave " + given.dump() + ", and should give " + expected.dump();
            }
        }
    }
    subject.reopen();
    const Json expected = model.everything();
    const Json given = subject.everything();
    return given == expected ? "" : performed + "left " + given.dump() + ", and should leave " + expected.dump();
}

/// The seed of this run: `--rng-seed`, or a random one.
std::uint32_t seed() {
    static const std::uint32_t kGiven = Catch::rngSeed();
    static const std::uint32_t kSeed = kGiven != 0 ? kGiven : std::random_device()();
    return kSeed;
}

void check_sequences(int count, const std::function<Open(const TemporaryFolder&)>& open, bool is_transactional = true) {
    const auto steps = GENERATE_COPY(
        take(count, Catch::Generators::GeneratorWrapper<std::vector<Step>>(std::make_unique<StepsGenerator>(seed()))));
    const TemporaryFolder folder;
    const std::string found = difference(steps, open(folder), is_transactional);
    INFO("The seed is " << seed() << ".");
    CHECK(found.empty());
    if (!found.empty()) FAIL(found);
}

}  // namespace

TEST_CASE("memory: random sequences of calls do what they do to a model", "[model]") {
    check_sequences(300, [](const TemporaryFolder&) -> Open {
        const std::shared_ptr<Client> client = memory();
        return [client](const FakeClock&) { return client; };
    });
}

TEST_CASE("file: random sequences of calls do what they do to a model", "[model]") {
    check_sequences(20, [](const TemporaryFolder& folder) -> Open {
        return [path = folder / "store.json"](const FakeClock&) { return file(path); };
    });
}

TEST_CASE("folder: random sequences of calls do what they do to a model", "[model]") {
    check_sequences(
        20,
        [](const TemporaryFolder& folder) -> Open {
            return [path = folder.path() / "folder"](const FakeClock&) { return polystore::folder(path); };
        },
        false);
}

TEST_CASE("log: random sequences of calls do what they do to a model", "[model]") {
    check_sequences(60, [](const TemporaryFolder& folder) -> Open {
        return [path = folder / "store.kv"](const FakeClock& clock) { return log(path, {.clock = clock}); };
    });
}
