// The methods that change values depending on what is there, over each client. The contract's cases cover the rest.

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <map>
#include <ranges>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "polystore/polystore.hpp"
#include "support/catch.hpp"
#include "support/code_of.hpp"
#include "support/fake_clock.hpp"
#include "support/temporary_folder.hpp"

using namespace polystore;
using namespace polystore::testing;

namespace {

struct Scene {
    TemporaryFolder directory;
    FakeClock clock;

    Store open(const std::shared_ptr<Client>& client) { return Store(client, {.clock = clock}); }

    std::map<std::string, std::shared_ptr<Client>> clients() {
        return {{"memory", memory()},
                {"file", file(directory.path() / "store.json")},
                {"folder", folder(directory.path() / "folder")},
                {"log", log(directory.path() / "store.kv", {.clock = clock})}};
    }
};

}  // namespace

TEST_CASE("update, incr and take change a value depending on what it is", "[changes]") {
    Scene scene;
    for (const auto& [name, client] : scene.clients()) {
        CAPTURE(name);
        const Store store = scene.open(client);
        CHECK(store.incr("n") == 1);
        CHECK(store.incr("n", 2) == 3);
        CHECK(store.get_text("n") == "3");
        const auto append = [](Json list) {
            list.push_back("x");
            return list;
        };
        CHECK(store.update("list", append) == Json{"x"});
        CHECK(store.update("list", append) == Json{"x", "x"});
        CHECK(store.update("list", [](const Json&) { return Json(); }).is_null());
        CHECK_FALSE(store.has("list"));
        CHECK(store.set_if_absent("a", 1));
        CHECK_FALSE(store.set_if_absent("a", 2));
        CHECK(store.take("a") == 1);
        CHECK(store.take("a").is_null());
    }
}

TEST_CASE("what the function of update throws reaches the caller as it is, and nothing is changed", "[changes]") {
    Scene scene;
    for (const auto& [name, client] : scene.clients()) {
        CAPTURE(name);
        const Store store = scene.open(client);
        store.set("a", 1);
        CHECK_THROWS_AS(store.update("a", [](const Json&) -> Json { throw std::out_of_range("mine"); }),
                        std::out_of_range);
        CHECK(code_of([&] { store.update("a", [](const Json&) { return Json(std::nan("")); }); }) == "ERR_VALUE");
        CHECK(code_of([&] {
                  store.incr("text");
                  store.set("text", "b");
                  store.incr("text");
              }) == "ERR_VALUE");
        CHECK(store.get("a") == 1);
        CHECK(store.get("text") == "b");
    }
}

TEST_CASE("a function of update that writes the key itself loses nothing", "[changes]") {
    Scene scene;
    for (const auto& [name, client] : scene.clients()) {
        CAPTURE(name);
        const Store store = scene.open(client);
        int calls = 0;
        const Json value = store.update("n", [&](Json old) -> Json {
            if (calls++ == 0) store.set("n", 10);
            return old.is_null() ? Json(1) : Json(old.get<int>() + 1);
        });
        CHECK(value == 11);
        CHECK(store.get("n") == 11);
    }
}

TEST_CASE("a change that another writer forestalled keeps the others out, so that it is not late again", "[changes]") {
    for (const bool is_file : {true, false}) {
        CAPTURE(is_file);
        Scene scene;
        const auto path = scene.directory.path() / (is_file ? "store.json" : "folder");
        const auto open = [&] { return scene.open(is_file ? file(path) : folder(path)); };
        const Store store = open();
        const Store other = open();  // A client of its own, as another process has it.
        store.set("n", 1);
        const auto is_locked = [&] {
            const std::filesystem::directory_iterator files(is_file ? path.parent_path() : path);
            return std::any_of(begin(files), end(files), [](const auto& entry) {
                return entry.path().filename().string().find(".lock-") != std::string::npos;
            });
        };
        std::vector<bool> locked;
        const Json value = store.update("n", [&](const Json& old) -> Json {
            locked.push_back(is_locked());
            if (locked.size() == 1) other.incr("n");
            if (locked.size() == 2) store.set("n", 10);  // The store itself may write, also several keys.
            if (locked.size() == 2 && is_file) store.batch({Write::set("m", 1), Write::del("l")});
            return old.get<int>() + 1;
        });
        CHECK(value == 11);
        CHECK(locked == std::vector<bool>{false, true, true});
        CHECK_FALSE(is_locked());
        int calls = 0;
        const auto fail_late = [&](const Json& /*old*/) -> Json {
            if (++calls == 2) throw std::out_of_range("mine");
            return other.incr("n") + 1;
        };
        CHECK_THROWS_AS(store.update("n", fail_late), std::out_of_range);
        CHECK_FALSE(is_locked());
    }
}

