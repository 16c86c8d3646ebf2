#include "polystore/clients/memory.hpp"

#include <algorithm>
#include <map>

#include "polystore/clients/ordered_records.hpp"

namespace polystore {
namespace {

using Records = std::map<std::string, Record>;

class MemoryCursor : public Cursor {
   public:
    MemoryCursor(const Records& records, const Range& range) : records_(records), place_(range) {}

    std::optional<std::vector<Entry>> next(std::size_t limit) override {
        return place_.next(records_, limit, [](const Record& record) { return std::optional(record); });
    }

   private:
    const Records& records_;
    OrderedPlace place_;
};

class Memory : public Client {
   public:
    ClientTraits traits() const override { return {.many = true}; }

    std::optional<Record> read(const std::string& id) override {
        const auto found = records_.find(id);
        return found == records_.end() ? std::nullopt : std::optional(found->second);
    }

    std::vector<CommitOutcome> commit(std::span<const Commit> commits) override {
        return commit_each(commits, [&](const Commit& commit) {
            const bool is_expected =
                std::all_of(commit.expected.begin(), commit.expected.end(),
                            [&](const Expectation& expected) { return read(expected.id) == expected.found; });
            if (is_expected) {
                make_changes(
                    records_, commit.changes, [](const Record& record) { return record; },
                    [](const Record& /*record*/) { return true; });
            }
            return is_expected;
        });
    }

    std::unique_ptr<Cursor> scan(const Range& range) override {
        return std::make_unique<MemoryCursor>(records_, range);
    }

   private:
    Records records_;
};

}  // namespace

std::shared_ptr<Client> memory() { return std::make_shared<Memory>(); }

}  // namespace polystore
