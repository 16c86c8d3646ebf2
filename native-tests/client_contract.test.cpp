// What every client owes the driver: ranges in order, and commits that are made as a whole where everything is as
// expected.

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "polystore/client.hpp"
#include "polystore/clients/file.hpp"
#include "polystore/clients/folder.hpp"
#include "polystore/clients/log.hpp"
#include "polystore/clients/memory.hpp"
#include "polystore/error.hpp"
#include "polystore/store.hpp"
#include "support/catch.hpp"
#include "support/client_calls.hpp"
#include "support/code_of.hpp"
#include "support/custom_clients.hpp"
#include "support/fake_clock.hpp"
#include "support/temporary_folder.hpp"

using namespace polystore;
using namespace polystore::testing;

namespace {

using Ids = std::vector<std::string>;

const std::string kPrefix = "client contract:";

/// In the order of their bytes, which for UTF-8 is the order of their code points.
const Ids kKeys = {"", "a", "a\x01", "ab", "b", "\u00e9", "\ud7ff", "\ue000", "\uffff", "\U0001F600"};

Ids part(std::size_t begin, std::size_t end) {
    return {kKeys.begin() + static_cast<std::ptrdiff_t>(std::min(begin, end)),
            kKeys.begin() + static_cast<std::ptrdiff_t>(end)};
}

Ids reversed(Ids keys) {
    std::reverse(keys.begin(), keys.end());
    return keys;
}

/// Each client that is tested, empty.
class Clients {
   public:
    void for_each(const std::function<void(Client&)>& check) const {
        const std::vector<std::pair<std::string, std::shared_ptr<Client>>> clients = {
            {"memory", memory()},
            {"file", file(folder_ / "a.json")},
            {"folder", folder(folder_ / "folder")},
            {"log", log(folder_ / "a.kv", {.clock = FakeClock()})},  // It removes nothing by itself.
            {"a client of a user", std::make_shared<PlainClient>()},
            {"a shared client", share(memory())},
        };
        for (const auto& [name, client] : clients) {
            INFO(name);
            check(*client);
        }
    }

