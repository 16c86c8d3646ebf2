#include "polystore/store/connection.hpp"

#include "polystore/error.hpp"
#include "polystore/support/utf8.hpp"

namespace polystore {

std::shared_ptr<Connection> Connection::to(const std::shared_ptr<Client>& client) {
    if (!client) {
        throw Error(ErrorCode::client, "The client is null. Pass memory(), file(path), or a client of yours.");
    }
    const ClientTraits traits = client->traits();  // Code of the user, so not under the lock.
    // Never destroyed, so that a static store may still use it.
    static auto* const making = new std::mutex();
    const std::scoped_lock lock(*making);
    std::shared_ptr<Connection> connection = client->connection_.lock();
    if (!connection) client->connection_ = connection = std::make_shared<Connection>(client, traits);
    return connection;
}

/// Locks the mutex. In a forked process it is locked for ever if another thread of the parent had locked it, because
/// that thread does not exist here.
std::unique_lock<std::recursive_mutex> Connection::locked_mutex() {
    const unsigned process = posix::this_process();
    if (process_.load(std::memory_order_relaxed) == process) return std::unique_lock(mutex_);
    std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock) {
        throw Error(ErrorCode::client,
                    "This process was forked while another thread was in a call of this store, so the store cannot be "
                    "used here. Make a new client.");
    }
    process_ = process;
    return lock;
}

void Connection::check_key(const std::string& id) const {
    if (traits_.keys == Keys::any || is_utf8(id)) return;
    throw Error(
        ErrorCode::key,
        "The key " + show(id) + " is not valid UTF-8, and this client holds only keys that are. Use a key in UTF-8.");
}

void Connection::drain() const {
    if (calls_in_progress_ == 1) return;
    throw Error(ErrorCode::client, "A client closed its own store in the middle of a call. Close it from outside.");
}

void Connection::close() {
    ++times_closed_;
    if (is_watched()) hub_->end_all();
    client_->close();
}

std::vector<CommitOutcome> Connection::commit(std::span<const Commit> commits, bool is_touch) {
    std::vector<CommitOutcome> outcomes = client_->commit(commits);
    if (is_watched()) hub_->tell(commits, outcomes, is_touch);
    return outcomes;
}

std::string Connection::add(const std::string& prefix, const Record& record) {
    std::string id = client_->add(prefix, record);
    if (is_watched()) hub_->tell_put(id, record.expires);
    return id;
}

std::size_t Connection::sweep(const Range& range, std::optional<double> until) {
    const std::size_t removed = client_->sweep(range, until);
    if (is_watched()) hub_->tell_swept(bounds_of(range), until);
    return removed;
}

std::shared_ptr<WatchHub> Connection::hub() {
    if (hub_ && hub_->is_copy()) posix::keep(std::move(hub_));
    if (!hub_) hub_ = std::make_shared<WatchHub>();
    return hub_;
}

void throw_closed() { throw Error(ErrorCode::closed, "The store was closed. Make a new one over its client."); }

}  // namespace polystore
