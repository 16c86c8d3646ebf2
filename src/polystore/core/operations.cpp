#include "polystore/core/operations.hpp"

#include <algorithm>
#include <cstddef>
#include <exception>

#include "polystore/expires.hpp"

namespace polystore {
namespace {

using Question = Operation::promise_type::Question;
using PageQuestion = Operation::promise_type::PageQuestion;

Operation end_with(Outcome outcome) { co_return {outcome}; }

/// Implements get and has. With a `life` in seconds, a read renews a value once an eighth of its life is over: a value
/// that is read often is then written at most eight times in its life.
Operation look_up(Outcome present, Outcome missing, double life = 0) {
    const Answer record = co_await Question{Ask::read};
    if (!record.found) co_return {missing};
    if (record.number != kNever) {
        const double left = record.number - (co_await Question{Ask::clock}).number;
        if (!(left > 0)) {
            co_await Question{Ask::remove_if};
            co_return {missing};
        }
        if (left <= to_milliseconds(life) * 7 / 8) co_return {Outcome::renew};
    }
    co_return {present};
}

/// To renew a value is to change it only if nobody else has changed it meanwhile.
Operation get(Traits traits, double life) {
    if (life > 0 && !traits[Trait::compares]) return end_with(Outcome::unsupported);
    return look_up(Outcome::value, Outcome::absent, life);
}

Operation ttl() {
    const Answer record = co_await Question{Ask::read};
    if (!record.found) co_return {Outcome::absent};
    if (record.number == kNever) co_return {Outcome::seconds, kNever};
    const double left = record.number - (co_await Question{Ask::clock}).number;
    if (!(left > 0)) co_return {Outcome::absent};
    co_return {Outcome::seconds, left / 1000};
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
bool is_over(double seconds) { return to_milliseconds(seconds) <= 0; }
bool stores_nothing(Call call) { return !call.has_value || is_over(call.expires); }

Operation set(Call call) { return stores_nothing(call) ? del() : write(Ask::put, call.expires); }

Operation make_unused_key() {
    co_await Question{Ask::make_key};
    co_return {Outcome::done};
}

Operation add(Traits traits, Call call) {
    if (stores_nothing(call)) return make_unused_key();
    return write(traits[Trait::add] ? Ask::add : Ask::make_key, call.expires);
}

/// Visits all records page by page, until `limit` live ones were visited. Expired records are always removed; `alive`
/// is the verdict on the others. Ends with the number of removed records, or with that of the live ones if
/// `counts_alive`.
Operation sift(Verdict alive, double limit = kNever, bool counts_alive = false) {
    double removed = 0;
    double visited = 0;
    while (visited < limit) {
        const double now = (co_await Question{Ask::clock}).number;
        const Page page = co_await PageQuestion{};
        if (page.end) break;
        for (std::size_t i = 0; i < page.expires.size(); ++i) {
            const bool is_alive = page.expires[i] > now;
            page.verdicts[i] = !is_alive ? Verdict::remove : visited < limit ? alive : Verdict::leave;
            if (is_alive) ++visited;
        }
        removed += (co_await Question{Ask::sift}).number;
    }
    co_return {Outcome::done, counts_alive ? std::min(visited, limit) : removed};
}

Operation list(Traits traits, double limit) {
    return traits[Trait::list] ? sift(Verdict::keep, limit) : end_with(Outcome::unsupported);
}

Operation size(Traits traits, double limit) {
    return traits[Trait::list] ? sift(Verdict::leave, limit, true) : end_with(Outcome::unsupported);
}

Operation sweep_all() { co_return {Outcome::done, (co_await Question{Ask::sweep, kNever}).number}; }

Operation clear(Traits traits, double limit) {
    if (traits[Trait::sweeps_all] && limit == kNever) return sweep_all();
    return traits[Trait::list] ? sift(Verdict::remove, limit) : end_with(Outcome::unsupported);
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

/// After so many attempts in which another writer was faster, a change fails. Each time, one of the writers succeeds.
constexpr int kMaxAttempts = 100;

/// Decides which keys of a page have a value, and which expiry a value gets that is put there.
void judge(Page page, double now, bool renews) {
    for (std::size_t i = 0; i < page.expires.size(); ++i) {
        const bool is_alive = page.expires[i] > now;
        page.verdicts[i] = is_alive ? Verdict::keep : Verdict::leave;
        if (!is_alive || renews) page.expires[i] = is_over(page.lives[i]) ? kOver : deadline(now, page.lives[i]);
    }
}

Operation change(bool renews) {
    for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
        const double now = (co_await Question{Ask::clock}).number;
        for (bool end = false; !end;) {
            const Page page = co_await PageQuestion{};
            judge(page, now, renews);
            end = page.end;
        }
        if (!(co_await Question{Ask::change}).found) co_return {Outcome::no};
        if ((co_await Question{Ask::commit}).found) co_return {Outcome::yes};
    }
    co_return {Outcome::conflict};
}

Operation change(Traits traits, Call call) {
    const bool can = traits[Trait::compares] && (!call.has_several_keys || traits[Trait::transactions]);
    return can ? change(call.renews) : end_with(Outcome::unsupported);
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
        case Method::get: return get(traits, call.expires);
        case Method::set: return set(call);
        case Method::add: return add(traits, call);
        case Method::has: return look_up(Outcome::yes, Outcome::no);
        case Method::del: return del();
        case Method::list: return list(traits, call.limit);
        case Method::clear: return clear(traits, call.limit);
        case Method::prune: return prune(traits);
        case Method::close: return close();
        case Method::change: return change(traits, call);
        case Method::ttl: return ttl();
        case Method::size: return size(traits, call.limit);
    }
    std::terminate();
}

}  // namespace polystore
