#include "polystore/core/operations.hpp"

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/script.hpp"

using namespace polystore;
using namespace polystore::testing;

namespace {

constexpr Traits kPlain = Trait::list;
constexpr Traits kManaging = Trait::manages_expiry | Trait::list;
constexpr Traits kComparing = kPlain | Trait::compares;
constexpr Traits kClosed = kPlain | Trait::closed;
constexpr Method kMethods[] = {Method::get,   Method::set,   Method::add,   Method::has,    Method::del, Method::list,
                               Method::clear, Method::prune, Method::close, Method::change, Method::ttl, Method::size};

Operation start_get(Traits traits = kPlain) { return start(traits, {Method::get}); }
Operation start_has(Traits traits = kPlain) { return start(traits, {Method::has}); }
Operation start_set(double expires, Traits traits = kPlain) { return start(traits, {Method::set, expires, true}); }
Operation start_add(double expires, Traits traits = kPlain) { return start(traits, {Method::add, expires, true}); }
Operation start_list(Traits traits = kPlain) { return start(traits, {Method::list}); }
Operation start_clear(Traits traits = kPlain) { return start(traits, {Method::clear}); }
Operation start_size(Traits traits = kPlain) { return start(traits, {Method::size}); }
Operation start_ttl() { return start(kPlain, {Method::ttl}); }
Operation start_sliding_get(double life, Traits traits = kComparing) { return start(traits, {Method::get, life}); }
Operation start_change(Traits traits = kComparing) { return start(traits, {.method = Method::change}); }
Operation start_renewing_change() { return start(kComparing, {.method = Method::change, .renews = true}); }
Operation start_prune(Traits traits = kPlain) { return start(traits, {Method::prune}); }

}  // namespace

TEST_CASE("get reads", "[operations]") {
    CHECK(play(start_get(), {found()}) == "read -> value");
    CHECK(play(start_get(), {missing()}) == "read -> absent");
}

TEST_CASE("get only asks for the time for a record that expires", "[operations]") {
    CHECK(play(start_get(), {found(1001), at(1000)}) == "read clock -> value");
    CHECK(play(start_get(), {found(1000), at(1000), ok()}) == "read clock remove_if -> absent");
    CHECK(play(start_get(), {found(999), at(1000), ok()}) == "read clock remove_if -> absent");
    CHECK(play(start_get(), {found(0), at(1000), ok()}) == "read clock remove_if -> absent");
    CHECK(play(start_get(), {found(-5), at(1000), ok()}) == "read clock remove_if -> absent");
    CHECK(play(start_get(), {found(std::nan("")), at(1000), ok()}) == "read clock remove_if -> absent");
}

TEST_CASE("get also reads from a client that manages expiry", "[operations]") {
    CHECK(play(start_get(kManaging), {found()}) == "read -> value");
    CHECK(play(start_get(kManaging), {missing()}) == "read -> absent");
}

TEST_CASE("has reads like get", "[operations]") {
    CHECK(play(start_has(), {found()}) == "read -> yes");
    CHECK(play(start_has(), {missing()}) == "read -> no");
    CHECK(play(start_has(), {found(1001), at(1000)}) == "read clock -> yes");
    CHECK(play(start_has(), {found(1000), at(1000), ok()}) == "read clock remove_if -> no");
}

TEST_CASE("set writes the instant of expiry", "[operations]") {
    CHECK(play(start_set(kNever), {ok()}) == "put(inf) -> done");
    CHECK(play(start_set(60), {at(1000), ok()}) == "clock put(61000) -> done");
    CHECK(play(start_set(0.0005), {at(1000), ok()}) == "clock put(1001) -> done");
    CHECK(play(start_set(1e300), {at(1000), ok()}) == "clock put(inf) -> done");
}

