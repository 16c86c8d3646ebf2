// The rules of watchers, over each client.

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <future>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "polystore/clients/file.hpp"
#include "polystore/clients/folder.hpp"
#include "polystore/clients/log.hpp"
#include "polystore/clients/memory.hpp"
#include "polystore/store.hpp"
#include "support/catch.hpp"
#include "support/code_of.hpp"
#include "support/custom_clients.hpp"
#include "support/failing_allocation.hpp"
#include "support/fake_clock.hpp"
#include "support/in_child.hpp"
#include "support/on_threads.hpp"
#include "support/temporary_folder.hpp"

using namespace polystore;
using namespace polystore::testing;
using namespace std::chrono_literals;

namespace {

using Texts = std::vector<std::string>;

/// Returns a change as "set key value", "del key", "expire key" or "gap".
std::string text_of(const Watcher::Change& change) {
    switch (change.type) {
        case Watcher::Type::set: return "set " + change.key + ' ' + change.value.dump();
        case Watcher::Type::del: return "del " + change.key;
        case Watcher::Type::expire: return "expire " + change.key;
        case Watcher::Type::gap: return "gap";
    }
    return "?";
}

/// Returns the changes that have come, without waiting for others.
Texts take(Watcher& watcher) {
    Texts changes;
    while (const auto change = watcher.next(0s)) changes.push_back(text_of(*change));
    return changes;
}

Texts take_sorted(Watcher& watcher) {
    Texts changes = take(watcher);
    std::sort(changes.begin(), changes.end());
    return changes;
}

/// A client that cannot list.
class Unlisted : public PlainClient {
   public:
    ClientTraits traits() const override { return {.can = {}}; }
};

/// Runs `check` with a store over each client, and its clock.
void over_each(const std::function<void(const Store&, FakeClock)>& check) {
    const TemporaryFolder folder;
    const FakeClock clock;
    const std::map<std::string, std::shared_ptr<Client>> clients = {
        {"memory", memory()},
        {"file", file(folder / "store.json")},
        {"folder", polystore::folder(folder / "records")},
        {"relaxed log", log(folder / "relaxed.kv", {.clock = clock})},
        {"strict log", log(folder / "strict.kv", {.durability = Durability::strict, .clock = clock})},
        {"plain client", std::make_shared<PlainClient>()},
        {"managing client", std::make_shared<ManagingClient>(clock)},
        {"front", std::make_shared<Front>(share(memory()))},
    };
    for (const auto& [name, client] : clients) {
        INFO(name);
        check(Store(client, {.clock = clock}), clock);
    }
}

auto count_threads() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator());
}

}  // namespace

TEST_CASE("watch: what is written and deleted comes in order", "[watch]") {
    over_each([](const Store& store, const FakeClock& /*clock*/) {
        Watcher watcher = store.watch();
        store.set("a", {{"deep", {1}}});
        CHECK(take(watcher) == Texts{R"(set a {"deep":[1]})"});
        store.set("b", "text");
        store.set("c", true);
        CHECK(take(watcher) == Texts{R"(set b "text")", "set c true"});
        store.set("c", true);
        CHECK(take(watcher) == Texts{"set c true"});
        store.del("a");
        store.set("b", nullptr);
        const std::string key = store.add("added");
        CHECK(take(watcher) == Texts{"del a", "del b", "set " + key + " \"added\""});
        CHECK(watcher.next(0s) == std::nullopt);
    });
}

TEST_CASE("watch: one key is watched, or a range, or a sub-store with the keys as it has them", "[watch]") {
    over_each([](const Store& store, const FakeClock& /*clock*/) {
        const Store sub = store.prefix("s:");
        Watcher of_key = store.watch("k");
        Watcher of_range = store.watch({.gte = "k", .lt = "m"});
        Watcher of_sub = sub.watch();
        Watcher of_key_of_sub = sub.watch(std::string("k"));
        for (const char* const key : {"j", "k", "kk", "l", "m", "s", "s:k", "s:z"}) store.set(key, key);
        CHECK(take(of_key) == Texts{R"(set k "k")"});
        CHECK(take(of_range) == Texts{R"(set k "k")", R"(set kk "kk")", R"(set l "l")"});
        CHECK(take(of_sub) == Texts{R"(set k "s:k")", R"(set z "s:z")"});
        CHECK(take(of_key_of_sub) == Texts{R"(set k "s:k")"});
        store.del("s:k");
        store.del("k");
        CHECK(take(of_key) == Texts{"del k"});
        CHECK(take(of_range) == Texts{"del k"});
        CHECK(take(of_sub) == Texts{"del k"});
        CHECK(take(of_key_of_sub) == Texts{"del k"});
    });
}

