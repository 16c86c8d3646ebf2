#include <stdexcept>

#include "bench/database.hpp"
#include "polystore/clients/log.hpp"
#include "polystore/engine/posix_env.hpp"
#include "polystore/engine/shared_engine.hpp"
#include "polystore/store.hpp"

namespace polystore::bench {
namespace {

template <typename T>
T got(engine::Result<T> result) {
    if (result.ok()) return std::move(*result);
    throw std::runtime_error("polystore: " + result.failure().message);
}

/// The engine, without the client `log` above it.
class Engine : public Database {
   public:
    explicit Engine(const std::filesystem::path& path)
        : path_(path.string()),
          engine_(std::make_shared<engine::SharedEngine>(got(engine::Engine::open(engine::posix_env(), path_)),
                                                         engine::SharedOptions{Durability::relaxed})) {}

    void put(std::string_view key, std::string_view value) override {
        got(engine_->apply({{std::string(key), engine::Stored{std::string(value)}}}));
    }

    void put_synced(std::string_view key, std::string_view value) override {
        put(key, value);
        got(engine_->flush());
    }

    void get(std::string_view key, std::string& value) override {
        if (!got(engine_->get(key, value))) throw std::runtime_error("polystore: a key is missing");
    }

    std::size_t scan(std::string_view prefix) override {
        std::size_t bytes = 0;
        const auto cursor = engine_->scan({.prefix = std::string(prefix)});
        for (auto page = got(cursor->next(kPageLength)); !page.empty(); page = got(cursor->next(kPageLength))) {
            for (const engine::SharedEntry& entry : page) bytes += entry.key.size() + entry.value.size();
        }
        return bytes;
    }

    void settle() override {
        got(engine_->close());
        const auto alone = got(engine::Engine::open(engine::posix_env(), path_));
        constexpr std::size_t kStep = std::size_t{1} << 20U;
        while (got(alone->compact(kStep))) {
        }
    }

   private:
    std::string path_;
    std::shared_ptr<engine::SharedEngine> engine_;
};

/// The store over the client `log`, whose values are JSON.
class StoreOverLog : public Database {
   public:
    explicit StoreOverLog(const std::filesystem::path& path)
        : relaxed_(log(path, {.durability = Durability::relaxed})) {}

    void put(std::string_view key, std::string_view value) override { relaxed_.set(key, value); }

    void put_synced(std::string_view /*key*/, std::string_view /*value*/) override {
        throw std::logic_error("not measured");
    }

    void get(std::string_view key, std::string& value) override { value = relaxed_.get(key).get<std::string>(); }

    std::size_t scan(std::string_view prefix) override {
        std::size_t bytes = 0;
        for (const auto& [key, value] : relaxed_.prefix(prefix)) {
            bytes += prefix.size() + key.size() + value.get_ref<const std::string&>().size();
        }
        return bytes;
    }

    void settle() override {}

   private:
    Store relaxed_;
};

}  // namespace

std::unique_ptr<Database> open_polystore(const std::filesystem::path& path) { return std::make_unique<Engine>(path); }

std::unique_ptr<Database> open_store(const std::filesystem::path& path) { return std::make_unique<StoreOverLog>(path); }

}  // namespace polystore::bench