TEST_CASE("a client that manages expiry also receives the instant", "[operations]") {
    CHECK(play(start_set(60, kManaging), {at(1000), ok()}) == "clock put(61000) -> done");
    CHECK(play(start_set(kNever, kManaging), {ok()}) == "put(inf) -> done");
    CHECK(play(start_set(8.64e12, kManaging), {at(1000), ok()}) == "clock put(inf) -> done");
    CHECK(play(start_add(60, kManaging), {ok(), at(1000), ok()}) == "make_key clock put(61000) -> done");
    CHECK(play(start_add(60, kManaging | Trait::add), {at(1000), ok()}) == "clock add(61000) -> done");
}

TEST_CASE("set without a value, or with an expiry of zero or less, deletes", "[operations]") {
    for (const Traits traits : {kPlain, kManaging}) {
        CHECK(play(start(traits, {Method::set, kNever, false}), {ok()}) == "remove -> done");
        CHECK(play(start(traits, {Method::set, 60, false}), {ok()}) == "remove -> done");
        for (const double expires : {0.0, -0.0, 0.0004, -0.001, -60.0, -kNever}) {
            CHECK(play(start_set(expires, traits), {ok()}) == "remove -> done");
        }
    }
}

TEST_CASE("del removes", "[operations]") { CHECK(play(start(kPlain, {Method::del}), {ok()}) == "remove -> done"); }

TEST_CASE("add creates a key and writes there", "[operations]") {
    CHECK(play(start_add(kNever), {ok(), ok()}) == "make_key put(inf) -> done");
    CHECK(play(start_add(60), {ok(), at(1000), ok()}) == "make_key clock put(61000) -> done");
}

TEST_CASE("add lets a client choose the key if it supports that", "[operations]") {
    CHECK(play(start_add(kNever, kPlain | Trait::add), {ok()}) == "add(inf) -> done");
    CHECK(play(start_add(60, kPlain | Trait::add), {at(1000), ok()}) == "clock add(61000) -> done");
}

TEST_CASE("add creates a key even if there is nothing to store", "[operations]") {
    for (const Traits traits : {kPlain, kManaging, kPlain | Trait::add, kManaging | Trait::add}) {
        CHECK(play(start(traits, {Method::add, kNever, false}), {ok()}) == "make_key -> done");
        CHECK(play(start_add(0, traits), {ok()}) == "make_key -> done");
        CHECK(play(start_add(-1, traits), {ok()}) == "make_key -> done");
    }
}

TEST_CASE("list keeps live records and removes expired ones", "[operations]") {
    CHECK(play(start_list(), {at(1000), end_of_pages()}) == "clock page -> done");
    CHECK(play(start_list(), {at(1000), page({1001, kNever, 1000, 999}), counted(2), at(1000), end_of_pages()}) ==
          "clock page:keep,keep,remove,remove sift clock page -> done(2)");
}

TEST_CASE("list asks for the time again for every page, and continues after an empty one", "[operations]") {
    CHECK(play(start_list(), {at(1000), page({1500}), ok(), at(1500), page({}), ok(), at(1500), page({1500, 1501}),
                              counted(1), at(9999), end_of_pages()}) ==
          "clock page:keep sift clock page sift clock page:remove,keep sift clock page -> done(1)");
}

TEST_CASE("list keeps every record of a client that manages expiry", "[operations]") {
    CHECK(play(start_list(kManaging), {at(1000), page({kNever, kNever}), ok(), at(1000), end_of_pages()}) ==
          "clock page:keep,keep sift clock page -> done");
}

TEST_CASE("clear removes every record itself, unless the client supports it", "[operations]") {
    CHECK(play(start_clear(), {at(1000), page({1001, kNever, 1000}), counted(3), at(1000), page({1}), counted(1),
                               at(1000), end_of_pages()}) ==
          "clock page:remove,remove,remove sift clock page:remove sift clock page -> done(4)");
    CHECK(play(start_clear(kPlain | Trait::sweeps_all), {counted(7)}) == "sweep(inf) -> done(7)");
    CHECK(play(start_clear(Trait::sweeps_all), {ok()}) == "sweep(inf) -> done");
}

