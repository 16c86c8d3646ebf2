#include "polystore/store.hpp"

#include <exception>
#include <functional>
#include <optional>

#include "polystore/store/driver.hpp"
#include "polystore/store/pruner.hpp"

namespace polystore {

using Hold = Connection::Hold;

namespace {

std::string name_of(Atomic atomic) {
    switch (atomic) {
        case Atomic::none: return "none";
        case Atomic::process: return "process";
        case Atomic::origin: return "origin";
        case Atomic::storage: return "storage";
    }
    return "?";
}

}  // namespace

Store::Store(std::shared_ptr<Client> client, StoreOptions options)
    : connection_(Connection::to(client)), options_(std::move(options)) {
    const Hold hold(*connection_);
    life_ = connection_->times_closed();
    if (connection_->traits().atomic < options_.atomic) {
        throw Error(ErrorCode::unsupported,
                    "atomic is Atomic::" + name_of(options_.atomic) +
                        ", and this client has Atomic::" + name_of(connection_->traits().atomic) +
                        ": its changes keep out fewer others. Use another client, or require less.");
    }
    const double period = options_.prune.seconds();
    if (period <= 0) {
        throw Error(ErrorCode::options, "prune is " + Json(period).dump() +
                                            " seconds; it must be greater than 0, or std::nullopt for no prunes in "
                                            "the background.");
    }
    if (period != kNever) pruner_ = std::make_shared<Pruner>(*this, Pruner::Period(period));
}

Result Store::perform(Call call, std::string_view key, Json value, const Range* range, Changing* changing) const {
    return within_memory([&] {
        const Turn turn;
        std::optional<Result> result;
        std::function<void()> flush;
        {
            const Hold hold(*connection_);
            Driver driver(*this, call, key, std::move(value), Needs::keys, range, changing);
            while (driver.advance()) {
            }
            result = driver.result();
            flush = driver.pending_flush();
        }
        if (flush) calling({}, flush);
        return std::move(*result);
    });
}

Result Store::write(Method method, std::string_view key, Json value, const SetOptions& options) const {
    if (options.prefix) {
        Store other = *this;
        other.options_.prefix = *options.prefix;
        return other.write(method, key, std::move(value), {.expires = options.expires});
    }
    check_value(value);
    const Call call{method, life(options.expires), !value.is_null()};
    return perform(call, key, std::move(value));
}

double Store::life(const Expires& expires) const {
    return expires.given() ? expires.seconds() : options_.expires.seconds();
}

namespace {

/// A listing ends after as many live records as the limit of its range.
Call call_over(Method method, const Range& range) {
    Call call{method};
    if (range.limit != Range().limit) call.limit = static_cast<double>(range.limit);
    return call;
}

}  // namespace

template <typename Visit>
void Store::for_each(Needs needs, const Range& range, Visit visit) const {
    within_memory([&] {
        const Turn turn;
        const Hold hold(*connection_);
        Driver driver(*this, call_over(Method::list, range), {}, {}, needs, &range);
        while (driver.advance()) {
            for (auto& [key, value] : driver.kept()) visit(std::move(key), std::move(value));
        }
        static_cast<void>(driver.result());
    });
}

Json Store::get(std::string_view key) const {
    Call call{Method::get};
    if (sliding_) call.expires = options_.expires.seconds();
    Result result = perform(call, key);
    if (result.outcome == Outcome::absent) return {};
    if (result.outcome == Outcome::renew) {
        try {
            touch(key);
        } catch (
            const Error&) {  // The read has succeeded, and says nothing about the expiry. The next one tries again.
        }
    }
    return std::move(result.value);
}

std::string Store::set(std::string_view key, Json value, const SetOptions& options) const {
    return write(Method::set, key, std::move(value), options).key;
}

std::string Store::add(Json value, const SetOptions& options) const {
    return write(Method::add, {}, std::move(value), options).key;
}

bool Store::has(std::string_view key) const { return perform({Method::has}, key).outcome == Outcome::yes; }

std::string Store::del(std::string_view key) const { return perform({Method::del}, key).key; }

std::vector<std::string> Store::keys(const Range& range) const {
    std::vector<std::string> keys;
    for_each(Needs::keys, range, [&](std::string&& key, Json&& /*value*/) { keys.push_back(std::move(key)); });
    return keys;
}

std::vector<Json> Store::values(const Range& range) const {
    std::vector<Json> values;
    for_each(Needs::values, range, [&](std::string&& /*key*/, Json&& value) { values.push_back(std::move(value)); });
    return values;
}

std::vector<std::pair<std::string, Json>> Store::entries(const Range& range) const {
    std::vector<std::pair<std::string, Json>> entries;
    for_each(Needs::values, range,
             [&](std::string&& key, Json&& value) { entries.emplace_back(std::move(key), std::move(value)); });
    return entries;
}

std::map<std::string, Json> Store::all(const Range& range) const {
    std::map<std::string, Json> all;
    for_each(Needs::values, range,
             [&](std::string&& key, Json&& value) { all.insert_or_assign(std::move(key), std::move(value)); });
    return all;
}

std::size_t Store::size(const Range& range) const {
    return static_cast<std::size_t>(perform(call_over(Method::size, range), {}, {}, &range).number);
}

void Store::clear(const Range& range) const { perform(call_over(Method::clear, range), {}, {}, &range); }

std::size_t Store::prune() const { return static_cast<std::size_t>(perform({Method::prune}).number); }

Store Store::prefix(std::string_view prefix) const {
    Store store = *this;
    store.options_.prefix += prefix;
    return store;
}

Store Store::expires(Expires expires, ExpiresOptions options) const {
    Store store = *this;
    store.options_.expires = expires;
    store.sliding_ = options.sliding && expires.seconds() != kNever;
    return store;
}

void Store::close() const {
    perform({Method::close});
    if (pruner_) pruner_->stop();
}

/// An iteration in progress. It holds its position but not the client between two pages, so other calls can run.
struct Store::Iterator::Walk {
    Walk(Store iterated, Range part) : store(std::move(iterated)), range(std::move(part)) {}
    Walk(const Walk&) = delete;
    Walk& operator=(const Walk&) = delete;
    ~Walk() {
        try {
            const Hold hold(*store.connection_);
            driver.reset();  // This destroys the client's cursor too.
        } catch (const Error&) {
            // In a forked process that cannot have a hold, no other thread uses the client.
        }
    }

