#include "polystore/store.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "polystore/clients/memory.hpp"
#include "support/catch.hpp"
#include "support/code_of.hpp"
#include "support/custom_clients.hpp"
#include "support/fake_clock.hpp"

using namespace polystore;
using namespace polystore::testing;

static_assert(std::input_iterator<Store::Iterator>);

namespace {

/// A client that calls `before` in front of every read.
class Watched : public PlainClient {
   public:
    std::optional<Record> read(const std::string& id) override {
        if (before) before(id);
        return PlainClient::read(id);
    }

    std::function<void(const std::string&)> before;
};

/// A client with the given traits that counts how often it is closed.
class Bare : public PlainClient {
   public:
    explicit Bare(Traits traits) : traits_(traits) {}

    ClientTraits traits() const override { return {.can = traits_}; }
    void close() override { ++closed; }

    int closed = 0;

   private:
    Traits traits_;
};

std::vector<std::string> sorted(std::vector<std::string> keys) {
    std::sort(keys.begin(), keys.end());
    return keys;
}

}  // namespace

TEST_CASE("a store needs a client", "[store]") {
    CHECK(code_of([] { Store(nullptr); }) == "ERR_CLIENT");
}

TEST_CASE("a value that JSON cannot hold is rejected, and nothing is written", "[store]") {
    const Store store(memory());
    store.set("a", 1);
    const Json bad = {{"user", {{"born", std::numeric_limits<double>::quiet_NaN()}}}};
    CHECK_THAT(failure_of([&] { store.set("a", bad); }), Catch::StartsWith("ERR_VALUE: value.user.born is NaN"));
    CHECK(code_of([&] { store.add(bad); }) == "ERR_VALUE");
    CHECK(store.all() == std::map<std::string, Json>{{"a", 1}});
}

TEST_CASE("stored values are copies", "[store]") {
    const Store store(memory());
    Json value = {{"list", {1}}};
    store.set("a", value);
    value["list"].push_back(2);
    Json read = store.get("a");
    read["list"].push_back(3);
    CHECK(store.get("a") == Json{{"list", {1}}});
}

TEST_CASE("memory holds keys that are not valid UTF-8", "[store]") {
    const Store store(memory());
    const std::string key("\xff\0\x80", 3);
    CHECK(store.set(key, 1) == key);
    CHECK(store.keys() == std::vector{key});
    CHECK(store.get(key) == 1);
}

