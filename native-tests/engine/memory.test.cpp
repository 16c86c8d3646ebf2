// Makes each allocation in each call of the engine fail in turn. A failed call must have changed nothing, in memory or
// in the file. Later calls must work, and the reopened log must contain every acknowledged change.

#include <functional>
#include <new>
#include <string>

#include "polystore/clients/log.hpp"
#include "polystore/engine/posix_env.hpp"
#include "polystore/store.hpp"
#include "support/catch.hpp"
#include "support/code_of.hpp"
#include "support/engine.hpp"
#include "support/failing_allocation.hpp"
#include "support/fault_env.hpp"
#include "support/temporary_folder.hpp"

using namespace polystore;
using namespace polystore::engine;
using namespace polystore::testing;

namespace {

using Contents = std::map<std::string, std::string>;

constexpr auto kKinds = {FailingAllocation::Kind::one, FailingAllocation::Kind::all};

std::string numbered(int i) { return "key:" + std::to_string(1000 + i); }

/// Enough keys for several leaves, which are full, because the keys are inserted in order.
std::vector<engine::Change> many() {
    std::vector<engine::Change> changes;
    for (int i = 0; i < 300; ++i) changes.push_back(set(numbered(2 * i), std::string(20, 'v')));
    return changes;
}

/// Runs an action on an engine once for each of its allocations, makes that allocation fail, and checks the contents.
void with_each_allocation_failing(const std::function<void(Engine&)>& prepare, const std::function<void(Engine&)>& act,
                                  bool may_break = false) {
    for (const FailingAllocation::Kind kind : kKinds) {
        bool reached = true;
        std::size_t failures = 0;
        for (std::size_t before = 0; reached; ++before) {
            const TemporaryFolder folder;
            const std::string path = (folder / kPath).string();
            std::unique_ptr<Engine> engine = opened(posix_env(), path);
            prepare(*engine);
            const Contents old = contents(*engine);
            bool threw = false;
            {
                const FailingAllocation failing(before, kind);
                try {
                    act(*engine);
                } catch (const std::exception&) {
                    threw = true;
                }
                reached = FailingAllocation::was_reached();
            }
            failures += threw ? 1 : 0;
            INFO("the allocation after " << before << " others");
            Contents now = contents(*engine);
            if (threw) REQUIRE(now == old);
            // If a new log has replaced the old one but could not be adopted, the engine is broken and rejects writes.
            if (engine->writable().ok()) {
                got(engine->apply({set("after", "all")}));
                got(engine->apply({set("after", "that"), erase(numbered(4))}));
                got(engine->flush());
                now["after"] = "that";
                now.erase(numbered(4));
                REQUIRE(contents(*engine) == now);
            } else {
                CHECK(may_break);
            }
            engine.reset();
            REQUIRE(contents(*opened(posix_env(), path)) == now);
        }
        CHECK(failures > 0);
    }
}

void fill(Engine& engine) { got(engine.apply(many())); }

}  // namespace

TEST_CASE("memory: a change without enough memory changes nothing") {
    SECTION("a new key") {
        with_each_allocation_failing(fill, [](Engine& engine) { got(engine.apply({set(numbered(7), "new")})); });
    }
    SECTION("new keys, one after the other, that split nodes") {
        with_each_allocation_failing(
            [](Engine& engine) {
                fill(engine);
                // A test cannot see how many keys a leaf lacks until it is full, so this tries every number.
                for (int i = 1; i < 60; i += 2) got(engine.apply({set(numbered(i), "between")}));
            },
            [](Engine& engine) { got(engine.apply({set(numbered(61), "new")})); });
    }
    SECTION("the first key of a log") {
        with_each_allocation_failing([](Engine&) {}, [](Engine& engine) { got(engine.apply({set("first", "1")})); });
    }
    SECTION("a long key and a long value") {
        with_each_allocation_failing(fill, [](Engine& engine) {
            got(engine.apply({set(std::string(20'000, 'k'), std::string(100'000, 'v'))}));
        });
    }
    SECTION("another value for a key, the first with an expiry") {
        with_each_allocation_failing(fill, [](Engine& engine) { got(engine.apply({set(numbered(8), "x", 5)})); });
    }
    SECTION("a removal") {
        with_each_allocation_failing(fill, [](Engine& engine) { got(engine.apply({erase(numbered(8))})); });
    }
    SECTION("a removal while a scan shares the nodes") {
        with_each_allocation_failing(fill, [](Engine& engine) {
            const Scan scan = engine.scan({});
            got(engine.apply({erase(numbered(8))}));
        });
    }
    SECTION("a batch") {
        with_each_allocation_failing(fill, [](Engine& engine) {
            std::vector<engine::Change> batch;
            for (int i = 0; i < 70; ++i) batch.push_back(set(numbered(2 * i + 1), "odd", i % 3 == 0 ? i : kNoExpiry));
            for (int i = 0; i < 20; ++i) batch.push_back(erase(numbered(2 * i)));
            got(engine.apply(batch));
        });
    }
    SECTION("clear") {
        with_each_allocation_failing(fill, [](Engine& engine) { got(engine.clear("key:11")); });
    }
}

