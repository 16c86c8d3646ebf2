#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/table.h>

#include <stdexcept>

#include "bench/database.hpp"

namespace polystore::bench {
namespace {

void check(const rocksdb::Status& status) {
    if (!status.ok()) throw std::runtime_error("RocksDB: " + status.ToString());
}

rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }

class RocksDb : public Database {
   public:
    explicit RocksDb(const std::filesystem::path& path) {
        rocksdb::BlockBasedTableOptions table;
        table.block_cache = rocksdb::NewLRUCache(std::size_t{256} << 20U);
        rocksdb::Options options;
        options.create_if_missing = true;
        options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
        rocksdb::DB* database = nullptr;
        check(rocksdb::DB::Open(options, path.string(), &database));
        database_.reset(database);
    }

    void put(std::string_view key, std::string_view value) override {
        check(database_->Put({}, slice(key), slice(value)));
    }

    void put_synced(std::string_view key, std::string_view value) override {
        rocksdb::WriteOptions options;
        options.sync = true;
        check(database_->Put(options, slice(key), slice(value)));
    }

    void get(std::string_view key, std::string& value) override { check(database_->Get({}, slice(key), &value)); }

    std::size_t scan(std::string_view prefix) override {
        std::size_t bytes = 0;
        const std::unique_ptr<rocksdb::Iterator> entries(database_->NewIterator({}));
        for (entries->Seek(slice(prefix)); entries->Valid() && entries->key().starts_with(slice(prefix));
             entries->Next()) {
            bytes += entries->key().size() + entries->value().size();
        }
        check(entries->status());
        return bytes;
    }

    void settle() override { check(database_->CompactRange({}, nullptr, nullptr)); }

   private:
    std::unique_ptr<rocksdb::DB> database_;
};

}  // namespace

std::unique_ptr<Database> open_rocksdb(const std::filesystem::path& path) { return std::make_unique<RocksDb>(path); }

}  // namespace polystore::bench