TEST_CASE("the system clock is used unless another clock is given", "[store]") {
    const auto client = std::make_shared<PlainClient>();
    Store(client).set("a", 1, {.expires = "1h"});
    CHECK(client->entries.at(0).record.expires == Approx(system_time() + 3'600'000).margin(60'000));
}

TEST_CASE("stores over one client share it, whether they are created separately or derived", "[store]") {
    const auto client = memory();
    const Store one(client);
    const Store two(client, {.prefix = "p:"});
    const Store copy = two;
    two.set("a", 1);
    CHECK(one.keys() == std::vector<std::string>{"p:a"});
    CHECK(copy.prefix("").get("a") == 1);
    CHECK(one.prefix("p:").get("a") == 1);
}

TEST_CASE("a client is released together with the last store", "[store]") {
    auto client = std::make_shared<PlainClient>();
    const std::weak_ptr<PlainClient> watch = client;
    {
        const Store sub = Store(std::move(client)).prefix("a");
        auto iterator = sub.begin();
        CHECK_FALSE(watch.expired());
    }
    CHECK(watch.expired());
}

TEST_CASE("an iteration returns pairs, and nothing for an empty store", "[store]") {
    const Store store(memory());
    for (const auto& [key, value] : store) FAIL(key);
    store.set("a", 1);
    store.set("b", "x");
    std::map<std::string, Json> seen;
    for (const auto& [key, value] : store) seen[key] = value;
    CHECK(seen == store.all());
    const auto iterator = store.begin();
    CHECK(iterator->first == "a");
}

TEST_CASE("an iteration reads one page at a time, and visits each record that stays once", "[store]") {
    const FakeClock clock;
    const Store store(memory(), {.clock = clock});
    for (int i = 0; i < 1500; ++i) store.set("k" + std::to_string(i), i);
    std::multiset<std::string> seen;
    for (const auto& [key, value] : store) {
        if (seen.empty()) {
            for (int i = 0; i < 1500; i += 2) store.del("k" + std::to_string(i));
        }
        seen.insert(key);
        store.set("a" + key, 0);  // Keys before the current one: if these were visited, this would never end.
    }
    for (int i = 1; i < 1500; i += 2) CHECK(seen.count("k" + std::to_string(i)) == 1);
    CHECK(seen.size() <= 512 + 750);
}

TEST_CASE("an iteration evicts records that expire meanwhile", "[store]") {
    FakeClock clock;
    const auto client = std::make_shared<PlainClient>();
    const Store store(client, {.clock = clock});
    for (int i = 0; i < 1000; ++i) store.set(std::to_string(i), i, {.expires = "1s"});
    int seen = 0;
    for (const auto& entry : store) {
        static_cast<void>(entry);
        if (++seen == 1) clock.advance(1000);
    }
    CHECK(seen == 512);
    CHECK(client->entries.size() == 512);
}

TEST_CASE("an iteration fails once the store is closed", "[store]") {
    const Store store(memory());
    for (int i = 0; i < 513; ++i) store.set(std::to_string(i), i);
    auto iterator = store.begin();
    store.close();
    CHECK(code_of([&] {
              while (iterator != store.end()) ++iterator;
          }) == "ERR_CLOSED");
    CHECK(code_of([&] { return store.begin(); }) == "ERR_CLOSED");
}

TEST_CASE("an iterator outlives its store", "[store]") {
    auto iterator = [] {
        const Store store(memory());
        store.set("a", 1);
        return store.prefix("").begin();
    }();
    CHECK(iterator->first == "a");
    ++iterator;
    CHECK(iterator == std::default_sentinel);
}

TEST_CASE("closing a store closes every store that shares the client, once", "[store]") {
    const auto client = std::make_shared<Bare>(Trait::list);
    const Store one(client);
    const Store two(client);
    const Store sub = one.prefix("p");
    sub.close();
    one.close();
    two.close();
    CHECK(client->closed == 1);
    CHECK(code_of([&] { return two.get("a"); }) == "ERR_CLOSED");
    CHECK(code_of([&] { sub.prefix("q").set("a", 1); }) == "ERR_CLOSED");
}

TEST_CASE("a store created after closing works, and the old ones stay closed", "[store]") {
    const auto client = memory();
    const Store old(client);
    old.set("a", 1);
    old.close();
    const Store fresh(client);
    CHECK(fresh.get("a") == 1);
    CHECK(code_of([&] { return old.get("a"); }) == "ERR_CLOSED");
    fresh.close();
    CHECK(code_of([&] { return fresh.get("a"); }) == "ERR_CLOSED");
}

TEST_CASE("a client that fails to close leaves the store closed", "[store]") {
    class Stubborn : public PlainClient {
        void close() override { throw std::runtime_error("no"); }
    };
    const Store store(std::make_shared<Stubborn>());
    CHECK(code_of([&] { store.close(); }) == "ERR_CLIENT");
    CHECK(code_of([&] { return store.get("a"); }) == "ERR_CLOSED");
    CHECK(code_of([&] { store.close(); }).empty());
}

TEST_CASE("an exception of a client becomes an Error that contains the cause", "[store]") {
    const auto client = std::make_shared<Watched>();
    const Store store(client);
    client->before = [](const std::string&) { throw std::runtime_error("boom"); };
    CHECK(failure_of([&] { return store.get("key"); }) == "ERR_CLIENT: The client failed at \"key\": boom");
    try {
        static_cast<void>(store.get("key"));
    } catch (const Error& error) {
        CHECK_THROWS_WITH(std::rethrow_if_nested(error), "boom");
    }
    client->before = [](const std::string&) { throw Error(ErrorCode::quota, "full"); };
    CHECK(failure_of([&] { return store.get("key"); }) == "ERR_QUOTA: full");
    client->before = [](const std::string&) { throw 5; };
    CHECK(code_of([&] { return store.get("key"); }) == "ERR_CLIENT");
    client->before = [](const std::string&) { throw std::bad_alloc(); };
    CHECK(code_of([&] { return store.get("key"); }) == "ERR_QUOTA");
    client->before = nullptr;
    CHECK(store.get("key") == nullptr);
}

TEST_CASE("an expired record is absent for reads, whether or not it can be removed", "[store]") {
    class ReadOnly : public PlainClient {
       public:
        std::vector<CommitOutcome> commit(std::span<const Commit> commits) override {
            if (!commits.front().expected.empty()) throw Error(ErrorCode::quota, "full");
            return PlainClient::commit(commits);
        }
    };
    FakeClock clock;
    const Store store(std::make_shared<ReadOnly>(), {.clock = clock});
    store.set("old", 1, {.expires = "1s"});
    store.set("kept", 2);
    clock.advance(1000);
    CHECK(store.get("old") == nullptr);
    CHECK_FALSE(store.has("old"));
    CHECK(store.keys() == std::vector<std::string>{"kept"});
    for (const auto& [key, value] : store) CHECK(key == "kept");
    CHECK(code_of([&] { static_cast<void>(store.prune()); }) == "ERR_QUOTA");
    CHECK(code_of([&] { store.clear(); }) == "ERR_QUOTA");
}

TEST_CASE("a client that lists keys outside the prefix is an error", "[store]") {
    class Careless : public PlainClient {
       public:
        std::unique_ptr<Cursor> scan(const Range& /*range*/) override { return PlainClient::scan({}); }
    };
    const Store store(std::make_shared<Careless>());
    store.set("other", 1);
    CHECK(code_of([&] { return store.prefix("p:").keys(); }) == "ERR_CLIENT");
    CHECK(store.keys().size() == 1);
}

TEST_CASE("a client may call a store of its own", "[store]") {
    const auto client = std::make_shared<Watched>();
    const Store store(client);
    const Store log = store.prefix("log:");
    client->before = [&](const std::string& id) {
        if (!id.starts_with("log:")) log.set(id, log.get(id).is_null() ? 1 : log.get(id).get<int>() + 1);
    };
    store.set("a", 1);
    CHECK(store.get("a") == 1);
    CHECK(store.get("a") == 1);
    CHECK(log.get("a") == 2);
    client->before = nullptr;
    CHECK(sorted(store.keys()) == std::vector<std::string>{"a", "log:a"});
}

TEST_CASE("a client that closes its own store during a call gets an error", "[store]") {
    const auto client = std::make_shared<Watched>();
    const Store store(client);
    store.set("a", 1);
    std::string code;
    client->before = [&](const std::string&) { code = code_of([&] { store.close(); }); };
    CHECK(store.get("a") == 1);
    CHECK(code == "ERR_CLIENT");
    client->before = nullptr;
    CHECK(store.get("a") == 1);
    store.close();
}

TEST_CASE("a record that changes between read and eviction stays", "[store]") {
    FakeClock clock;
    const auto client = std::make_shared<Watched>();
    const Store store(client, {.clock = clock});
    store.set("a", "old", {.expires = "1s"});
    store.set("b", "old", {.expires = "1s"});
    clock.advance(1000);
    int reads = 0;
    client->before = [&](const std::string& id) {
        // The second read of a record is the one before its eviction.
        if (++reads == 2) client->put(id, {kNever, "new"});
    };
    CHECK(store.get("a") == nullptr);
    client->before = nullptr;
    CHECK(store.get("a") == "new");

    reads = 1;
    client->before = [&](const std::string& id) {
        if (++reads == 2) client->put(id, {kNever, "new"});
    };
    CHECK(store.prune() == 0);
    client->before = nullptr;
    CHECK(store.get("b") == "new");
}

TEST_CASE("a client that cannot list supports all other methods", "[store]") {
    const Store store(std::make_shared<Bare>(Traits()));
    store.set("a", 1);
    CHECK(store.get("a") == 1);
    CHECK(store.has("a"));
    for (const auto& call : std::vector<std::function<void()>>{
             [&] { return store.keys(); }, [&] { return store.values(); }, [&] { return store.entries(); },
             [&] { return store.all(); }, [&] { store.clear(); }, [&] { store.prune(); },
             [&] { return store.begin(); }}) {
        CHECK(code_of(call) == "ERR_UNSUPPORTED");
    }
}

TEST_CASE("a client with a trait whose method it does not override is an error", "[store]") {
    const Store store(
        std::make_shared<Bare>(Trait::manages_expiry | Trait::add | Trait::sweeps_all | Trait::sweeps_expired));
    CHECK(code_of([&] { store.add(1); }) == "ERR_UNSUPPORTED");
    CHECK(code_of([&] { store.clear(); }) == "ERR_UNSUPPORTED");
    CHECK(code_of([&] { store.prune(); }) == "ERR_UNSUPPORTED");
}

TEST_CASE("the expiry that a client with managed expiry reports for a live record is ignored", "[store]") {
    const auto client = std::make_shared<Bare>(Trait::manages_expiry | Trait::list);
    double now = 1000;
    const Store store(client, {.clock = [&] { return now; }});
    store.set("a", 1, {.expires = 60});
    CHECK(client->entries.at(0).record.expires == 61'000);
    now = 100'000;  // By now, the client would not show an expired record any more.
    CHECK(store.get("a") == 1);
    CHECK(store.keys().size() == 1);
    CHECK(client->entries.size() == 1);
}

TEST_CASE("the options of set replace prefix and expiry for one call", "[store]") {
    const FakeClock clock;
    const auto client = std::make_shared<PlainClient>();
    const Store store = Store(client, {.prefix = "a:", .expires = "1h", .clock = clock}).prefix("b:");
    CHECK(store.set("k", 1, {.prefix = "c:"}) == "k");
    store.set("k", 1, {.expires = std::nullopt});
    REQUIRE(client->entries.size() == 2);
    CHECK(client->entries[0].id == "c:k");
    CHECK(client->entries[0].record.expires == FakeClock::kStart + 3'600'000);
    CHECK(client->entries[1].id == "a:b:k");
    CHECK(client->entries[1].record.expires == kNever);
}

TEST_CASE("algorithms accept a store as a range", "[store]") {
    const Store store(memory());
    store.set("a", 1);
    store.set("b", 2);
    CHECK(std::ranges::count_if(store, [](const auto& entry) { return entry.second > 1; }) == 1);
}

TEST_CASE("a flush is asked for after calls that write only", "[store]") {
    class Flushing : public PlainClient {
       public:
        std::function<void()> pending_flush() override {
            return [this] { ++flushes; };
        }
        int flushes = 0;
    };
    FakeClock clock;
    const auto client = std::make_shared<Flushing>();
    const Store store(client, {.clock = clock});
    store.set("a", 1, {.expires = "1s"});
    store.add(1);
    store.del("b");
    store.prune();
    CHECK(client->flushes == 4);
    clock.advance(1000);
    CHECK(store.get("a") == nullptr);
    CHECK_FALSE(store.has("a"));
    CHECK(store.keys().size() == 1);
    CHECK(client->flushes == 4);
}

TEST_CASE("a client that returns too few outcomes, or refuses without a reason, is an error", "[store]") {
    class Careless : public PlainClient {
       public:
        std::vector<CommitOutcome> commit(std::span<const Commit> /*commits*/) override { return outcomes; }
        std::vector<CommitOutcome> outcomes;
    };
    const auto client = std::make_shared<Careless>();
    const Store store(client);
    CHECK_THAT(failure_of([&] { store.set("a", 1); }),
               Catch::StartsWith("ERR_CLIENT") && Catch::Contains("0 outcomes for 1 commits"));
    client->outcomes.emplace_back(false);
    CHECK(code_of([&] { store.set("a", 1); }) == "ERR_CLIENT");
    client->outcomes = {true};
    CHECK(store.set("a", 1) == "a");
}

TEST_CASE("a client that adds a record outside the prefix is an error", "[store]") {
    class Careless : public PlainClient {
       public:
        ClientTraits traits() const override { return {.can = Trait::add}; }
        std::string add(const std::string& /*prefix*/, const Record& /*record*/) override { return "elsewhere"; }
    };
    const Store store(std::make_shared<Careless>());
    CHECK(store.add(1) == "elsewhere");
    CHECK(code_of([&] { store.prefix("p:").add(1); }) == "ERR_CLIENT");
}

TEST_CASE("a client with keys in UTF-8 is not called with others", "[store]") {
    class Texts : public PlainClient {
       public:
        ClientTraits traits() const override { return {.keys = Keys::utf8}; }
    };
    const auto client = std::make_shared<Texts>();
    const Store store(client);
    CHECK(code_of([&] { return store.get("\xff"); }) == "ERR_KEY");
    CHECK(code_of([&] { return store.has("\xff"); }) == "ERR_KEY");
    CHECK(code_of([&] { store.set("\xff", 1); }) == "ERR_KEY");
    CHECK(code_of([&] { store.del("\xff"); }) == "ERR_KEY");
    CHECK(client->entries.empty());
    CHECK(store.prefix("\xff").keys().empty());
}

TEST_CASE("a shared client is closed for all who use it, and works again in a new store", "[store]") {
    const auto behind = std::make_shared<Bare>(Trait::list);
    const auto front = share(behind);
    const Store direct(behind);
    const Store through(front);
    through.set("a", 1);
    auto iterator = through.begin();
    CHECK(direct.get("a") == 1);
    through.close();
    CHECK(behind->closed == 1);
    CHECK(code_of([&] { return direct.get("a"); }) == "ERR_CLOSED");
    CHECK(Store(front).get("a") == 1);
    const Store again(behind);
    again.close();
    CHECK(code_of([&] { return Store(front).get("a"); }) == "ERR_CLOSED");
    Store(front).close();
    CHECK(behind->closed == 2);
    CHECK(Store(front).get("a") == 1);
    CHECK(code_of([] { return share(nullptr); }) == "ERR_CLIENT");
}