TEST_CASE("prune removes expired records, leaves the others, and counts", "[operations]") {
    CHECK(play(start_prune(), {at(1000), end_of_pages()}) == "clock page -> done");
    CHECK(play(start_prune(), {at(1000), page({1001, 1000, kNever}), counted(1), at(1001), page({}), ok(), at(1001),
                               page({1001, 1}), counted(2), at(1001), end_of_pages()}) ==
          "clock page:leave,remove,leave sift clock page sift clock page:remove,remove sift clock page -> done(3)");
}

TEST_CASE("prune counts the records that were removed, not those that should have been", "[operations]") {
    CHECK(play(start_prune(), {at(1000), page({1, 2, 3}), counted(1), at(1000), end_of_pages()}) ==
          "clock page:remove,remove,remove sift clock page -> done(1)");
}

TEST_CASE("prune asks the client if it supports it, and does nothing if the client manages expiry", "[operations]") {
    CHECK(play(start_prune(kPlain | Trait::sweeps_expired), {at(5), counted(7)}) == "clock sweep(5) -> done(7)");
    CHECK(play(start_prune(kManaging | Trait::sweeps_expired), {at(5), counted(0)}) == "clock sweep(5) -> done");
    CHECK(play(start_prune(kManaging), {}) == "-> done");
}

TEST_CASE("a client that cannot list supports all methods that do not list", "[operations]") {
    CHECK(play(start_list(Traits()), {}) == "-> unsupported");
    CHECK(play(start_clear(Traits()), {}) == "-> unsupported");
    CHECK(play(start_prune(Traits()), {}) == "-> unsupported");
    CHECK(play(start_prune(Trait::sweeps_expired), {at(5), counted(1)}) == "clock sweep(5) -> done(1)");
    CHECK(play(start_get(Traits()), {found()}) == "read -> value");
    CHECK(play(start_has(Traits()), {missing()}) == "read -> no");
    CHECK(play(start_set(kNever, Traits()), {ok()}) == "put(inf) -> done");
}

TEST_CASE("close waits for operations in progress before it releases the client", "[operations]") {
    CHECK(play(start(kPlain, {Method::close}), {}) == "drain ...");
    CHECK(play(start(kPlain, {Method::close}), {ok()}) == "drain close ...");
    CHECK(play(start(kPlain, {Method::close}), {ok(), ok()}) == "drain close -> done");
}

TEST_CASE("once a client is closed, operations do not ask it anything", "[operations]") {
    for (const Method method : kMethods) {
        for (const bool has_value : {false, true}) {
            const std::string expected = method == Method::close ? "-> done" : "-> closed";
            CHECK(play(start(kClosed, {method, 0, has_value}), {}) == expected);
            CHECK(play(start(Traits(~0U), {method, kNever, has_value}), {}) == expected);
        }
    }
}

TEST_CASE("operations wait independently of each other", "[operations]") {
    Operation get = start_get();
    Operation set = start_set(60);
    Operation prune = start_prune();
    Operation close = start(kPlain, {Method::close});
    get.answer({true, 1000});
    CHECK(set.ask() == Ask::clock);
    set.answer({true, 5000});
    std::vector<double> expires = {100};
    std::vector<Verdict> verdicts(1);
    prune.answer({true, 5000});
    prune.answer_page({expires, verdicts, {}});
    CHECK(set.ask() == Ask::put);
    CHECK(set.number() == 65000);
    get.answer({true, 999});
    CHECK(get.ask() == Ask::nothing);
    CHECK(get.outcome() == Outcome::value);
    prune.answer({true, 1});
    CHECK(prune.ask() == Ask::clock);
    set.answer({});
    CHECK(set.outcome() == Outcome::done);
    CHECK(close.ask() == Ask::drain);
    prune.answer({true, 5000});
    prune.answer_page({.expires = {}, .verdicts = {}, .lives = {}, .end = true});
    CHECK(prune.number() == 1);
    close.answer({});
    CHECK(close.ask() == Ask::close);
}

