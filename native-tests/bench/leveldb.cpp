#include <leveldb/cache.h>
#include <leveldb/db.h>

#include <stdexcept>

#include "bench/database.hpp"

namespace polystore::bench {
namespace {

void check(const leveldb::Status& status) {
    if (!status.ok()) throw std::runtime_error("LevelDB: " + status.ToString());
}

leveldb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }

class LevelDb : public Database {
   public:
    explicit LevelDb(const std::filesystem::path& path) : cache_(leveldb::NewLRUCache(std::size_t{256} << 20U)) {
        leveldb::Options options;
        options.create_if_missing = true;
        options.block_cache = cache_.get();
        leveldb::DB* database = nullptr;
        check(leveldb::DB::Open(options, path.string(), &database));
        database_.reset(database);
    }

    void put(std::string_view key, std::string_view value) override {
        check(database_->Put({}, slice(key), slice(value)));
    }

    void put_synced(std::string_view key, std::string_view value) override {
        leveldb::WriteOptions options;
        options.sync = true;
        check(database_->Put(options, slice(key), slice(value)));
    }

    void get(std::string_view key, std::string& value) override { check(database_->Get({}, slice(key), &value)); }

    std::size_t scan(std::string_view prefix) override {
        std::size_t bytes = 0;
        const std::unique_ptr<leveldb::Iterator> entries(database_->NewIterator({}));
        for (entries->Seek(slice(prefix)); entries->Valid() && entries->key().starts_with(slice(prefix));
             entries->Next()) {
            bytes += entries->key().size() + entries->value().size();
        }
        check(entries->status());
        return bytes;
    }

    void settle() override { database_->CompactRange(nullptr, nullptr); }

   private:
    std::unique_ptr<leveldb::Cache> cache_;
    std::unique_ptr<leveldb::DB> database_;
};

}  // namespace

std::unique_ptr<Database> open_leveldb(const std::filesystem::path& path) { return std::make_unique<LevelDb>(path); }

}  // namespace polystore::bench