    void fetch() {
        within_memory([&] {
            const Turn turn;
            const Hold hold(*store.connection_);
            if (!driver) driver.emplace(store, call_over(Method::list, range), "", nullptr, Needs::values, &range);
            next = 0;
            do {
                ended = !driver->advance();
            } while (!ended && driver->kept().empty());
            if (ended) static_cast<void>(driver->result());
        });
    }

    Store store;
    Range range;
    std::optional<Driver> driver;
    std::size_t next = 0;
    bool ended = false;
};

Store::Iterator::Iterator(const Store& store, Range range) : walk_(std::make_shared<Walk>(store, std::move(range))) {
    walk_->fetch();
}

Store::Iterator::reference Store::Iterator::operator*() const { return walk_->driver->kept()[walk_->next]; }

Store::Iterator& Store::Iterator::operator++() {
    if (++walk_->next == walk_->driver->kept().size()) walk_->fetch();
    return *this;
}

bool Store::Iterator::operator==(std::default_sentinel_t /*end*/) const { return walk_->ended; }

Store::Iterator Store::begin() const { return Iterator(*this); }

Store::View::View(Store store, Range range)
    : store_(std::make_shared<const Store>(std::move(store))), range_(std::move(range)) {}

Store::Iterator Store::View::begin() const { return Iterator(*store_, range_); }

Store::View Store::range(const Range& range) const { return {*this, range}; }

}  // namespace polystore
