#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "polystore/durability.hpp"
#include "polystore/engine/engine.hpp"
#include "polystore/engine/timer.hpp"

namespace polystore::engine {

struct SharedEntry {
    std::string_view key;
    std::string_view value;
    std::int64_t expires;
};

struct SharedOptions {
    /// If relaxed, what was changed is flushed within a second; if strict, whoever changes it flushes.
    Durability durability = Durability::relaxed;
    /// Whether what has expired, by `timer`, is removed without a call.
    bool evicts = false;
    Timer& timer = system_timer();
};

/// An engine for many threads, which share the flushes: one of those that wait syncs the file for all. A thread of its
/// own flushes what is relaxed, evicts, and compacts.
class SharedEngine : public std::enable_shared_from_this<SharedEngine> {
   public:
    /// A scan of the engine, which gives its entries some at a time.
    class Cursor;

    SharedEngine(std::unique_ptr<Engine> engine, const SharedOptions& options);
    SharedEngine(const SharedEngine&) = delete;
    SharedEngine& operator=(const SharedEngine&) = delete;
    ~SharedEngine();

    // As the engine's. Not to be called after `close`.
    [[nodiscard]] Result<std::optional<std::int64_t>> get(std::string_view key, std::string& value);
    Status apply(const std::vector<Change>& batch);
    /// Removes the keys of a range that have expired by `now`, or none of them, and returns their number.
    Result<std::size_t> evict(std::int64_t now, const Range& range);
    /// Removes the keys of a range, or none of them, and returns their number.
    Result<std::size_t> clear(const Range& range);
    [[nodiscard]] std::unique_ptr<Cursor> scan(const Range& range);

    /// As the engine's. After `close`, what came of the flush there.
    Status flush();

    /// Flushes and lets go of the log. No call but `flush` may be under way; cursors may go on.
    Status close();

   private:
    using Hold = std::unique_lock<std::mutex>;
    using Milliseconds = std::chrono::milliseconds;

    void wake_worker();
    Result<std::size_t> remove(const std::vector<Change>& removals);
    Status flush_applied(Hold& hold);
    void await_writers(Hold& hold);
    void work();
    [[nodiscard]] Milliseconds until_flush();
    [[nodiscard]] Milliseconds until_eviction();
    void evict_some();
    void compact_some(Hold& hold);
    Status sync_new_log(Hold& hold, File& log);

    std::mutex mutex_;
    std::condition_variable flushed_;
    std::condition_variable gathered_;
    std::condition_variable work_;
    std::unique_ptr<Engine> engine_;
    const SharedOptions options_;
    bool flushing_ = false;
    bool compaction_waits_ = false;          ///< For its turn to sync. No flush begins before it had that.
    int waiting_ = 0;                        ///< How many calls of `flush` are under way.
    int uncovered_calls_ = 0;                ///< How many of them began after the last sync did.
    int writers_ = 0;                        ///< How many there were while it went on.
    std::chrono::nanoseconds sync_time_{0};  ///< Of the last one. Only who is `flushing_` looks at it.
    bool closing_ = false;
    Status closed_ = Done{};  ///< What came of closing.
    // What the worker goes by.
    std::optional<Milliseconds> flush_at_;  ///< When what is relaxed is flushed, if it waits for that.
    Milliseconds evict_from_{0};            ///< When it evicts again, at the earliest.
    std::int64_t awaited_expiry_ = kNoExpiry;
    std::thread worker_;
};

class SharedEngine::Cursor {
   public:
    Cursor(std::shared_ptr<SharedEngine> engine, Scan scan) : engine_(std::move(engine)), scan_(std::move(scan)) {}
    Cursor(const Cursor&) = delete;
    Cursor& operator=(const Cursor&) = delete;
    ~Cursor();

    /// The next entries, which are valid until the next call; none at the end. They are `limit` at most, and fewer
    /// where their keys and values have 1 MB together: the last of them may be of any length.
    [[nodiscard]] Result<std::span<const SharedEntry>> next(std::size_t limit);

   private:
    std::shared_ptr<SharedEngine> engine_;
    std::optional<Scan> scan_;
    std::vector<std::string> buffers_;  ///< Of values that are not in memory of the file.
    std::vector<SharedEntry> page_;
};

}  // namespace polystore::engine
