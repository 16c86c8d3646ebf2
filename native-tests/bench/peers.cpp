#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/table.h>

#include <stdexcept>

#include "bench/database.hpp"

namespace polystore::bench {
namespace {

constexpr std::size_t kCacheSize = std::size_t{256} << 20U;

template <typename Status>
void check(const Status& status) {
    if (!status.ok()) throw std::runtime_error("a peer: " + status.ToString());
}

void compact(leveldb::DB& database) { database.CompactRange(nullptr, nullptr); }

void compact(rocksdb::DB& database) { check(database.CompactRange({}, nullptr, nullptr)); }

/// LevelDB, or RocksDB, which began as LevelDB and still uses the same names.
template <typename Db, typename Slice, typename WriteOptions, typename Iterator>
class Peer : public Database {
   public:
    /// Keeps `cache` as long as the database.
    explicit Peer(Db* database, std::unique_ptr<leveldb::Cache> cache = nullptr)
        : cache_(std::move(cache)), database_(database) {}

    void put(std::string_view key, std::string_view value) override {
        check(database_->Put({}, slice(key), slice(value)));
    }

    void put_synced(std::string_view key, std::string_view value) override {
        WriteOptions options;
        options.sync = true;
        check(database_->Put(options, slice(key), slice(value)));
    }

    void get(std::string_view key, std::string& value) override { check(database_->Get({}, slice(key), &value)); }

    std::size_t scan(std::string_view prefix) override {
        std::size_t bytes = 0;
        const std::unique_ptr<Iterator> entries(database_->NewIterator({}));
        for (entries->Seek(slice(prefix)); entries->Valid() && entries->key().starts_with(slice(prefix));
             entries->Next()) {
            bytes += entries->key().size() + entries->value().size();
        }
        check(entries->status());
        return bytes;
    }

    void settle() override { compact(*database_); }

   private:
    static Slice slice(std::string_view text) { return {text.data(), text.size()}; }

    std::unique_ptr<leveldb::Cache> cache_;
    std::unique_ptr<Db> database_;
};

using LevelDb = Peer<leveldb::DB, leveldb::Slice, leveldb::WriteOptions, leveldb::Iterator>;
using RocksDb = Peer<rocksdb::DB, rocksdb::Slice, rocksdb::WriteOptions, rocksdb::Iterator>;

}  // namespace

std::unique_ptr<Database> open_leveldb(const std::filesystem::path& path) {
    std::unique_ptr<leveldb::Cache> cache(leveldb::NewLRUCache(kCacheSize));
    leveldb::Options options;
    options.create_if_missing = true;
    options.block_cache = cache.get();
    leveldb::DB* database = nullptr;
    check(leveldb::DB::Open(options, path.string(), &database));
    return std::make_unique<LevelDb>(database, std::move(cache));
}

std::unique_ptr<Database> open_rocksdb(const std::filesystem::path& path) {
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = rocksdb::NewLRUCache(kCacheSize);
    rocksdb::Options options;
    options.create_if_missing = true;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    rocksdb::DB* database = nullptr;
    check(rocksdb::DB::Open(options, path.string(), &database));
    return std::make_unique<RocksDb>(database);
}

}  // namespace polystore::bench
