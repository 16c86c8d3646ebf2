#include <memory>
#include <optional>
#include <polystore/polystore.hpp>
#include <string>
#include <utility>
#include <vector>

namespace {

/// A client of the consumer's own, which refuses everything.
class Refusing : public polystore::Client {
   public:
    std::optional<polystore::Record> read(const std::string& /*id*/) override { return std::nullopt; }
    void write(const std::string& id, const polystore::Record& /*record*/) override {
        throw polystore::Error(polystore::ErrorCode::quota, "no room for " + id);
    }
    void erase(const std::string& /*id*/) override {}
    std::unique_ptr<polystore::Cursor> list(const std::string& /*prefix*/) override { return nullptr; }
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