TEST_CASE("watch: what was not fetched becomes the last change of its key", "[watch]") {
    over_each([](const Store& store, const FakeClock& /*clock*/) {
        Watcher watcher = store.watch();
        for (int i = 1; i <= 20; ++i) store.set("k", i);
        store.set("other", 0);
        store.set("other", 1);
        store.set("gone", 1);
        store.del("gone");
        CHECK(take(watcher) == Texts{"set k 20", "set other 1", "del gone"});
    });
}

TEST_CASE("watch: what wrote nothing is no change", "[watch]") {
    over_each([](const Store& store, const FakeClock& /*clock*/) {
        store.set("there", 1);
        Watcher watcher = store.watch();
        Watcher of_absent = store.watch("absent");
        store.del("absent");
        store.set("absent", nullptr);
        store.set("absent", 1, {.expires = 0});
        static_cast<void>(store.get("there"));
        static_cast<void>(store.has("absent"));
        CHECK(code_of([&] { store.set("bad", std::nan("")); }) == "ERR_VALUE");
        store.incr("n");
        store.incr("n", 4);
        CHECK(take(watcher) == Texts{"set n 5"});
        store.update("n", [](const Json& value) { return value; });
        store.set_if_absent("n", 1);
        store.cas("n", std::nullopt, 1);
        CHECK(code_of([&] { store.update("n", [](const Json&) -> Json { return std::nan(""); }); }) == "ERR_VALUE");
        store.take("absent");
        static_cast<void>(store.entry("n"));
        store.clear({.gte = "x"});
        store.prune();
        CHECK(take(watcher).empty());
        CHECK(take(of_absent).empty());
        store.set_if_absent("made", true);
        CHECK(take(watcher) == Texts{"set made true"});
        store.take("made");
        CHECK(take(watcher) == Texts{"del made"});
        store.cas("n", store.entry("n")->version, {1});
        CHECK(take(watcher) == Texts{"set n [1]"});
        store.update("n", [](const Json&) { return Json(); });
        CHECK(take(watcher) == Texts{"del n"});
    });
}

TEST_CASE("watch: each change of a batch comes", "[watch]") {
    const TemporaryFolder folder;
    for (const auto& client : {memory(), file(folder / "a.json"), log(folder / "a.kv")}) {
        const Store store(client);
        store.set("a", 1);
        Watcher watcher = store.watch();
        CHECK(store.batch({Write::set("b", 2), Write::del("a"), Write::del("absent")}));
        CHECK(take_sorted(watcher) == Texts{"del a", "set b 2"});
        CHECK_FALSE(store.batch({Write::check("b", std::nullopt), Write::set("b", 3)}));
        store.update({"b", "c"}, [](const std::vector<Json>& values) { return std::vector{values[0], values[0]}; });
        CHECK(take(watcher) == Texts{"set c 2"});
    }
}

TEST_CASE("watch: clear() deletes each value", "[watch]") {
    over_each([](const Store& store, const FakeClock& /*clock*/) {
        store.set_many({{"a", 1}, {"b", 2}, {"p:c", 3}});
        Watcher watcher = store.watch();
        Watcher of_key = store.watch("b");
        store.prefix("p:").clear();
        CHECK(take(watcher) == Texts{"del p:c"});
        store.clear({.gte = "b"});
        CHECK(take(watcher) == Texts{"del b"});
        CHECK(take(of_key) == Texts{"del b"});
        store.set("d", 4);
        store.clear();
        CHECK(take_sorted(watcher) == Texts{"del a", "del d"});
    });
}

