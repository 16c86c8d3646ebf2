#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "polystore/core/operations.hpp"
#include "polystore/store.hpp"
#include "polystore/store/changing.hpp"
#include "polystore/store/connection.hpp"
#include "polystore/store/turn.hpp"

/// What carries out the operations of the core on a client. Internal: `Store` uses it.
namespace polystore {

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
    } catch (const Thrown&) {
        throw;
    } catch (const std::bad_alloc&) {
        throw;
    } catch (const std::exception& error) {
        const std::string at = id.empty() ? "" : " at " + show(id);
        std::throw_with_nested(Error(ErrorCode::client, "The client failed" + at + ": " + error.what()));
    } catch (...) {
        std::throw_with_nested(
            Error(ErrorCode::client, "The client failed: it threw something that is not a std::exception."));
    }
}

/// Returns the range of a store with this prefix as a range of its client.
[[nodiscard]] Range under(const std::string& prefix, const Range& range);

/// The result of an operation, with the key that it wrote to and the value that it read.
struct Result {
    Outcome outcome;
    double number;
    std::string key;
    Json value;
};

/// An operation on a client: holds the data that the operation never sees and performs its steps. Requires a `Hold`.
class Driver {
   public:
    Driver(const Store& store, Call call, std::string_view key, Json value, Store::Needs needs = Store::Needs::values,
           const Range* range = nullptr, Changing* changing = nullptr)
        : connection_(*store.connection_),
          life_(store.life_),
          traits_(closed() ? connection_.abilities() | Trait::closed : connection_.abilities()),
          needs_(needs),
          method_(call.method),
          limit_(call.limit),
          needs_expiry_(call.method == Method::ttl || (call.method == Method::get && call.expires > 0)),
          only_reads_(call.method == Method::get || call.method == Method::has || call.method == Method::list ||
                      call.method == Method::ttl || call.method == Method::size),
          clock_(store.options_.clock),
          prefix_(store.options_.prefix),
          key_(key),
          id_(prefix_ + key_),
          value_(std::move(value)),
          range_(range),
          changing_(changing),
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
    void answer_parts();
    void answer_commit();
    bool choose();
    bool make_changes();
    [[nodiscard]] Error unsupported_error() const;
    double sift();
    void write(std::optional<Record> record);
    std::size_t evict(std::vector<Entry> entries);
    [[nodiscard]] std::vector<CommitOutcome> make(std::span<const Commit> commits);
    [[nodiscard]] bool is_made(const Commit& commit);

    /// The records that a listing or a sweep concerns, as a range of the client.
    [[nodiscard]] Range full_range() const { return range_ ? under(prefix_, *range_) : Range{.prefix = prefix_}; }

    [[nodiscard]] bool closed() const { return connection_.times_closed() != life_; }

    // A client that manages expiry never shows an expired record, so most operations need not know the expiry.
    [[nodiscard]] double expiry_of(const Record& record) const {
        return traits_[Trait::manages_expiry] ? kNever : record.expires;
    }

    Connection& connection_;
    int life_;
    Traits traits_;
    Store::Needs needs_;
    Method method_;
    double limit_;
    bool needs_expiry_;  ///< True if the operation uses the expiry of a record in any case.
    bool only_reads_;
    Clock clock_;
    std::string prefix_;
    std::string key_;
    std::string id_;
    Json value_;
    const Range* range_;  ///< The part of the store that a listing concerns; null for the whole store.
    Changing* changing_;
    std::optional<Record> record_;
    std::unique_ptr<Cursor> cursor_;
    std::vector<Entry> page_;
    std::vector<double> expires_;
    std::vector<Verdict> verdicts_;
    std::vector<std::pair<std::string, Json>> kept_;
    bool is_alone_ = false;  ///< True once an attempt of a change was refused.
    Operation operation_;
};

}  // namespace polystore
