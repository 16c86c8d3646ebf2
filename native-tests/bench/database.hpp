#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace polystore::bench {

/// The common interface of the compared databases. Every method throws on failure. Several threads may use one at once.
class Database {
   public:
    Database() = default;
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;
    virtual ~Database() = default;

    virtual void put(std::string_view key, std::string_view value) = 0;

    /// Returns once a power failure cannot undo the change.
    virtual void put_synced(std::string_view key, std::string_view value) = 0;

    /// Copies the value to `value`. Throws if the key does not exist.
    virtual void get(std::string_view key, std::string& value) = 0;

    /// Visits the entries whose keys begin with `prefix`, and returns the total bytes of their keys and values, all of
    /// which it read.
    virtual std::size_t scan(std::string_view prefix) = 0;

    /// Brings the stored entries into the order in which reading is fastest.
    virtual void settle() = 0;
};

// Opens the database at `path`, or creates it. The peers get a cache that holds everything, which is not their default.
// Their other options are the defaults.
std::unique_ptr<Database> open_polystore(const std::filesystem::path& path);
std::unique_ptr<Database> open_store(const std::filesystem::path& path);
std::unique_ptr<Database> open_leveldb(const std::filesystem::path& path);
std::unique_ptr<Database> open_rocksdb(const std::filesystem::path& path);

}  // namespace polystore::bench
