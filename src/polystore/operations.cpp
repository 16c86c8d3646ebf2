#include "polystore/operations.hpp"

#include <cstddef>
#include <exception>

#include "polystore/expires.hpp"

namespace polystore {
namespace {

using Question = Operation::promise_type::Question;
using PageQuestion = Operation::promise_type::PageQuestion;

Operation end_with(Outcome outcome) { co_return {outcome}; }

/// Implements get and has.
Operation look_up(Outcome present, Outcome missing) {
    const Answer record = co_await Question{Ask::read};
    if (!record.found) co_return {missing};
    if (record.number != kNever && !(record.number > (co_await Question{Ask::clock}).number)) {
        co_await Question{Ask::remove_if};
        co_return {missing};
    }
    co_return {present};
}

Operation del() {
    co_await Question{Ask::remove};
    co_return {Outcome::done};
}

/// `how` is `Ask::put`, `Ask::add` (the client chooses the key) or `Ask::make_key` (put at a fresh key).
Operation write(Ask how, double seconds) {
    double expires = kNever;
    if (how == Ask::make_key) {
        co_await Question{Ask::make_key};
        how = Ask::put;
    }
    if (seconds != kNever) expires = deadline((co_await Question{Ask::clock}).number, seconds);
    co_await Question{how, expires};
    co_return {Outcome::done};
}

/// A call without a value, or with an expiry that is already over, stores nothing.
bool stores_nothing(Call call) { return !call.has_value || to_milliseconds(call.expires) <= 0; }

Operation set(Call call) { return stores_nothing(call) ? del() : write(Ask::put, call.expires); }

Operation make_unused_key() {
    co_await Question{Ask::make_key};
    co_return {Outcome::done};
}

Operation add(Traits traits, Call call) {
    if (stores_nothing(call)) return make_unused_key();
    return write(traits[Trait::add] ? Ask::add : Ask::make_key, call.expires);
}

/// Visits all records page by page. Expired records are always removed; `alive` is the verdict on the others.
Operation sift(Verdict alive) {
    double removed = 0;
    for (;;) {
        const double now = (co_await Question{Ask::clock}).number;
        const Page page = co_await PageQuestion{};
        if (page.end) break;
        for (std::size_t i = 0; i < page.expires.size(); ++i) {
            page.verdicts[i] = page.expires[i] > now ? alive : Verdict::remove;
        }
        removed += (co_await Question{Ask::sift}).number;
    }
    co_return {Outcome::done, removed};
}

Operation list(Traits traits) { return traits[Trait::list] ? sift(Verdict::keep) : end_with(Outcome::unsupported); }

Operation sweep_all() { co_return {Outcome::done, (co_await Question{Ask::sweep, kNever}).number}; }

Operation clear(Traits traits) {
    if (traits[Trait::sweeps_all]) return sweep_all();
    return traits[Trait::list] ? sift(Verdict::remove) : end_with(Outcome::unsupported);
}

Operation sweep_expired() {
    const double now = (co_await Question{Ask::clock}).number;
    co_return {Outcome::done, (co_await Question{Ask::sweep, now}).number};
}

/// If a client manages expiry itself and cannot prune, it never shows an expired record to the user.
Operation prune(Traits traits) {
    if (traits[Trait::sweeps_expired]) return sweep_expired();
    if (traits[Trait::manages_expiry]) return end_with(Outcome::done);
    return traits[Trait::list] ? sift(Verdict::leave) : end_with(Outcome::unsupported);
}

Operation close() {
    co_await Question{Ask::drain};
    co_await Question{Ask::close};
    co_return {Outcome::done};
}

}  // namespace

Operation start(Traits traits, Call call) {
    if (traits[Trait::closed]) return end_with(call.method == Method::close ? Outcome::done : Outcome::closed);
    switch (call.method) {
        case Method::get: return look_up(Outcome::value, Outcome::absent);
        case Method::set: return set(call);
        case Method::add: return add(traits, call);
        case Method::has: return look_up(Outcome::yes, Outcome::no);
        case Method::del: return del();
        case Method::list: return list(traits);
        case Method::clear: return clear(traits);
        case Method::prune: return prune(traits);
        case Method::close: return close();
    }
    std::terminate();
}

}  // namespace polystore
