// A client of one's own: a storage that has no order, here a hash table.

#include <iostream>
#include <memory>
#include <optional>
#include <polystore/polystore.hpp>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace {

class Shelf : public polystore::Client {
   public:
    std::optional<polystore::Record> read(const std::string& id) override {
        const auto found = records_.find(id);
        return found == records_.end() ? std::nullopt : std::optional(found->second);
    }

    std::vector<polystore::CommitOutcome> commit(std::span<const polystore::Commit> commits) override {
        return polystore::commit_each(commits, [&](const polystore::Commit& commit) {
            for (const auto& [id, found] : commit.expected) {
                if (read(id) != found) return false;
            }
            for (const auto& [id, record] : commit.changes) {
                if (record) {
                    records_.insert_or_assign(id, *record);
                } else {
                    records_.erase(id);
                }
            }
            return true;
        });
    }

    std::unique_ptr<polystore::Cursor> scan(const polystore::Range& range) override {
        std::vector<polystore::Entry> entries;
        for (const auto& [id, record] : records_) entries.push_back({id, record});
        return polystore::cursor_over(std::move(entries), range);
    }

   private:
    std::unordered_map<std::string, polystore::Record> records_;
};

}  // namespace

int main() {
    const polystore::Store store(std::make_shared<Shelf>());
    store.set("greeting", "hello", {.expires = "1h"});
    for (const auto& [key, value] : store) std::cout << key << " = " << value << '\n';
}