TEST_CASE("memory: a read without enough memory works the next time") {
    SECTION("get") {
        with_each_allocation_failing(fill, [](Engine& engine) {
            std::string value;
            got(engine.get(numbered(8), value));
        });
    }
    SECTION("scan") {
        with_each_allocation_failing(fill, [](Engine& engine) {
            std::string buffer;
            for (Scan scan = engine.scan({.reverse = true}); scan.next();) got(scan.read(buffer));
        });
    }
}

TEST_CASE("memory: compaction without enough memory leaves the log unchanged") {
    with_each_allocation_failing(
        [](Engine& engine) {
            fill(engine);
            for (int i = 0; i < 100; ++i) got(engine.apply({set(numbered(i), "again")}));
        },
        [](Engine& engine) {
            while (got(engine.compact(2000))) {
            }
        },
        true);
}

TEST_CASE("memory: a log that failed to open without enough memory can be opened later") {
    // This log is in memory, because a real lock writes its holder with nlohmann::json, which allocates on destruction.
    FaultEnv env;
    Contents all;
    {
        const std::unique_ptr<Engine> engine = opened(env);
        fill(*engine);
        for (int i = 0; i < 100; ++i) got(engine->apply({set(numbered(599 - i), "again", i)}));
        all = contents(*engine);
    }
    for (const FailingAllocation::Kind kind : kKinds) {
        bool reached = true;
        for (std::size_t before = 0; reached; ++before) {
            {
                const FailingAllocation failing(before, kind);
                try {
                    static_cast<void>(opened(env));
                } catch (const std::bad_alloc&) {
                }
                reached = FailingAllocation::was_reached();
            }
            REQUIRE(contents(*opened(env)) == all);
        }
    }
}

TEST_CASE("memory: a removal in full storage without enough memory changes nothing") {
    for (const FailingAllocation::Kind kind : kKinds) {
        bool reached = true;
        for (std::size_t before = 0; reached; ++before) {
            FaultEnv env;
            std::unique_ptr<Engine> engine = opened(env);
            fill(*engine);
            got(engine->apply({set("large", std::string(20'000, 'v'))}));
            env.limit(env.text(kPath).size() + 20'000);
            const Contents old = contents(*engine);
            Contents expected = old;
            bool threw = false;
            {
                const FailingAllocation failing(before, kind);
                try {
                    got(engine->apply({erase("large")}));
                } catch (const std::exception&) {
                    threw = true;
                }
                reached = FailingAllocation::was_reached();
            }
            if (!threw) expected.erase("large");
            REQUIRE(contents(*engine) == expected);
            engine.reset();
            REQUIRE(contents(*opened(env)) == expected);
        }
    }
}

TEST_CASE("memory: a store over a log reports ERR_QUOTA if there is not enough memory") {
    const TemporaryFolder folder;
    const Store store(log(folder / "data.kv"));
    store.set("key", "old");
    bool reached = true;
    std::size_t failures = 0;
    for (std::size_t before = 0; reached; ++before) {
        std::string code;
        Json value = std::string(1000, 'n');
        {
            const FailingAllocation failing(before);
            try {
                store.set("key", std::move(value));
            } catch (const Error& error) {
                code = name_of(error.code());
                if (error.code() == ErrorCode::quota) ++failures;
            } catch (const std::bad_alloc&) {
                code = "std::bad_alloc";
            }
            reached = FailingAllocation::was_reached();
        }
        INFO("the allocation after " << before << " others");
        if (reached) REQUIRE(code == "ERR_QUOTA");
        REQUIRE(store.get("key") == (code.empty() ? Json(std::string(1000, 'n')) : Json("old")));
        store.set("key", "old");
    }
    CHECK(failures > 0);
    store.close();
    CHECK(Store(log(folder / "data.kv")).get("key") == "old");
}
