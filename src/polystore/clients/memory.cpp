#include "polystore/clients/memory.hpp"

#include <map>

#include "polystore/clients/ordered_page.hpp"

namespace polystore {
namespace {

using Records = std::map<std::string, Record>;

class MemoryCursor : public Cursor {
   public:
    MemoryCursor(const Records& records, const std::string& prefix)
        : records_(records), prefix_(prefix), place_(prefix) {}

    std::optional<std::vector<Entry>> next(std::size_t limit) override {
        return next_page(records_, prefix_, place_, limit,
                         [](const std::string& /*id*/, const Record& record) { return std::optional(record); });
    }

   private:
    const Records& records_;
    std::string prefix_;
    std::string place_;
};

class Memory : public Client {
   public:
    std::optional<Record> read(const std::string& id) override {
        const auto found = records_.find(id);
        return found == records_.end() ? std::nullopt : std::optional(found->second);
    }

    void write(const std::string& id, const Record& record) override { records_.insert_or_assign(id, record); }

    void erase(const std::string& id) override { records_.erase(id); }

    std::unique_ptr<Cursor> list(const std::string& prefix) override {
        return std::make_unique<MemoryCursor>(records_, prefix);
    }

   private:
    Records records_;
};

}  // namespace

std::shared_ptr<Client> memory() { return std::make_shared<Memory>(); }

}  // namespace polystore
