// A client in front of another calls it here. It may be in a call of its own store then, and the client behind in a
// call of other stores.

#include <utility>

#include "polystore/store/connection.hpp"
#include "polystore/store/turn.hpp"

namespace polystore {
namespace {

/// Calls the client behind, or its cursor, while others cannot.
class Access {
   public:
    explicit Access(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {
        const Connection::Hold hold(*connection_);
        life_ = connection_->times_closed();
    }

    template <typename Call>
    auto operator()(Call call) {
        const Turn turn;
        const Connection::Hold hold(*connection_);
        if (connection_->times_closed() != life_) throw_closed();
        return call(*connection_);
    }

    /// Releases what `release` releases, also after the client was closed.
    template <typename Release>
    void release(Release release) {
        const Connection::Hold hold(*connection_);
        release();
    }

    void close() {
        const Connection::Hold hold(*connection_);
        const bool is_open = connection_->times_closed() == life_;
        if (is_open) connection_->drain();
        life_ = connection_->times_closed() + (is_open ? 1 : 0);  // It counts as closed even if it fails to close.
        if (is_open) connection_->close();
    }

    [[nodiscard]] const Connection& connection() const { return *connection_; }

   private:
    std::shared_ptr<Connection> connection_;
    int life_ = 0;
};

class SharedCursor : public Cursor {
   public:
    SharedCursor(Access access, std::unique_ptr<Cursor> cursor)
        : access_(std::move(access)), cursor_(std::move(cursor)) {}
    SharedCursor(const SharedCursor&) = delete;
    SharedCursor& operator=(const SharedCursor&) = delete;
    ~SharedCursor() override {
        access_.release([&] { cursor_.reset(); });
    }

    std::optional<std::vector<Entry>> next(std::size_t limit) override {
        return access_([&](Connection& /*connection*/) { return cursor_->next(limit); });
    }

   private:
    Access access_;
    std::unique_ptr<Cursor> cursor_;
};

class SharedClient : public Client {
    /// The flush of a change belongs to whoever made it, so it is asked for before others can.
    template <typename Call>
    auto write(Call call) {
        return access_([&](Connection& connection) {
            auto result = call(connection);
            if (auto flush = connection.client().pending_flush()) flush_ = std::move(flush);
            return result;
        });
    }

   public:
    explicit SharedClient(const std::shared_ptr<Client>& client) : access_(Connection::to(client)) {}

    /// Others may change what is behind, and whoever watches a store over this client does not hear that.
    ClientTraits traits() const override {
        ClientTraits traits = access_.connection().traits();
        traits.reach = Reach::process;
        return traits;
    }

    std::optional<Record> read(const std::string& id) override {
        return access_([&](Connection& connection) { return connection.client().read(id); });
    }

    std::vector<CommitOutcome> commit(std::span<const Commit> commits) override {
        return write([&](Connection& connection) { return connection.commit(commits); });
    }

    void alone(const std::function<void()>& attempt) override {
        access_([&](Connection& connection) { connection.client().alone(attempt); });
    }

    std::unique_ptr<Cursor> scan(const Range& range) override {
        return access_([&](Connection& connection) -> std::unique_ptr<Cursor> {
            return std::make_unique<SharedCursor>(access_, connection.client().scan(range));
        });
    }

    std::size_t sweep(const Range& range, std::optional<double> until) override {
        return write([&](Connection& connection) { return connection.sweep(range, until); });
    }

    std::string add(const std::string& prefix, const Record& record) override {
        return write([&](Connection& connection) { return connection.add(prefix, record); });
    }

    std::function<void()> pending_flush() override { return std::exchange(flush_, nullptr); }

    void close() override {
        flush_ = nullptr;
        access_.close();
    }

   private:
    Access access_;
    std::function<void()> flush_;  ///< Covers the changes since it was last asked for.
};

}  // namespace

std::shared_ptr<Client> share(const std::shared_ptr<Client>& client) { return std::make_shared<SharedClient>(client); }

}  // namespace polystore