TEST_CASE("watch: with initial, what is there comes first", "[watch]") {
    over_each([](const Store& store, FakeClock clock) {
        store.set_many({{"s:a", 1}, {"s:b", {{"deep", 1}}}, {"t", 2}});
        store.set("s:old", 3, {.expires = "1s"});
        clock.advance(1000);
        Watcher watcher = store.prefix("s:").watch({}, {.initial = true});
        CHECK(take_sorted(watcher) == Texts{"set a 1", R"(set b {"deep":1})"});
        store.set("s:a", 3);
        CHECK(take(watcher) == Texts{"set a 3"});
        Watcher of_key = store.watch("t", {.initial = true});
        store.set("t", 4);
        CHECK(take(of_key) == Texts{"set t 4"});
        Texts heard;
        const Watcher listening = store.watch(
            "t", [&](const Watcher::Change& change) { heard.push_back(text_of(change)); }, {.initial = true});
        CHECK(heard == Texts{"set t 4"});
    });
}

TEST_CASE("watch: an expiry comes when its time is over, also of a value that was there before", "[watch]") {
    over_each([](const Store& store, FakeClock clock) {
        store.set("old", 1, {.expires = "40ms"});
        Watcher watcher = store.watch();
        Watcher of_key = store.watch("old");
        store.set("new", 1, {.expires = "30ms"});
        CHECK(take(watcher) == Texts{"set new 1"});
        clock.advance(29);
        CHECK(take(watcher).empty());
        clock.advance(1);
        CHECK(take(watcher) == Texts{"expire new"});
        clock.advance(2000);
        CHECK(take(watcher) == Texts{"expire old"});
        CHECK(take(of_key) == Texts{"expire old"});
        CHECK(store.get("old") == nullptr);
        store.del("new");
        store.prune();
        CHECK(take(watcher).empty());
    });
}

TEST_CASE("watch: an expired value never comes as one that was set", "[watch]") {
    over_each([](const Store& store, FakeClock clock) {
        Watcher watcher = store.watch();
        store.set("k", 1, {.expires = "30ms"});
        store.set("l", 1, {.expires = "30ms"});
        clock.advance(2000);
        store.prune();
        CHECK(take(watcher) == Texts{"expire k", "expire l"});
    });
}

TEST_CASE("watch: a value that is set anew does not expire when the old one would have", "[watch]") {
    over_each([](const Store& store, FakeClock clock) {
        Watcher watcher = store.watch("k");
        store.set("k", 1, {.expires = "20ms"});
        CHECK(take(watcher) == Texts{"set k 1"});
        store.set("k", 2);
        CHECK(take(watcher) == Texts{"set k 2"});
        clock.advance(2000);
        store.set("k", 3, {.expires = "20ms"});
        CHECK(take(watcher) == Texts{"set k 3"});
        clock.advance(2000);
        CHECK(take(watcher) == Texts{"expire k"});
    });
}

TEST_CASE("watch: a touch is no change, and moves the expiry", "[watch]") {
    over_each([](const Store& store, FakeClock clock) {
        Watcher watcher = store.watch();
        store.set("k", 1, {.expires = "20ms"});
        CHECK(take(watcher) == Texts{"set k 1"});
        store.touch("k", "10s");
        clock.advance(2000);
        CHECK(take(watcher).empty());
        const Store sliding = store.expires("20ms", {.sliding = true});
        sliding.touch("k");
        clock.advance(15);
        CHECK(sliding.get("k") == 1);
        clock.advance(15);
        CHECK(take(watcher).empty());
        clock.advance(5);
        CHECK(take(watcher) == Texts{"expire k"});
    });
}

TEST_CASE("watch: what another store prunes by a clock that is ahead comes as well", "[watch]") {
    const auto client = memory();
    const FakeClock clock;
    const Store store(client, {.clock = clock});
    store.set("k", 1, {.expires = "1s"});
    Watcher watcher = store.watch();
    CHECK(Store(client, {.clock = [&] { return clock() + 2000; }}).prune() == 1);
    CHECK(take(watcher) == Texts{"del k"});
}