TEST_CASE("a close does not stop operations that began before it", "[operations]") {
    Operation get = start_get();
    Operation close = start(kPlain, {Method::close});
    CHECK(close.ask() == Ask::drain);
    get.answer({true, kNever});
    CHECK(get.outcome() == Outcome::value);
    CHECK(play(start_get(kClosed), {}) == "-> closed");
    close.answer({});
    close.answer({});
    CHECK(close.outcome() == Outcome::done);
}

TEST_CASE("an operation may be destroyed at any question", "[operations]") {
    // AddressSanitizer reports memory that is not freed.
    CHECK(play(start_get(), {}) == "read ...");
    CHECK(play(start_get(), {found(1)}) == "read clock ...");
    CHECK(play(start_get(), {found(1), at(1)}) == "read clock remove_if ...");
    CHECK(play(start_set(1), {}) == "clock ...");
    CHECK(play(start_set(1), {at(1)}) == "clock put(1001) ...");
    CHECK(play(start_add(1), {}) == "make_key ...");
    CHECK(play(start_list(), {}) == "clock ...");
    CHECK(play(start_list(), {at(1)}) == "clock page ...");
    CHECK(play(start_list(), {at(1), page({1})}) == "clock page:remove sift ...");
    CHECK(play(start_clear(Trait::sweeps_all), {}) == "sweep(inf) ...");
}

TEST_CASE("an operation can be moved, and released as a number and taken back", "[operations]") {
    Operation first = start_get();
    Operation second = std::move(first);
    Operation third = start_set(60);
    third = std::move(second);
    CHECK(third.ask() == Ask::read);
    const auto number = reinterpret_cast<std::uintptr_t>(third.release().address());
    CHECK(number % FramePool::kAlignment == 0);
    Operation taken(Operation::Handle::from_address(reinterpret_cast<void*>(number)));
    taken.answer({true, kNever});
    CHECK(taken.outcome() == Outcome::value);
}

TEST_CASE("traits are sets", "[operations]") {
    constexpr Traits kSome = Trait::list | Trait::add;
    static_assert(kSome[Trait::list] && kSome[Trait::add] && !kSome[Trait::closed]);
    static_assert((kSome | Trait::closed)[Trait::closed]);
    static_assert(Traits(kSome.bits())[Trait::add]);
    static_assert(Traits().bits() == 0);
    SUCCEED();
}

TEST_CASE("a change of a key without a value gives what is put there its life", "[operations]") {
    CHECK(play(start_change(), {at(1000), keys({kOver}, {60}), found(), found()}) ==
          "clock page:leave(61000) change commit -> yes");
    CHECK(play(start_change(), {at(1000), keys({kOver}, {kNever}), found(), found()}) ==
          "clock page:leave(inf) change commit -> yes");
    CHECK(play(start_change(), {at(1000), keys({1000}, {60}), found(), found()}) ==
          "clock page:leave(61000) change commit -> yes");
}

TEST_CASE("a value that is changed keeps its expiry, unless the change renews it", "[operations]") {
    CHECK(play(start_change(), {at(1000), keys({1001}, {60}), found(), found()}) ==
          "clock page:keep(1001) change commit -> yes");
    CHECK(play(start_change(), {at(1000), keys({kNever}, {60}), found(), found()}) ==
          "clock page:keep(inf) change commit -> yes");
    CHECK(play(start_renewing_change(), {at(1000), keys({1001}, {60}), found(), found()}) ==
          "clock page:keep(61000) change commit -> yes");
}

TEST_CASE("a change with an expiry of zero or less stores nothing", "[operations]") {
    for (const double life : {0.0, -1.0, 0.0004, -kNever}) {
        CHECK(play(start_change(), {at(1000), keys({kOver}, {life}), found(), found()}) ==
              "clock page:leave(-inf) change commit -> yes");
        CHECK(play(start_change(), {at(1000), keys({2000}, {life}), found(), found()}) ==
              "clock page:keep(2000) change commit -> yes");
    }
}

TEST_CASE("a change that changes nothing makes no commit", "[operations]") {
    CHECK(play(start_change(), {at(1000), keys({kOver}, {60}), missing()}) == "clock page:leave(61000) change -> no");
}

