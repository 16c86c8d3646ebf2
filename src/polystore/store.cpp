#include "polystore/store.hpp"

#include <exception>
#include <functional>
#include <mutex>
#include <new>
#include <optional>
#include <span>

#include "polystore/connection.hpp"
#include "polystore/operations.hpp"
#include "polystore/random_id.hpp"

namespace polystore {

using Hold = Connection::Hold;

namespace {

/// Runs a user's call. If there is not enough memory for it, the user receives an `Error`, or std::bad_alloc if there
/// is no memory for the `Error` either.
template <typename Call>
auto within_memory(Call call) {
    try {
        return call();
    } catch (const std::bad_alloc&) {
        std::throw_with_nested(
            Error(ErrorCode::quota, "There is not enough memory for this call: free some, or store less at a time."));
    }
}

/// Runs a client's call and turns its exceptions into an `Error`, which names the id unless `id` is empty.
template <typename Call>
auto calling(const std::string& id, Call call) {
    try {
        return call();
    } catch (const Error&) {
        throw;
    } catch (const std::bad_alloc&) {
        throw;
    } catch (const std::exception& error) {
        const std::string at = id.empty() ? "" : " at " + show(id);
        std::throw_with_nested(Error(ErrorCode::client, "The client failed" + at + ": " + error.what()));
    } catch (...) {
        std::throw_with_nested(Error(ErrorCode::client, "The client threw something that is not a std::exception."));
    }
}

Error outside_error(const std::string& method, const std::string& prefix, const std::string& id) {
    return {ErrorCode::client, "The client's " + method + " returned " + show(id) + ", which does not begin with " +
                                   show(prefix) + ", as it must."};
}

}  // namespace

/// An operation on a client: holds the data that the operation never sees and performs its steps. Requires a `Hold`.
class Driver {
   public:
    Driver(const Store& store, Call call, std::string_view key, Json value, Store::Needs needs = Store::Needs::values)
        : connection_(*store.connection_),
          life_(store.life_),
          traits_(closed() ? connection_.abilities() | Trait::closed : connection_.abilities()),
          needs_(needs),
          only_reads_(call.method == Method::get || call.method == Method::has || call.method == Method::list ||
                      call.method == Method::ttl || call.method == Method::size),
          clock_(store.options_.clock),
          prefix_(store.options_.prefix),
          key_(key),
          id_(prefix_ + key_),
          value_(std::move(value)),
          operation_(start(traits_, call)) {}

    /// Runs to the end of a page and returns true, with its entries in `kept()`; or to the operation's end: false.
    bool advance();

    [[nodiscard]] std::vector<std::pair<std::string, Json>>& kept() { return kept_; }
    [[nodiscard]] Result result();

    /// Returns the flush that the call has to wait for, or an empty function.
    [[nodiscard]] std::function<void()> pending_flush() {
        return only_reads_ ? nullptr : connection_.client().pending_flush();
    }

   private:
    void answer();
    void answer_read();
    void answer_page();
    double sift();
    void write(std::optional<Record> record);
    std::size_t evict(std::vector<Entry> entries);
    [[nodiscard]] std::vector<CommitOutcome> make(std::span<const Commit> commits);

    [[nodiscard]] bool closed() const { return connection_.times_closed() != life_; }

    // A client that manages expiry never shows an expired record. The expiry that it reports for others is ignored.
    [[nodiscard]] double expiry_of(const Record& record) const {
        return traits_[Trait::manages_expiry] ? kNever : record.expires;
    }