TEST_CASE("watch: the reach is what the watcher says, and more is refused", "[watch]") {
    const TemporaryFolder folder;
    const Store store(memory());
    CHECK(store.watch().reach() == Reach::process);
    CHECK(failure_of([&] { static_cast<void>(store.watch("k", {.reach = Reach::storage})); }) ==
          "ERR_UNSUPPORTED: reach is Reach::storage, and watchers of this client hear only changes of the same "
          "process. Use another storage, or require less.");
    const auto client = log(folder / "a.kv");
    CHECK(Store(client).watch({}, {.reach = Reach::storage}).reach() == Reach::storage);
    CHECK(Store(share(client)).watch().reach() == Reach::process);
}

TEST_CASE("watch: wrong arguments have a code", "[watch]") {
    const TemporaryFolder folder;
    const Store store(file(folder / "a.json"));
    CHECK(code_of([&] { static_cast<void>(store.watch({.limit = 1})); }) == "ERR_OPTIONS");
    CHECK(code_of([&] { static_cast<void>(store.watch({.reverse = true})); }) == "ERR_OPTIONS");
    CHECK(code_of([&] { static_cast<void>(store.watch("\xFF")); }) == "ERR_KEY");
    Watcher watcher = store.watch();
    CHECK(code_of([&] { static_cast<void>(watcher.next(Watcher::Wait(std::nan("")))); }) == "ERR_OPTIONS");
    CHECK(watcher.next(-1s) == std::nullopt);
    CHECK(folder.names().empty());
}

TEST_CASE("watch: every way to end it ends it, and the others go on", "[watch]") {
    const Store store(memory());
    Watcher watcher = store.watch();
    Watcher other = store.watch();
    std::optional<Watcher> destroyed(store.watch("k"));
    store.set("k", 1);
    destroyed.reset();
    watcher.close();
    watcher.close();
    CHECK(watcher.next() == std::nullopt);
    Watcher moved = std::move(other);
    CHECK(take(moved) == Texts{"set k 1"});
    auto waiting = std::async([&] { return moved.next(); });
    moved.close();
    CHECK(waiting.get() == std::nullopt);
    moved = store.watch("l");
    store.set("l", 1);
    CHECK(take(moved) == Texts{"set l 1"});
}

TEST_CASE("watch: closing the store ends its watchers with ERR_CLOSED", "[watch]") {
    over_each([](const Store& store, const FakeClock& /*clock*/) {
        Watcher watcher = store.watch();
        Watcher of_key = store.watch("k");
        std::atomic<int> heard = 0;
        const Watcher listening = store.watch([&](const Watcher::Change&) { ++heard; });
        store.set("k", 1);
        auto waiting = std::async([&] {
            return code_of([&] {
                while (watcher.next()) continue;
            });
        });
        store.prefix("p:").close();
        CHECK(waiting.get() == "ERR_CLOSED");
        CHECK(code_of([&] { return watcher.next(0s); }) == "ERR_CLOSED");
        CHECK(code_of([&] { return of_key.next(); }) == "ERR_CLOSED");
        CHECK(code_of([&] { static_cast<void>(store.watch()); }) == "ERR_CLOSED");
        CHECK(heard == 1);
        of_key.close();
        CHECK(code_of([&] { return of_key.next(); }) == "ERR_CLOSED");
    });
}

TEST_CASE("watch: a new store over a client that was closed can be watched", "[watch]") {
    const auto client = memory();
    Watcher before = Store(client).watch();
    Store(client).close();
    Watcher watcher = Store(client).watch();
    Store(client).set("k", 1);
    CHECK(take(watcher) == Texts{"set k 1"});
    CHECK(code_of([&] { return before.next(); }) == "ERR_CLOSED");
}

TEST_CASE("watch: two stores over one client hear each other, and a watcher outlives its store", "[watch]") {
    const auto client = memory();
    const Store store(client);
    Watcher watcher = Store(client, {.prefix = "o:"}).watch();
    store.set("o:k", 1);
    Store(client, {.prefix = "o:"}).set("l", 2);
    CHECK(take(watcher) == Texts{"set k 1", "set l 2"});
}