TEST_CASE("a change that another writer forestalled starts again, a hundred times at most", "[operations]") {
    CHECK(play(start_change(),
               {at(1000), keys({kOver}, {60}), found(), missing(), at(2000), keys({3000}, {60}), found(), found()}) ==
          "clock page:leave(61000) change commit clock page:keep(3000) change commit -> yes");
    std::vector<Reply> script;
    std::string transcript;
    for (int i = 0; i < 100; ++i) {
        script.insert(script.end(), {at(1000), keys({kOver}, {60}), found(), missing()});
        transcript += "clock page:leave(61000) change commit ";
    }
    CHECK(play(start_change(), script) == transcript + "-> conflict");
}

TEST_CASE("a change of several keys looks at all of them, page by page", "[operations]") {
    const Traits traits = kComparing | Trait::transactions;
    CHECK(play(start(traits, {.method = Method::change, .has_several_keys = true}),
               {at(1000), keys({kOver, 5000}, {60, 60}, false), keys({kNever}, {60}), found(), found()}) ==
          "clock page:leave(61000),keep(5000) page:keep(inf) change commit -> yes");
    CHECK(play(start(traits, {.method = Method::change, .has_several_keys = true}),
               {at(1000), keys({}, {}), missing()}) == "clock page change -> no");
}

TEST_CASE("a client that cannot compare, or not several records, makes no such change", "[operations]") {
    CHECK(play(start_change(kPlain), {}) == "-> unsupported");
    CHECK(play(start(kComparing, {.method = Method::change, .has_several_keys = true}), {}) == "-> unsupported");
}

TEST_CASE("a sliding get renews a value once an eighth of its life is over", "[operations]") {
    CHECK(play(start_sliding_get(8), {found(9001), at(2000)}) == "read clock -> value");
    CHECK(play(start_sliding_get(8), {found(9000), at(2000)}) == "read clock -> renew");
    CHECK(play(start_sliding_get(8), {found(2001), at(2000)}) == "read clock -> renew");
    CHECK(play(start_sliding_get(8), {found(2000), at(2000), ok()}) == "read clock remove_if -> absent");
    CHECK(play(start_sliding_get(8), {found()}) == "read -> value");
    CHECK(play(start_sliding_get(8, kPlain), {}) == "-> unsupported");
}

TEST_CASE("ttl ends with the seconds that are left", "[operations]") {
    CHECK(play(start_ttl(), {found(3500), at(1000)}) == "read clock -> seconds(2.5)");
    CHECK(play(start_ttl(), {found()}) == "read -> seconds(inf)");
    CHECK(play(start_ttl(), {found(1000), at(1000)}) == "read clock -> absent");
    CHECK(play(start_ttl(), {missing()}) == "read -> absent");
}

TEST_CASE("size counts the live records, and removes the others", "[operations]") {
    CHECK(play(start_size(), {at(1000), page({1000, 1001, kNever}), counted(1), at(1000), end_of_pages()}) ==
          "clock page:remove,leave,leave sift clock page -> done(2)");
    CHECK(play(start_size(Traits()), {}) == "-> unsupported");
    CHECK(play(start(kPlain, {.method = Method::size, .limit = 2}),
               {at(1000), page({kNever, 1, kNever, kNever}), counted(1)}) ==
          "clock page:leave,remove,leave,leave sift -> done(2)");
}

TEST_CASE("a listing with a limit ends with its last live record", "[operations]") {
    CHECK(play(start(kPlain, {.method = Method::list, .limit = 2}),
               {at(1000), page({1, kNever, 2, kNever, kNever}), counted(2)}) ==
          "clock page:remove,keep,remove,keep,leave sift -> done(2)");
    CHECK(play(start(kPlain, {.method = Method::list, .limit = 0}), {}) == "-> done");
    CHECK(play(start(kPlain | Trait::sweeps_all, {.method = Method::clear, .limit = 1}),
               {at(1000), page({kNever, kNever}), counted(1)}) == "clock page:remove,leave sift -> done(1)");
}
