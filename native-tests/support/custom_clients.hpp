#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "polystore/client.hpp"
#include "polystore/options.hpp"

/// Clients like those that users may write.
namespace polystore::testing {

/// Returns the pages of another cursor, with an empty page before each.
class HesitantCursor : public Cursor {
   public:
    explicit HesitantCursor(std::unique_ptr<Cursor> cursor) : cursor_(std::move(cursor)) {}

    std::optional<std::vector<Entry>> next(std::size_t limit) override {
        if (std::exchange(hesitates_, !hesitates_)) return std::vector<Entry>();
        return cursor_->next(limit);
    }

   private:
    std::unique_ptr<Cursor> cursor_;
    bool hesitates_ = true;
};

/// The minimum that a user has to write: records in a vector, in the order of their insertion.
class PlainClient : public Client {
   public:
    std::optional<Record> read(const std::string& id) override {
        const auto found = find(id);
        return found == entries.end() ? std::nullopt : std::optional(found->record);
    }

    std::vector<CommitOutcome> commit(std::span<const Commit> commits) override {
        return commit_each(commits, [&](const Commit& commit) {
            for (const auto& [id, found] : commit.expected) {
                if (read(id) != found) return false;
            }
            for (const auto& [id, record] : commit.changes) {
                record ? put(id, *record) : remove(id);
            }
            return true;
        });
    }

    std::unique_ptr<Cursor> scan(const Range& range) override {
        return std::make_unique<HesitantCursor>(cursor_over(entries, range));
    }

    void put(const std::string& id, const Record& record) {
        const auto found = find(id);
        if (found == entries.end()) {
            entries.push_back({id, record});
        } else {
            found->record = record;
        }
    }

    void remove(const std::string& id) {
        std::erase_if(entries, [&](const Entry& entry) { return entry.id == id; });
    }

    std::vector<Entry> entries;

   private:
    std::vector<Entry>::iterator find(const std::string& id) {
        return std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.id == id; });
    }
};

/// A client that does everything itself: it drops expired records, like Redis.
class ManagingClient : public PlainClient {
   public:
    explicit ManagingClient(Clock clock) : clock_(std::move(clock)) {}

    ClientTraits traits() const override {
        return {.can = Trait::manages_expiry | Trait::add | Trait::list | Trait::sweeps_all | Trait::sweeps_expired};
    }

    std::optional<Record> read(const std::string& id) override {
        drop_expired({.prefix = id});
        return PlainClient::read(id);
    }

    std::string add(const std::string& prefix, const Record& record) override {
        std::string key = std::to_string(++count_);
        key.insert(0, 24 - key.size(), 'x');
        put(prefix + key, record);
        return prefix + key;
    }

    std::unique_ptr<Cursor> scan(const Range& range) override {
        drop_expired(range);
        return PlainClient::scan(range);
    }

    std::size_t sweep(const Range& range, std::optional<double> until) override {
        return until ? drop_expired(range) : std::erase_if(entries, [bounds = bounds_of(range)](const Entry& entry) {
            return bounds.contains(entry.id);
        });
    }

   private:
    std::size_t drop_expired(const Range& range) {
        return std::erase_if(entries, [bounds = bounds_of(range), now = clock_()](const Entry& entry) {
            return bounds.contains(entry.id) && entry.record.expires <= now;
        });
    }

    Clock clock_;
    int count_ = 0;
};

/// A client in front of another, which has its traits and does all the work.
class Front : public Client {
   public:
    explicit Front(std::shared_ptr<Client> behind) : behind_(std::move(behind)) {}

    ClientTraits traits() const override { return behind_->traits(); }
    std::optional<Record> read(const std::string& id) override { return behind_->read(id); }
    std::vector<CommitOutcome> commit(std::span<const Commit> commits) override { return behind_->commit(commits); }
    void alone(const std::function<void()>& attempt) override { behind_->alone(attempt); }
    std::unique_ptr<Cursor> scan(const Range& range) override { return behind_->scan(range); }
    std::size_t sweep(const Range& range, std::optional<double> until) override { return behind_->sweep(range, until); }
    std::string add(const std::string& prefix, const Record& record) override { return behind_->add(prefix, record); }
    std::function<void()> pending_flush() override { return behind_->pending_flush(); }
    void close() override { behind_->close(); }

   private:
    std::shared_ptr<Client> behind_;
};

}  // namespace polystore::testing