TEST_CASE("watch: a listener is called by the thread that wrote, before the call returns", "[watch]") {
    over_each([](const Store& store, const FakeClock& /*clock*/) {
        Texts heard;
        std::thread::id thread;
        Watcher watcher = store.watch([&](const Watcher::Change& change) {
            heard.push_back(text_of(change));
            thread = std::this_thread::get_id();
        });
        store.set("k", 1);
        store.set("k", 2);
        store.del("k");
        CHECK(heard == Texts{"set k 1", "set k 2", "del k"});
        CHECK(thread == std::this_thread::get_id());
        CHECK(watcher.next(0s) == std::nullopt);
        watcher.close();
        store.set("k", 3);
        CHECK(heard.size() == 3);
    });
}

TEST_CASE("watch: a listener may use the store, from any thread, and close it and watchers", "[watch]") {
    over_each([](const Store& store, const FakeClock& /*clock*/) {
        Texts heard;
        Watcher second = store.watch("b", [&](const Watcher::Change& change) { heard.push_back(text_of(change)); });
        std::optional<Watcher> first;
        first.emplace(store.watch([&](const Watcher::Change& change) {
            heard.push_back(text_of(change));
            // The calling thread holds no lock: another one can make a call.
            if (change.key == "a") std::async(std::launch::async, [&] { store.set("b", 1); }).get();
            if (change.key == "b" && change.value == 1) store.set("b", 2);
            if (change.key == "c") first->close();
            if (change.key == "d") FAIL("it was closed");
        }));
        store.set("a", 1);
        CHECK(heard == Texts{"set a 1", "set b 1", "set b 1", "set b 2", "set b 2"});
        store.set("c", 1);
        store.set("d", 1);
        CHECK(heard.back() == "set c 1");
        const Watcher closing = store.watch("e", [&](const Watcher::Change&) {
            second.close();
            store.close();
        });
        store.set("e", 1);
        CHECK(code_of([&] { store.set("f", 1); }) == "ERR_CLOSED");
    });
}

TEST_CASE("watch: a listener that throws ends its own watcher only, whose next() throws that", "[watch]") {
    over_each([](const Store& store, const FakeClock& /*clock*/) {
        int calls = 0;
        Watcher bad = store.watch([&](const Watcher::Change&) {
            ++calls;
            throw std::runtime_error("mine");
        });
        Texts heard;
        const Watcher good = store.watch([&](const Watcher::Change& change) { heard.push_back(text_of(change)); });
        CHECK(store.set("a", 1) == "a");
        CHECK(store.set("b", 1) == "b");
        CHECK(heard == Texts{"set a 1", "set b 1"});
        CHECK(calls == 1);
        CHECK_THROWS_WITH(bad.next(), "mine");
        CHECK_THROWS_WITH(bad.next(0s), "mine");
    });
}

TEST_CASE("watch: a thread of the library tells listeners of expiry, and ends with the last", "[watch]") {
    const auto before = count_threads();
    const Store store(memory());
    store.set("old", 1, {.expires = 1ms});
    {
        std::promise<Texts> told;
        Texts heard;
        std::optional<Watcher> watcher;
        watcher.emplace(store.watch([&](const Watcher::Change& change) {
            if (change.type != Watcher::Type::expire) return;
            heard.push_back(text_of(change));
            if (change.key == "last") told.set_value(heard);
        }));
        CHECK(count_threads() == before + 1);
        const Watcher another = store.watch("k", [](const Watcher::Change&) {});
        CHECK(count_threads() == before + 1);
        store.set("long", 1, {.expires = 1h});
        store.set("first", 1, {.expires = 1ms});
        store.set("last", 1, {.expires = 30ms});
        const Texts all = told.get_future().get();
        CHECK(Texts(all.end() - 2, all.end()) == Texts{"expire first", "expire last"});
        watcher.reset();
        CHECK(count_threads() == before + 1);
    }
    CHECK(count_threads() == before);
    const Watcher silent = store.watch();
    CHECK(count_threads() == before);
}