    Connection& connection_;
    int life_;
    Traits traits_;
    Store::Needs needs_;
    bool only_reads_;
    Clock clock_;
    std::string prefix_;
    std::string key_;
    std::string id_;
    Json value_;
    std::optional<Record> record_;
    std::unique_ptr<Cursor> cursor_;
    std::vector<Entry> page_;
    std::vector<double> expires_;
    std::vector<Verdict> verdicts_;
    std::vector<std::pair<std::string, Json>> kept_;
    Operation operation_;
};

/// The result of an operation, with the key that it wrote to and the value that it read.
struct Result {
    Outcome outcome;
    double number;
    std::string key;
    Json value;
};

void Driver::answer() {
    switch (operation_.ask()) {
        case Ask::nothing:
        case Ask::change:  // No method of Store changes a value depending on what is there.
        case Ask::commit: return;
        case Ask::read: return answer_read();
        case Ask::put: write(Record{operation_.number(), std::move(value_)}); return operation_.answer({});
        case Ask::remove: write(std::nullopt); return operation_.answer({});
        case Ask::remove_if: evict({{id_, *record_}}); return operation_.answer({});
        case Ask::make_key:
            key_ = make_random_id();
            id_ = prefix_ + key_;
            return operation_.answer({});
        case Ask::add: {
            const std::string id = connection_.client().add(prefix_, {operation_.number(), std::move(value_)});
            if (!id.starts_with(prefix_)) throw outside_error("add()", prefix_, id);
            key_ = id.substr(prefix_.size());
            return operation_.answer({});
        }
        case Ask::clock: return operation_.answer({true, clock_()});
        case Ask::page: return answer_page();
        case Ask::sift: return operation_.answer({true, sift()});
        case Ask::sweep: {
            const double until = operation_.number();
            const std::size_t removed =
                connection_.client().sweep({.prefix = prefix_}, until == kNever ? std::nullopt : std::optional(until));
            return operation_.answer({true, static_cast<double>(removed)});
        }
        case Ask::drain: connection_.drain(); return operation_.answer({});
        case Ask::close: connection_.close(); return operation_.answer({});
    }
}

void Driver::answer_read() {
    connection_.check_key(id_);
    record_ = connection_.client().read(id_);
    if (record_) require_readable(id_, record_->value);
    operation_.answer({record_.has_value(), record_ ? expiry_of(*record_) : 0});
}

void Driver::answer_page() {
    if (!cursor_) cursor_ = connection_.client().scan({.prefix = prefix_});
    std::optional<std::vector<Entry>> page = cursor_->next(kPageLength);
    const bool end = !page;
    page_ = end ? std::vector<Entry>() : std::move(*page);
    expires_.clear();
    for (const Entry& entry : page_) {
        if (!entry.id.starts_with(prefix_)) throw outside_error("scan()", prefix_, entry.id);
        expires_.push_back(expiry_of(entry.record));
    }
    verdicts_.assign(page_.size(), Verdict::leave);
    operation_.answer_page({expires_, verdicts_, {}, end});
}

/// Returns the number of records that it removed.
double Driver::sift() {
    std::vector<Entry> removed;
    for (std::size_t i = 0; i < page_.size(); ++i) {
        Entry& entry = page_[i];
        if (verdicts_[i] == Verdict::keep) {
            if (needs_ == Store::Needs::values) require_readable(entry.id, entry.record.value);
            kept_.emplace_back(entry.id.substr(prefix_.size()), std::move(entry.record.value));
        } else if (verdicts_[i] == Verdict::remove) {
            removed.push_back(std::move(entry));
        }
    }
    return removed.empty() ? 0 : static_cast<double>(evict(std::move(removed)));
}

/// Puts a record at the key, or removes the one that is there, whatever it is.
void Driver::write(std::optional<Record> record) {
    connection_.check_key(id_);
    const Commit commit{.changes = {{id_, std::move(record)}}};
    const CommitOutcome outcome = make({&commit, 1}).front();
    if (outcome.error) std::rethrow_exception(outcome.error);
    if (!outcome.made) throw Error(ErrorCode::client, "The client refused a commit that expects nothing.");
}

/// Removes each of these records if it is still the one that was read, and returns the number of those. For a call that
/// only reads, an expired record is absent even if it cannot be removed.
std::size_t Driver::evict(std::vector<Entry> entries) {
    std::vector<Commit> commits;
    commits.reserve(entries.size());
    for (Entry& entry : entries) {
        commits.push_back({.expected = {{entry.id, std::move(entry.record)}}, .changes = {{entry.id}}});
    }
    try {
        std::size_t removed = 0;
        for (const CommitOutcome& outcome : make(commits)) {
            if (outcome.error) std::rethrow_exception(outcome.error);
            if (outcome.made) ++removed;
        }
        return removed;
    } catch (const std::bad_alloc&) {
        throw;
    } catch (...) {
        if (!only_reads_) throw;
        return 0;
    }
}

std::vector<CommitOutcome> Driver::make(std::span<const Commit> commits) {
    std::vector<CommitOutcome> outcomes = connection_.client().commit(commits);
    if (outcomes.size() == commits.size()) return outcomes;
    throw Error(ErrorCode::client, "The client's commit() returned " + std::to_string(outcomes.size()) +
                                       " outcomes for " + std::to_string(commits.size()) + " commits.");
}

bool Driver::advance() {
    kept_.clear();
    // An iteration that began before the client was closed fails once it is closed.
    if (closed() && operation_.ask() != Ask::nothing) throw_closed();
    return calling(id_, [&] {
        while (operation_.ask() != Ask::nothing) {
            const bool page_ends = operation_.ask() == Ask::sift;
            answer();
            if (page_ends) return true;
        }
        return false;
    });
}

Result Driver::result() {
    const Outcome outcome = operation_.outcome();
    if (outcome == Outcome::closed) throw_closed();
    if (outcome == Outcome::unsupported) {
        throw Error(ErrorCode::unsupported, "The client cannot list what it holds: its traits() lack Trait::list.");
    }
    return {outcome, operation_.number(), std::move(key_), record_ ? std::move(record_->value) : Json()};
}

Store::Store(std::shared_ptr<Client> client, StoreOptions options)
    : connection_(Connection::to(client)), options_(std::move(options)) {
    const Hold hold(*connection_);
    life_ = connection_->times_closed();
}

Result Store::perform(Call call, std::string_view key, Json value) const {
    return within_memory([&] {
        std::optional<Result> result;
        std::function<void()> flush;
        {
            const Hold hold(*connection_);
            Driver driver(*this, call, key, std::move(value));
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
    const Expires& expires = options.expires.given() ? options.expires : options_.expires;
    const Call call{method, expires.seconds(), !value.is_null()};
    return perform(call, key, std::move(value));
}

template <typename Visit>
void Store::for_each(Needs needs, Visit visit) const {
    within_memory([&] {
        const Hold hold(*connection_);
        Driver driver(*this, {Method::list}, {}, {}, needs);
        while (driver.advance()) {
            for (auto& [key, value] : driver.kept()) visit(std::move(key), std::move(value));
        }
        static_cast<void>(driver.result());
    });
}

Json Store::get(std::string_view key) const {
    Result result = perform({Method::get}, key);
    return result.outcome == Outcome::value ? std::move(result.value) : Json();
}

std::string Store::set(std::string_view key, Json value, const SetOptions& options) const {
    return write(Method::set, key, std::move(value), options).key;
}

std::string Store::add(Json value, const SetOptions& options) const {
    return write(Method::add, {}, std::move(value), options).key;
}

bool Store::has(std::string_view key) const { return perform({Method::has}, key).outcome == Outcome::yes; }

std::string Store::del(std::string_view key) const { return perform({Method::del}, key).key; }

std::vector<std::string> Store::keys() const {
    std::vector<std::string> keys;
    for_each(Needs::keys, [&](std::string&& key, Json&& /*value*/) { keys.push_back(std::move(key)); });
    return keys;
}

std::vector<Json> Store::values() const {
    std::vector<Json> values;
    for_each(Needs::values, [&](std::string&& /*key*/, Json&& value) { values.push_back(std::move(value)); });
    return values;
}

std::vector<std::pair<std::string, Json>> Store::entries() const {
    std::vector<std::pair<std::string, Json>> entries;
    for_each(Needs::values,
             [&](std::string&& key, Json&& value) { entries.emplace_back(std::move(key), std::move(value)); });
    return entries;
}

std::map<std::string, Json> Store::all() const {
    std::map<std::string, Json> all;
    for_each(Needs::values,
             [&](std::string&& key, Json&& value) { all.insert_or_assign(std::move(key), std::move(value)); });
    return all;
}

void Store::clear() const { perform({Method::clear}); }

std::size_t Store::prune() const { return static_cast<std::size_t>(perform({Method::prune}).number); }

Store Store::prefix(std::string_view prefix) const {
    Store store = *this;
    store.options_.prefix += prefix;
    return store;
}

Store Store::expires(Expires expires) const {
    Store store = *this;
    store.options_.expires = expires;
    return store;
}

void Store::close() const { perform({Method::close}); }

/// An iteration in progress. It holds its position but not the client between two pages, so other calls can run.
struct Store::Iterator::Walk {
    explicit Walk(Store iterated) : store(std::move(iterated)) {}
    Walk(const Walk&) = delete;
    Walk& operator=(const Walk&) = delete;
    ~Walk() {
        const Hold hold(*store.connection_);
        driver.reset();  // This destroys the client's cursor too.
    }

    void fetch() {
        within_memory([&] {
            const Hold hold(*store.connection_);
            if (!driver) driver.emplace(store, Call{Method::list}, "", nullptr);
            next = 0;
            do {
                ended = !driver->advance();
            } while (!ended && driver->kept().empty());
            if (ended) static_cast<void>(driver->result());
        });
    }

    Store store;
    std::optional<Driver> driver;
    std::size_t next = 0;
    bool ended = false;
};

Store::Iterator::Iterator(const Store& store) : walk_(std::make_shared<Walk>(store)) { walk_->fetch(); }

Store::Iterator::reference Store::Iterator::operator*() const { return walk_->driver->kept()[walk_->next]; }

Store::Iterator& Store::Iterator::operator++() {
    if (++walk_->next == walk_->driver->kept().size()) walk_->fetch();
    return *this;
}

bool Store::Iterator::operator==(std::default_sentinel_t /*end*/) const { return walk_->ended; }

Store::Iterator Store::begin() const { return Iterator(*this); }

}  // namespace polystore