TEST_CASE("cas and batch go by the version of a value, which does not change with its expiry", "[changes]") {
    Scene scene;
    for (const auto& [name, client] : scene.clients()) {
        CAPTURE(name);
        const Store store = scene.open(client);
        CHECK_FALSE(store.entry("a"));
        CHECK(store.cas("a", std::nullopt, "first"));
        CHECK_FALSE(store.cas("a", std::nullopt, "second"));
        const auto entry = store.entry("a");
        REQUIRE(entry);
        CHECK(entry->value == "first");
        CHECK(entry->expires == kNever);
        CHECK(store.touch("a", 60));
        CHECK(store.cas("a", entry->version, "third"));
        CHECK(store.ttl("a") == 60);
        CHECK_FALSE(store.cas("a", entry->version, "fourth"));
        CHECK(store.batch({Write::check("a", store.entry("a")->version), Write::set("a", 5)}));
        CHECK_FALSE(store.batch({Write::check("a", entry->version), Write::del("a")}));
        CHECK(store.get("a") == 5);
    }
}

TEST_CASE("several keys change as a whole, or the client says that it cannot", "[changes]") {
    Scene scene;
    for (const auto& [name, client] : scene.clients()) {
        CAPTURE(name);
        const Store store = scene.open(client);
        const std::vector<Write> writes = {Write::set("a", 1), Write::set("b", 2, {.expires = 60}), Write::del("c")};
        if (name == "folder") {
            CHECK(code_of([&] { store.batch(writes); }) == "ERR_UNSUPPORTED");
            CHECK(store.keys().empty());
            continue;
        }
        store.set("c", 3);
        CHECK(store.batch(writes));
        CHECK(store.all() == std::map<std::string, Json>{{"a", 1}, {"b", 2}});
        CHECK(store.ttl("b") == 60);
        const auto swap = [](std::vector<Json> values) { return std::vector<Json>{values[1], values[0]}; };
        CHECK(store.update({"a", "b"}, swap) == std::vector<Json>{2, 1});
        CHECK(store.ttl("b") == 60);
    }
}

