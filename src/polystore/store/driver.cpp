#include "polystore/store/driver.hpp"

#include <utility>

#include "polystore/support/random_id.hpp"

namespace polystore {
namespace {

Error outside_error(const std::string& method, const std::string& prefix, const std::string& id) {
    return {ErrorCode::client, "The client's " + method + " returned " + show(id) + ", which does not begin with " +
                                   show(prefix) + ", as it must."};
}

}  // namespace

Range under(const std::string& prefix, const Range& range) {
    Range full{.prefix = prefix + range.prefix, .reverse = range.reverse};
    for (const auto bound : {&Range::gt, &Range::gte, &Range::lt, &Range::lte}) {
        if (range.*bound) full.*bound = prefix + *(range.*bound);
    }
    // The limit counts expired records, so the driver keeps count itself. A bound makes the client list in order.
    if (range.limit != Range().limit && !full.gte && !full.gt) full.gte = full.prefix;
    return full;
}

void Driver::answer() {
    switch (operation_.ask()) {
        case Ask::nothing: return;
        case Ask::change: return operation_.answer({choose()});
        case Ask::commit: return answer_commit();
        case Ask::read: return answer_read();
        case Ask::put: write(Record{operation_.number(), std::move(value_)}); return operation_.answer({});
        case Ask::remove: write(std::nullopt); return operation_.answer({});
        case Ask::remove_if: evict({{id_, *record_}}); return operation_.answer({});
        case Ask::make_key:
            key_ = make_random_id();
            id_ = prefix_ + key_;
            return operation_.answer({});
        case Ask::add: {
            const std::string id = connection_.add(prefix_, {operation_.number(), std::move(value_)});
            if (!id.starts_with(prefix_)) throw outside_error("add()", prefix_, id);
            key_ = id.substr(prefix_.size());
            return operation_.answer({});
        }
        case Ask::clock: return operation_.answer({true, clock_()});
        case Ask::page: return changing_ ? answer_parts() : answer_page();
        case Ask::sift: return operation_.answer({true, sift()});
        case Ask::sweep: {
            const double until = operation_.number();
            const std::size_t removed =
                connection_.sweep(full_range(), until == kNever ? std::nullopt : std::optional(until));
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
    if (!record_) return operation_.answer({});
    operation_.answer({true, needs_expiry_ ? record_->expires : expiry_of(*record_)});
}

void Driver::answer_page() {
    if (!cursor_) cursor_ = connection_.client().scan(full_range());
    const std::size_t most = limit_ < kPageLength ? static_cast<std::size_t>(limit_) : kPageLength;
    std::optional<std::vector<Entry>> page = cursor_->next(most);
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
    if (is_made({.changes = {{id_, std::move(record)}}})) return;
    throw Error(ErrorCode::client,
                "The client refused a commit that expects nothing. Its commit() must make it, or throw.");
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
    std::vector<CommitOutcome> outcomes = connection_.commit(commits, changing_ && changing_->is_touch);
    if (outcomes.size() == commits.size()) return outcomes;
    throw Error(ErrorCode::client, "The client's commit() returned " + std::to_string(outcomes.size()) +
                                       " outcomes for " + std::to_string(commits.size()) +
                                       " commits; it must return one for each.");
}

/// Makes a commit. Returns false if an expectation does not hold, and throws if the commit fails.
bool Driver::is_made(const Commit& commit) {
    const CommitOutcome outcome = make({&commit, 1}).front();
    if (outcome.error) std::rethrow_exception(outcome.error);
    return outcome.made;
}

/// Reads the records of a change, and shows them to the operation.
void Driver::answer_parts() {
    std::vector<Part>& parts = changing_->parts;
    std::vector<double> lives;
    expires_.clear();
    for (Part& part : parts) {
        connection_.check_key(part.id);
        part.found = part.is_unread ? std::nullopt : connection_.client().read(part.id);
        expires_.push_back(part.found ? part.found->expires : kOver);
        lives.push_back(part.life);
    }
    verdicts_.assign(parts.size(), Verdict::leave);
    operation_.answer_page({expires_, verdicts_, lives, true});
    for (std::size_t i = 0; i < parts.size(); ++i) {
        parts[i].expires = expires_[i];
        parts[i].value = Json();
        if (verdicts_[i] != Verdict::keep) continue;
        require_readable(parts[i].id, parts[i].found->value);
        parts[i].value = parts[i].found->value;
        if (parts[i].keeps_expiry) parts[i].expires = parts[i].found->expires;
    }
}

/// Chooses the new values, and returns true if there is anything to change.
bool Driver::choose() {
    std::vector<Part>& parts = changing_->parts;
    changing_->changes.clear();
    Chosen chosen = changing_->choose(parts);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        Part& part = parts[i];
        if (!chosen[i]) {
            part.result = part.value;
            continue;
        }
        Json& value = *chosen[i];
        if (part.expires == kOver) value = Json();
        part.result = value;
        if (value.is_null()) {
            if (part.found || part.is_unread) changing_->changes.push_back({part.id});
        } else if (part.is_unread || part.value.is_null() || part.expires != part.found->expires ||
                   value != part.value) {
            changing_->changes.push_back({part.id, Record{part.expires, std::move(value)}});
        }
    }
    return !changing_->changes.empty();
}

/// Makes the changes, and returns true, if the records are still the ones that were read.
bool Driver::make_changes() {
    Commit commit;
    for (const Part& part : changing_->parts) {
        if (!part.is_unread) commit.expected.push_back({part.id, part.found});
    }
    commit.changes = changing_->changes;
    return is_made(commit);
}

/// Makes the changes. If another writer was faster, all further attempts keep the others out.
void Driver::answer_commit() {
    operation_.answer({make_changes()});
    if (operation_.ask() == Ask::nothing || std::exchange(is_alone_, true)) return;
    connection_.client().alone([&] {
        while (operation_.ask() != Ask::nothing) answer();
    });
}

Error Driver::unsupported_error() const {
    if (changing_ && connection_.traits().atomic != Atomic::none) {
        return {ErrorCode::unsupported, changing_->method +
                                            "() failed: this client cannot change several keys as a "
                                            "whole. Change one key at a time."};
    }
    if (method_ == Method::change || method_ == Method::get) {
        return {ErrorCode::unsupported,
                "This client cannot compare and change a value in one step: its traits say Atomic::none. Use another "
                "client."};
    }
    return {ErrorCode::unsupported,
            "The client cannot list what it holds: its traits() lack Trait::list. Use another client for that."};
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
    if (outcome == Outcome::unsupported) throw unsupported_error();
    if (outcome == Outcome::conflict) {
        throw Error(ErrorCode::conflict, changing_->method + "(" + show(id_) +
                                             ") failed: other writers changed the value in each of 100 attempts. "
                                             "Nothing was changed; try again later.");
    }
    return {outcome, operation_.number(), std::move(key_), record_ ? std::move(record_->value) : Json()};
}

}  // namespace polystore