   private:
    TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("client contract: a range is listed in the order of its bytes, from either end", "[client contract]") {
    Clients().for_each([](Client& client) {
        for (const std::string& key : reversed(kKeys)) put(client, kPrefix + key, {kNever, key});
        put(client, "another", {kNever, 1});
        const auto list = [&](Range range) {
            range.prefix = kPrefix;
            Ids keys = ids_in(client, range);
            for (std::string& key : keys) key.erase(0, kPrefix.size());
            return keys;
        };
        Ids all = list({});
        std::sort(all.begin(), all.end());
        CHECK(all == kKeys);
        CHECK(list({.limit = 100}) == kKeys);
        CHECK(list({.reverse = true}) == reversed(kKeys));
        for (std::size_t i = 0; i < kKeys.size(); ++i) {
            const std::string id = kPrefix + kKeys[i];
            INFO(kKeys[i]);
            CHECK(list({.gte = id}) == part(i, kKeys.size()));
            CHECK(list({.gt = id, .limit = 3}) == part(i + 1, std::min(i + 4, kKeys.size())));
            CHECK(list({.lt = id}) == part(0, i));
            CHECK(list({.lte = id, .limit = 3, .reverse = true}) == reversed(part(i < 3 ? 0 : i - 2, i + 1)));
        }
        CHECK(list({.gt = kPrefix + "b", .gte = kPrefix + "ab", .lt = kPrefix + "\u00e9"}) == Ids{"ab", "b"});
        CHECK(list({.gte = kPrefix + "ab", .lt = kPrefix + "ab", .lte = kPrefix + "b"}) == Ids{"ab", "b"});
        CHECK(list({.gt = kPrefix + "b", .lt = kPrefix + "a"}).empty());
        CHECK(list({.gt = kPrefix + "b", .lt = kPrefix + "a", .reverse = true}).empty());
        CHECK(list({.limit = 0}).empty());
        CHECK(list({.gt = "zzz"}).empty());
        CHECK(list({.lt = "aaa", .reverse = true}).empty());
        CHECK(ids_in(client, {.gt = kPrefix + "\uffff"}) == Ids{kPrefix + "\U0001F600"});
    });
}

TEST_CASE("client contract: a commit is made only if everything is still as it was found", "[client contract]") {
    Clients().for_each([](Client& client) {
        const double soon = 1e13;
        put(client, "a", {soon, 1});
        put(client, "b", {soon, {{"x", 1}}});
        const std::optional<Record> a = client.read("a");
        const std::optional<Record> b = client.read("b");
        put(client, "b", {soon, {{"x", 2}}});  // Only the value differs.
        const std::vector<Commit> removals = {{.expected = {{"a", a}}, .changes = {{"a"}}},
                                              {.expected = {{"b", b}}, .changes = {{"b"}}},
                                              {.expected = {{"c", a}}, .changes = {{"c"}}}};
        const std::vector<CommitOutcome> outcomes = client.commit(removals);
        REQUIRE(outcomes.size() == 3);
        CHECK((outcomes[0].made && !outcomes[1].made && !outcomes[2].made));
        CHECK_FALSE((outcomes[0].error || outcomes[1].error || outcomes[2].error));
        CHECK(client.read("a") == std::nullopt);
        CHECK(client.read("b") == Record{soon, {{"x", 2}}});
        put(client, "b", {soon + 1, {{"x", 2}}});  // Only the expiry differs.
        CHECK_FALSE(is_made(client, {.expected = {{"b", Record{soon, {{"x", 2}}}}}, .changes = {{"b"}}}));

        // Puts, over a record and where there must be none.
        CHECK(is_made(client, {.expected = {{"c"}}, .changes = {{"c", Record{kNever, "made"}}}}));
        CHECK_FALSE(is_made(client, {.expected = {{"c"}}, .changes = {{"c", Record{kNever, "again"}}}}));
        CHECK(is_made(client, {.expected = {{"c", Record{kNever, "made"}}}, .changes = {{"c", Record{soon, 2}}}}));
        CHECK(client.read("c") == Record{soon, 2});

        // Without changes, a commit only checks.
        CHECK(is_made(client, {.expected = {{"c", Record{soon, 2}}}}));
        CHECK_FALSE(is_made(client, {.expected = {{"c"}}}));
        CHECK(is_made(client, {}));
    });
}

TEST_CASE("client contract: several changes are made as a whole, or refused where the storage cannot",
          "[client contract]") {
    Clients().for_each([](Client& client) {
        put(client, "a", {kNever, 1});
        put(client, "b", {kNever, 2});
        const Commit move = {.expected = {{"a", Record{kNever, 1}}, {"c"}},
                             .changes = {{"a"}, {"b", Record{kNever, 3}}, {"c", Record{kNever, 1}}}};
        if (client.traits().many || dynamic_cast<PlainClient*>(&client) != nullptr) {
            Commit late = move;
            late.expected.push_back({"b"});
            CHECK_FALSE(is_made(client, late));
            CHECK(client.read("c") == std::nullopt);
            CHECK(client.read("a") == Record{kNever, 1});
            CHECK(is_made(client, move));
            CHECK(client.read("a") == std::nullopt);
            CHECK(client.read("b") == Record{kNever, 3});
            CHECK(client.read("c") == Record{kNever, 1});
            // The last change of a key counts.
            CHECK(is_made(client, {.changes = {{"d", Record{kNever, 1}}, {"d"}, {"a"}, {"a", Record{kNever, 4}}}}));
            CHECK(client.read("d") == std::nullopt);
            CHECK(client.read("a") == Record{kNever, 4});
        } else {
            CHECK(code_of([&] { is_made(client, move); }) == "ERR_UNSUPPORTED");
            CHECK(code_of([&] {
                      is_made(client, {.expected = {{"a", Record{kNever, 1}}}, .changes = {{"b"}}});
                  }) == "ERR_UNSUPPORTED");
            CHECK(client.read("a") == Record{kNever, 1});
            CHECK(client.read("b") == Record{kNever, 2});
        }
    });
}

TEST_CASE("client contract: a range is swept, of everything or of what has expired", "[client contract]") {
    Clients().for_each([](Client& client) {
        if (!client.traits().can[Trait::sweeps_all]) return;
        put(client, "a:1", {kNever, 1});
        put(client, "a:2", {2000, 2});
        put(client, "a:3", {1000, 3});
        put(client, "b:1", {1000, 4});
        CHECK(client.sweep({.prefix = "a:", .gt = "a:1"}, 999) == 0);
        CHECK(client.sweep({.prefix = "a:", .gt = "a:1"}, 1000) == 1);
        CHECK(client.sweep({.prefix = "a:", .lt = "a:2"}, std::nullopt) == 1);
        CHECK(ids_in(client, {}) == Ids{"a:2", "b:1"});
        CHECK(client.sweep({}, std::nullopt) == 2);
        CHECK(ids_in(client, {}).empty());
    });
}

TEST_CASE("client contract: a page ends once it has a megabyte", "[client contract]") {
    Clients().for_each([](Client& client) {
        for (int i = 0; i < 30; ++i) put(client, std::to_string(i), {kNever, {{"text", std::string(100'000, 'x')}}});
        for (const bool reverse : {false, true}) {
            std::size_t count = 0;
            const auto cursor = client.scan({.reverse = reverse});
            while (const auto page = cursor->next(kPageLength)) {
                CHECK(page->size() <= 11);
                count += page->size();
            }
            CHECK(count == 30);
        }
    });
}

TEST_CASE("client contract: a commit that fails leaves the others of its call alone", "[client contract]") {
    PlainClient client;
    const std::vector<CommitOutcome> outcomes =
        commit_each(std::vector<Commit>{{}, {.changes = {{"bad"}}}, {.expected = {{"a"}}}}, [](const Commit& commit) {
            if (!commit.changes.empty()) throw Error(ErrorCode::quota, "full");
            return commit.expected.empty();
        });
    CHECK((outcomes[0].made && !outcomes[1].made && !outcomes[2].made));
    CHECK(code_of([&] { std::rethrow_exception(outcomes[1].error); }) == "ERR_QUOTA");
    CHECK_FALSE(outcomes[2].error);
}
