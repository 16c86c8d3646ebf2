#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace polystore::bench {

/// What all of those that are compared can do. Each throws what fails. Any number of threads may use one at once.
class Database {
   public:
    Database() = default;
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;
    virtual ~Database() = default;

    virtual void put(std::string_view key, std::string_view value) = 0;

    /// Returns when a power failure cannot undo it any more.
    virtual void put_synced(std::string_view key, std::string_view value) = 0;

    /// Into `value`. Throws if there is none.
    virtual void get(std::string_view key, std::string& value) = 0;

    /// Goes through the entries whose key begins with `prefix`; gives the bytes of keys and values, all of which it
    /// saw.
    virtual std::size_t scan(std::string_view prefix) = 0;

    /// Brings what is stored into the order in which it is read best.
    virtual void settle() = 0;
};

// Open what is at `path`, or make it. The peers get a cache that holds everything, which they do not have by
// themselves; the rest is as they come.
std::unique_ptr<Database> open_polystore(const std::filesystem::path& path);
std::unique_ptr<Database> open_store(const std::filesystem::path& path);
std::unique_ptr<Database> open_leveldb(const std::filesystem::path& path);
std::unique_ptr<Database> open_rocksdb(const std::filesystem::path& path);

}  // namespace polystore::bench
