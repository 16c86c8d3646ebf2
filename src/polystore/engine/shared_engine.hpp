#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "polystore/engine/durability.hpp"
#include "polystore/engine/engine.hpp"

namespace polystore::engine {

struct SharedEntry {
    std::string key;
    Stored stored;
};

/// An engine for many threads, which share the flushes: one of those that wait syncs the file for all. A thread of its
/// own flushes what is relaxed, and compacts.
class SharedEngine : public std::enable_shared_from_this<SharedEngine> {
   public:
    /// A scan of the engine, which gives its entries some at a time.
    class Cursor;

    SharedEngine(std::unique_ptr<Engine> engine, Durability durability);
    SharedEngine(const SharedEngine&) = delete;
    SharedEngine& operator=(const SharedEngine&) = delete;
    ~SharedEngine();

    // As the engine's. Not to be called after `close`.
    [[nodiscard]] Result<std::optional<Stored>> get(std::string_view key);
    Status apply(const std::vector<Change>& batch);
    Result<std::size_t> evict(std::int64_t now, std::string_view prefix);
    Status clear(std::string_view prefix);
    Status flush();
    [[nodiscard]] std::unique_ptr<Cursor> scan(Range range);

    /// Flushes and lets go of the log. No call may be under way; cursors may go on.
    Status close();

   private:
    using Hold = std::unique_lock<std::mutex>;

    Status acknowledge(Hold& hold);
    Status flush_applied(Hold& hold);
    void work();

    std::mutex mutex_;
    std::condition_variable flushed_;
    std::condition_variable work_;
    std::unique_ptr<Engine> engine_;
    Durability durability_;
    bool flushing_ = false;
    bool closing_ = false;
    std::thread worker_;
};

class SharedEngine::Cursor {
   public:
    Cursor(std::shared_ptr<SharedEngine> engine, Scan scan) : engine_(std::move(engine)), scan_(std::move(scan)) {}
    Cursor(const Cursor&) = delete;
    Cursor& operator=(const Cursor&) = delete;
    ~Cursor();

    /// The next entries, `limit` at most; none at the end.
    [[nodiscard]] Result<std::vector<SharedEntry>> next(std::size_t limit);

   private:
    std::shared_ptr<SharedEngine> engine_;
    std::optional<Scan> scan_;
};

}  // namespace polystore::engine