TEST_CASE("watch: a listener that the thread of the library calls may close the last watcher", "[watch]") {
    std::promise<void> closed;
    std::optional<Watcher> watcher;
    {
        const Store store(memory());
        watcher.emplace(store.watch([&](const Watcher::Change& change) {
            if (change.type != Watcher::Type::expire) return;
            watcher->close();
            closed.set_value();
        }));
        store.set("k", 1, {.expires = 1ms});
    }
    closed.get_future().get();
}

TEST_CASE("watch: next() waits for a change, for an expiry, and no longer than it is told", "[watch]") {
    const Store store(memory());
    Watcher watcher = store.watch();
    CHECK(watcher.next(1ms) == std::nullopt);
    auto waiting = std::async([&] { return text_of(*watcher.next()); });
    store.set("k", 1, {.expires = 20ms});
    const std::string first = waiting.get();
    CHECK((first == "set k 1" || first == "expire k"));
    if (first == "set k 1") CHECK(text_of(*watcher.next()) == "expire k");
}

TEST_CASE("watch: close() waits until the listener has returned in another thread", "[watch]") {
    const Store store(memory());
    std::promise<void> entered;
    std::promise<void> leave;
    std::atomic<bool> is_inside = false;
    Watcher watcher = store.watch([&](const Watcher::Change&) {
        is_inside = true;
        entered.set_value();
        leave.get_future().wait();
        is_inside = false;
    });
    std::thread writer([&] { store.set("k", 1); });
    entered.get_future().wait();
    std::thread closer([&] {
        watcher.close();
        CHECK_FALSE(is_inside);
    });
    CHECK(is_inside);
    leave.set_value();
    closer.join();
    writer.join();
}

TEST_CASE("watch: many threads lose no last state, and keep the order of each key", "[watch]") {
    constexpr int kWriters = 4;
    constexpr int kRounds = 300;
    const auto follow = [](std::map<std::string, int>& last, const Watcher::Change& change, std::atomic<int>& wrong) {
        if (change.type != Watcher::Type::set || change.value.get<int>() < last[change.key]) ++wrong;
        last[change.key] = change.value.get<int>();
    };
    std::map<std::string, int> goal = {{"all", kWriters * kRounds}};
    for (int i = 0; i < kWriters; ++i) goal[std::to_string(i)] = kRounds;
    const TemporaryFolder folder;
    for (const auto& client : {memory(), log(folder / "a.kv")}) {
        const Store store(client);
        std::atomic<int> wrong = 0;
        std::atomic<int> inside = 0;
        std::map<std::string, int> heard;
        Watcher watcher = store.watch();
        const Watcher listening = store.watch([&](const Watcher::Change& change) {
            if (++inside != 1) ++wrong;
            follow(heard, change, wrong);
            --inside;
        });
        std::map<std::string, int> fetched;
        std::thread reader([&] {
            while (fetched != goal) follow(fetched, *watcher.next(), wrong);
        });
        on_threads(kWriters, [&](int thread) {
            for (int i = 1; i <= kRounds; ++i) {
                store.set(std::to_string(thread), i);
                if (i % 50 == 0) static_cast<void>(store.watch("0").next(0s));
                if (i % 60 == 0) static_cast<void>(store.watch([](const Watcher::Change&) {}));
                store.incr("all");
            }
        });
        reader.join();
        CHECK(heard == goal);
        CHECK(wrong == 0);
    }
}

TEST_CASE("watch: the threads that call next() share the changes", "[watch]") {
    const Store store(memory());
    Watcher watcher = store.watch();
    std::atomic<int> fetched = 0;
    std::vector<std::thread> readers;
    for (int i = 0; i < 3; ++i) {
        readers.emplace_back([&] {
            while (watcher.next()) ++fetched;
        });
    }
    for (int i = 0; i < 300; ++i) store.set(std::to_string(i), i);
    while (fetched < 300) std::this_thread::yield();
    watcher.close();
    for (std::thread& reader : readers) reader.join();
    CHECK(fetched == 300);
}