TEST_CASE("a value that is there keeps its expiry, unless it is renewed; touch renews it", "[changes]") {
    Scene scene;
    for (const auto& [name, client] : scene.clients()) {
        CAPTURE(name);
        const Store store = scene.open(client).expires(100);
        store.incr("n");
        scene.clock.advance(10'000);
        store.incr("n");
        CHECK(store.ttl("n") == 90);
        store.incr("n", 1, {.renew = true});
        CHECK(store.ttl("n") == 100);
        CHECK(store.touch("n", "1s"));
        scene.clock.advance(1000);
        CHECK(store.ttl("n") == std::nullopt);
        CHECK_FALSE(store.touch("n"));
        CHECK(store.incr("n") == 1);
        const Store sliding = store.expires(80, {.sliding = true});
        sliding.set("s", 1);
        scene.clock.advance(9'999);
        CHECK(sliding.get("s") == 1);
        CHECK(store.ttl("s") == 70.001);
        scene.clock.advance(1);
        CHECK(sliding.get("s") == 1);
        CHECK(store.ttl("s") == 80);
    }
}

TEST_CASE("a range is in order, and its limit counts live values", "[changes]") {
    Scene scene;
    for (const auto& [name, client] : scene.clients()) {
        CAPTURE(name);
        const Store root = scene.open(client);
        const Store store = root.prefix("p:");
        root.set("o", 0);
        root.set("q", 0);
        for (const char* key : {"d", "b", "e", "a", "c"}) store.set(key, key);
        store.set("b", "b", {.expires = 1});
        scene.clock.advance(1000);
        using Keys = std::vector<std::string>;
        CHECK(store.keys({.limit = 3}) == Keys{"a", "c", "d"});
        CHECK(store.keys({.gt = "a", .lte = "d"}) == Keys{"c", "d"});
        CHECK(store.keys({.limit = 2, .reverse = true}) == Keys{"e", "d"});
        CHECK(store.size() == 4);
        CHECK(store.size({.gte = "d"}) == 2);
        Keys paged;
        std::optional<std::string> cursor;
        do {
            const EntryPage page = store.page({.limit = 3}, cursor);
            for (const auto& [key, value] : page.entries) paged.push_back(key);
            cursor = page.cursor;
        } while (cursor);
        CHECK(paged == Keys{"a", "c", "d", "e"});
        const auto first = store.page({.limit = 1}).cursor;
        CHECK(code_of([&] { static_cast<void>(root.page({.limit = 1}, first)); }) == "ERR_OPTIONS");
        CHECK(code_of([&] { static_cast<void>(store.page({.limit = 1, .reverse = true}, first)); }) == "ERR_OPTIONS");
        Keys iterated;
        for (const auto& [key, value] : store.range({.gte = "c"})) iterated.push_back(key);
        CHECK(iterated == Keys{"c", "d", "e"});
        store.clear({.lt = "d"});
        CHECK(store.keys({.gte = ""}) == Keys{"d", "e"});
        CHECK(root.size() == 4);
    }
}

TEST_CASE("get converts a value, and many keys are so many calls", "[changes]") {
    const Store store(memory());
    CHECK(store.set_many({{"a", 1}, {"b", "two"}}) == std::vector<std::string>{"a", "b"});
    CHECK(store.get<int>("a") == 1);
    CHECK(store.get<std::string>("b") == "two");
    CHECK(store.get<int>("c") == std::nullopt);
    CHECK(code_of([&] { static_cast<void>(store.get<int>("b")); }) == "ERR_VALUE");
    CHECK(store.get_many({"b", "c"}) == std::vector<Json>{"two", nullptr});
    CHECK(store.has_many({"b", "c"}) == std::vector<bool>{true, false});
    store.set_text("d", "[1, 2]");
    CHECK(store.get_text("d") == "[1,2]");
    CHECK(code_of([&] { store.set_text("d", "[1"); }) == "ERR_VALUE");
    CHECK(store.del_many({"a", "b", "d"}).size() == 3);
    CHECK(store.size() == 0);
}

TEST_CASE("several keys are taken from any range of strings, and entries from any range of pairs", "[changes]") {
    const Store store(memory());
    const std::map<std::string, int> numbers = {{"a", 1}, {"b", 2}};
    CHECK(store.set_many(numbers) == std::vector<std::string>{"a", "b"});
    const std::vector<std::pair<const char*, Json>> pairs = {{"c", 3}};
    store.set_many(pairs, {.expires = 60});
    const auto add = [](std::vector<Json> values) {
        for (Json& value : values) value = value.get<int>() + 10;
        return values;
    };
    const std::vector<Json> expected = {11, 12};
    const std::string a = "a";
    const std::string b = "b";
    CHECK(store.update({a, b}, add) == expected);
    CHECK(store.update(std::vector<std::string>{"a", "b"}, add).front() == 21);
    CHECK(store.update(std::array{"a", "b"}, add).front() == 31);
    CHECK(store.update(std::set<std::string_view>{"a", "b"}, add).front() == 41);
    const std::vector<std::string> keys = {"a", "b"};
    CHECK(store.update(std::span(keys), add).front() == 51);
    CHECK(store.update(std::views::keys(numbers), add).front() == 61);
    CHECK(store.get_many(keys) == std::vector<Json>{61, 62});
    CHECK(store.has_many(std::views::keys(numbers)) == std::vector<bool>{true, true});
    CHECK(store.del_many(std::span(keys)) == keys);
    CHECK(store.keys() == std::vector<std::string>{"c"});
}

TEST_CASE("of several writes, none is made if the client cannot hold a key or a value", "[changes]") {
    Scene scene;
    for (const auto& [name, client] : scene.clients()) {
        CAPTURE(name);
        const Store store = scene.open(client);
        const Store in_prefix = store.prefix("p:");
        store.set("kept", 1);
        CHECK(code_of([&] { store.set_many({{"a", 1}, {"b", "\xff"}}); }) == "ERR_VALUE");
        CHECK(code_of([&] { in_prefix.set_many({{"a", 1}, {"b", "\xff"}}, {.prefix = "q:"}); }) == "ERR_VALUE");
        if (name != "memory") {  // Memory holds any key.
            CHECK(code_of([&] { store.set_many({{"a", 1}, {"\xff", 2}}); }) == "ERR_KEY");
            CHECK(code_of([&] { store.del_many({"kept", "\xff"}); }) == "ERR_KEY");
        }
        CHECK(store.all() == std::map<std::string, Json>{{"kept", 1}});
        CHECK(in_prefix.set_many({{"a", 1}, {"b", nullptr}}, {.expires = 60, .prefix = "q:"}).size() == 2);
        CHECK(in_prefix.set_many({{"c", 3}}) == std::vector<std::string>{"c"});
        CHECK(store.keys({.gte = ""}) == std::vector<std::string>{"kept", "p:c", "q:a"});
        CHECK(store.ttl("q:a") == 60);
    }
}

TEST_CASE("threads and stores that count together lose nothing", "[changes]") {
    Scene scene;
    for (const auto& [name, client] : scene.clients()) {
        CAPTURE(name);
        const Store store = scene.open(client);
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&] {
                for (int n = 0; n < 25; ++n) store.incr("n");
            });
        }
        for (std::thread& thread : threads) thread.join();
        CHECK(store.get("n") == 100);
    }
}

TEST_CASE("a store that requires more than its client keeps out is refused", "[changes]") {
    CHECK(code_of([] { static_cast<void>(Store(memory(), {.atomic = Atomic::origin})); }) == "ERR_UNSUPPORTED");
    CHECK(Store(memory(), {.atomic = Atomic::process}).atomic() == Atomic::process);
}
