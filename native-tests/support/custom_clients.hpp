#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "polystore/client.hpp"
#include "polystore/options.hpp"

/// Clients like those that users may write.
namespace polystore::testing {

/// Returns given records, with an empty page before each page.
class ListCursor : public Cursor {
   public:
    explicit ListCursor(std::vector<Entry> entries) : entries_(std::move(entries)) {}

    std::optional<std::vector<Entry>> next(std::size_t limit) override {
        if (next_ == entries_.size()) return std::nullopt;
        if (std::exchange(rests_, !rests_)) return std::vector<Entry>();
        std::vector<Entry> page;
        while (next_ < entries_.size() && page.size() < limit) page.push_back(entries_[next_++]);
        return page;
    }

   private:
    std::vector<Entry> entries_;
    std::size_t next_ = 0;
    bool rests_ = true;
};

/// The minimum that a user has to write: records in a vector, in the order of their insertion.
class PlainClient : public Client {
   public:
    std::optional<Record> read(const std::string& id) override {
        const auto found = find(id);
        return found == entries.end() ? std::nullopt : std::optional(found->record);
    }

    void write(const std::string& id, const Record& record) override {
        const auto found = find(id);
        if (found == entries.end()) {
            entries.push_back({id, record});
        } else {
            found->record = record;
        }
    }

    void erase(const std::string& id) override {
        std::erase_if(entries, [&](const Entry& entry) { return entry.id == id; });
    }

    std::unique_ptr<Cursor> list(const std::string& prefix) override {
        std::vector<Entry> listed;
        std::copy_if(entries.begin(), entries.end(), std::back_inserter(listed),
                     [&](const Entry& entry) { return entry.id.starts_with(prefix); });
        return std::make_unique<ListCursor>(std::move(listed));
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

    Traits traits() const override {
        return Trait::manages_expiry | Trait::add | Trait::list | Trait::sweeps_all | Trait::sweeps_expired;
    }

    std::optional<Record> read(const std::string& id) override {
        drop_expired(id);
        return PlainClient::read(id);
    }

    std::string add(const std::string& prefix, const Record& record) override {
        std::string key = std::to_string(++count_);
        key.insert(0, 24 - key.size(), 'x');
        write(prefix + key, record);
        return key;
    }

    std::unique_ptr<Cursor> list(const std::string& prefix) override {
        drop_expired(prefix);
        return PlainClient::list(prefix);
    }

    void clear(const std::string& prefix) override {
        std::erase_if(entries, [&](const Entry& entry) { return entry.id.starts_with(prefix); });
    }

    std::size_t prune(const std::string& prefix) override { return drop_expired(prefix); }

   private:
    std::size_t drop_expired(const std::string& prefix) {
        return std::erase_if(entries, [&](const Entry& entry) {
            return entry.id.starts_with(prefix) && entry.record.expires <= clock_();
        });
    }

    Clock clock_;
    int count_ = 0;
};

}  // namespace polystore::testing