TEST_CASE("watch: what goes through a client in front is heard behind it, when the locks of both are free", "[watch]") {
    const auto behind = memory();
    const Store front(std::make_shared<Front>(share(behind)));
    const Store back(behind);
    Watcher watcher = back.watch();
    Texts heard;
    const Watcher listening = back.watch([&](const Watcher::Change& change) {
        heard.push_back(text_of(change));
        const auto get = [&](const Store& store) { return store.get(change.key); };
        CHECK(std::async(std::launch::async, get, front).get() == change.value);
        CHECK(std::async(std::launch::async, get, back).get() == change.value);
    });
    Watcher of_front = front.watch();
    front.set("a", 1);
    front.incr("a");
    front.del("a");
    CHECK(heard == Texts{"set a 1", "set a 2", "del a"});
    CHECK(take(watcher) == Texts{"del a"});
    CHECK(take(of_front) == Texts{"del a"});
    back.set("b", 1);
    CHECK(take(of_front).empty());
    static_cast<void>(share(behind)->commit(std::vector<Commit>{{.changes = {{"c", Record{kNever, 1}}}}}));
    CHECK(heard.back() == "set c 1");
    front.close();
    CHECK(code_of([&] { return watcher.next(); }) == "ERR_CLOSED");
}

TEST_CASE("watch: a client that cannot list is watched without knowing what is there", "[watch]") {
    const Store store(std::make_shared<Unlisted>());
    store.set("k", 1);
    CHECK(code_of([&] { static_cast<void>(store.watch({}, {.initial = true})); }) == "ERR_UNSUPPORTED");
    Watcher watcher = store.watch();
    Watcher of_key = store.watch("k", {.initial = true});
    CHECK(take(of_key) == Texts{"set k 1"});
    store.del("k");
    CHECK(take(watcher) == Texts{"del k"});
    CHECK(take(of_key) == Texts{"del k"});
}

TEST_CASE("watch: a record that cannot be read is a gap", "[watch]") {
    const TemporaryFolder folder;
    put(folder / "a.json", R"({"big":{"expires":null,"value":1e999},"fine":{"expires":null,"value":1}})");
    const Store store(file(folder / "a.json"));
    Watcher watcher = store.watch({}, {.initial = true});
    CHECK(take_sorted(watcher) == Texts{"gap", "set fine 1"});
    store.set("fine", 2);
    CHECK(take(watcher) == Texts{"set fine 2"});
    store.del("big");
    store.set("big", 1);
    CHECK(take(watcher) == Texts{"set big 1"});
}

TEST_CASE("watch: if memory runs out while a change is told, the change is made, and the watcher has a gap",
          "[watch]") {
    int gaps = 0;
    const auto client = memory();
    const Store store(client);
    Watcher watcher = store.watch();
    int heard = 0;
    const Watcher listening = store.watch([&](const Watcher::Change& change) {
        if (change.type == Watcher::Type::set) heard = change.value.get<int>();
    });
    const std::string key(100, 'k');
    bool is_reached = true;
    for (std::size_t before = 0; is_reached; ++before) {
        INFO(before);
        store.del(key);
        static_cast<void>(take(watcher));
        bool is_made = false;
        {
            const FailingAllocation failing(before);
            is_made = code_of([&] { store.set(key, 1); }).empty();
            is_reached = FailingAllocation::was_reached();
        }
        CHECK(store.has(key) == is_made);
        const Texts changes = take(watcher);
        if (changes == Texts{"gap"}) {
            ++gaps;
        } else {
            CHECK(changes == (is_made ? Texts{"set " + key + " 1"} : Texts{}));
        }
    }
    CHECK(gaps > 0);
    store.set("last", 2);
    CHECK(heard == 2);
}

TEST_CASE("watch: a forked process uses the store without the watchers of its parent, and can have its own",
          "[watch]") {
    const Store store(memory());
    std::optional<Watcher> watcher(store.watch());
    std::optional<Watcher> listening(store.watch([](const Watcher::Change&) {}));
    CHECK(in_child([&] {
              store.set("a", 1);
              std::string results = code_of([&] { return watcher->next(0s); });
              watcher->close();
              watcher.reset();
              listening.reset();
              Watcher own = store.watch();
              store.set("b", 1);
              for (const std::string& change : take(own)) results += ' ' + change;
              return results;
          }) == "ERR_CLIENT set b 1");
    store.set("c", 1);
    CHECK(take(*watcher) == Texts{"set c 1"});
}
