#include <memory>
#include <optional>
#include <polystore/polystore.hpp>
#include <span>
#include <string>
#include <vector>

namespace {

/// A client of the consumer's own, which refuses everything.
class Refusing : public polystore::Client {
   public:
    std::optional<polystore::Record> read(const std::string& /*id*/) override { return std::nullopt; }
    std::vector<polystore::CommitOutcome> commit(std::span<const polystore::Commit> commits) override {
        return polystore::commit_each(commits, [](const polystore::Commit& commit) -> bool {
            throw polystore::Error(polystore::ErrorCode::quota, "no room for " + commit.changes.front().id);
        });
    }
    std::unique_ptr<polystore::Cursor> scan(const polystore::Range& range) override {
        return polystore::cursor_over({}, range);
    }
};

bool refuses() {
    try {
        polystore::Store(std::make_shared<Refusing>()).set("a", 1);
        return false;
    } catch (const polystore::Error& error) {
        return error.code() == polystore::ErrorCode::quota;
    }
}

}  // namespace

int main() {
    const polystore::Store file(polystore::file("consumer.json"));
    const polystore::Store folder(polystore::folder("records"));
    const polystore::Store memory(polystore::memory());
    for (const polystore::Store& store : {file, folder, memory}) {
        const std::string key = store.prefix("user:").add({{"name", "Ada"}}, {.expires = "1h"});
        if (store.get("user:" + key).at("name") != "Ada") return 1;
        store.clear();
    }
    return refuses() ? 0 : 2;
}
