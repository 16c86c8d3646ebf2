#include "polystore/engine/shared_engine.hpp"

#include <atomic>
#include <functional>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "polystore/engine/posix_env.hpp"
#include "support/catch.hpp"
#include "support/engine.hpp"
#include "support/fault_env.hpp"
#include "support/manual_timer.hpp"
#include "support/on_threads.hpp"
#include "support/temporary_folder.hpp"

using namespace polystore::engine;
using namespace polystore::testing;
using std::chrono::hours;
using std::chrono::milliseconds;

TEST_CASE("shared engine: a cursor gives no more than 1 MB at a time, and the value that passes it", "[engine]") {
    const TemporaryFolder folder;
    const std::string path = (folder / "data.kv").string();
    const auto shared = std::make_shared<SharedEngine>(opened(posix_env(), path), SharedOptions{Durability::relaxed});
    constexpr std::size_t kLength = 300'000;
    for (int i = 0; i < 10; ++i) got(shared->apply({set(std::to_string(i), std::string(kLength, 'v'))}));
    const auto cursor = shared->scan({});
    std::vector<std::size_t> lengths;
    for (auto page = got(cursor->next(512)); !page.empty(); page = got(cursor->next(512))) {
        lengths.push_back(page.size());
    }
    CHECK(lengths == std::vector<std::size_t>{4, 4, 2});
    got(shared->close());
}

TEST_CASE("shared engine: sixteen writers, a scanner and compaction at once", "[engine]") {
    const TemporaryFolder folder;
    const std::string path = (folder / "data.kv").string();
    constexpr int kRounds = 60;
    {
        const auto durability = GENERATE(Durability::strict, Durability::relaxed);
        const auto shared = std::make_shared<SharedEngine>(opened(posix_env(), path), SharedOptions{durability});
        std::atomic<int> wrong = 0;
        on_threads(17, [&](int thread) {
            for (int i = 0; i < kRounds; ++i) {
                if (thread == 16) {
                    // Batches are atomic: the two keys of each thread are always equal.
                    std::map<std::string, std::string> seen;
                    const auto cursor = shared->scan({});
                    for (auto page = got(cursor->next(7)); !page.empty(); page = got(cursor->next(7))) {
                        for (const auto& entry : page) seen[std::string(entry.key)] = entry.value;
                    }
                    for (const auto& [key, value] : seen) {
                        if (key[0] == 'x' && seen["y" + key.substr(1)] != value) ++wrong;
                    }
                    continue;
                }
                const std::string value = std::to_string(i) + std::string(20'000, 'v');
                const std::string name = std::to_string(thread);
                if (!shared->apply({set("x" + name, value), set("y" + name, value)}).ok()) ++wrong;
                if (durability == Durability::strict && !shared->flush().ok()) ++wrong;
                if (stored_at(*shared, "x" + name)->value != value) ++wrong;
            }
        });
        CHECK(wrong == 0);
        got(shared->close());
    }
    CHECK(ends_with_mark(text_of(path)));
    const auto engine = opened(posix_env(), path);
    CHECK(engine->size() == 32);
    for (const auto& [key, value] : contents(*engine))
        CHECK(value == std::to_string(kRounds - 1) + std::string(20'000, 'v'));
}

namespace {

/// Calls a function before each sync with the file's number, which is 1 for the first file that was created or opened.
class WatchedEnv : public Env {
   public:
    using Watcher = std::function<void(int file)>;

    explicit WatchedEnv(Watcher watcher) : watcher_(std::move(watcher)) {}
    Result<std::shared_ptr<File>> open(const std::string& path) override { return watched(posix_env().open(path)); }
    Result<std::shared_ptr<File>> create(const std::string& path) override { return watched(posix_env().create(path)); }
    Status replace(const std::string& from, const std::string& to) override { return posix_env().replace(from, to); }
    Result<std::uint64_t> room(const std::string& path) override { return posix_env().room(path); }
    Status remove(const std::string& path) override { return posix_env().remove(path); }
    Result<std::unique_ptr<Lock>> lock(const std::string& path) override { return posix_env().lock(path); }

   private:
    class WatchedFile : public File {
       public:
        WatchedFile(std::shared_ptr<File> file, int number, const Watcher& watcher)
            : file_(std::move(file)), number_(number), watcher_(watcher) {}
        Result<std::uint64_t> size() override { return file_->size(); }
        Result<std::string_view> read(std::uint64_t offset, std::size_t length, std::string& buffer) override {
            return file_->read(offset, length, buffer);
        }
        Status write(std::uint64_t offset, std::string_view bytes) override { return file_->write(offset, bytes); }
        Status truncate(std::uint64_t size) override { return file_->truncate(size); }
        Status sync() override {
            watcher_(number_);
            return file_->sync();
        }

       private:
        std::shared_ptr<File> file_;
        int number_;
        const Watcher& watcher_;
    };

    Result<std::shared_ptr<File>> watched(Result<std::shared_ptr<File>> file) {
        if (!file.ok() || !*file) return file;
        return std::shared_ptr<File>(std::make_shared<WatchedFile>(std::move(*file), ++files_, watcher_));
    }

    const Watcher watcher_;
    int files_ = 0;
};

}  // namespace

TEST_CASE("shared engine: a flush returns after a sync that began after the write", "[engine]") {
    const TemporaryFolder folder;
    std::atomic<int> syncs = 0;
    WatchedEnv env([&](int) { ++syncs; });
    const auto shared =
        std::make_shared<SharedEngine>(opened(env, (folder / "data.kv").string()), SharedOptions{Durability::strict});
    std::atomic<int> early = 0;
    on_threads(16, [&](int thread) {
        for (int i = 0; i < 20; ++i) {
            const int before = syncs;
            got(shared->apply({set(std::to_string(thread), std::to_string(i))}));
            got(shared->flush());
            if (syncs == before) ++early;
        }
    });
    CHECK(early == 0);
}

TEST_CASE("shared engine: writers that come during a sync share the next one", "[engine]") {
    const TemporaryFolder folder;
    constexpr int kWriters = 16;
    std::atomic<bool> is_open = false;
    std::atomic<int> syncs = 0;
    std::atomic<int> applied = 0;
    WatchedEnv env([&](int) {
        // The first sync lasts until all others have written.
        if (is_open && ++syncs == 1) {
            while (applied < kWriters) std::this_thread::yield();
        }
    });
    std::unique_ptr<Engine> engine = opened(env, (folder / "data.kv").string());
    is_open = true;
    const auto shared = std::make_shared<SharedEngine>(std::move(engine), SharedOptions{Durability::strict});
    on_threads(kWriters, [&](int thread) {
        while (thread != 0 && syncs == 0) std::this_thread::yield();
        got(shared->apply({set(std::to_string(thread), "v")}));
        ++applied;
        got(shared->flush());
    });
    CHECK(syncs == 2);
}

TEST_CASE("shared engine: relaxed flushes on close, and strict has nothing left to flush", "[engine]") {
    FaultEnv env;
    auto shared = std::make_shared<SharedEngine>(opened(env), SharedOptions{Durability::relaxed});
    got(shared->apply({set("a", "1")}));
    const auto cursor = shared->scan({});
    got(shared->close());
    CHECK(got(cursor->next(9)).size() == 1);
    env.crash();
    auto engine = opened(env);
    CHECK(engine->size() == 1);
    shared = std::make_shared<SharedEngine>(std::move(engine), SharedOptions{Durability::strict});
    got(shared->apply({set("b", "2")}));
    got(shared->flush());
    const int before = env.syncs();
    got(shared->close());
    CHECK(env.syncs() == before);
}

namespace {

/// An engine that uses the time of a test.
struct Timed {
    explicit Timed(const SharedOptions& options) : shared(std::make_shared<SharedEngine>(opened(env), options)) {}

    std::size_t count() {
        const auto cursor = shared->scan({});
        return got(cursor->next(1000)).size();
    }

    FaultEnv env;
    std::shared_ptr<SharedEngine> shared;
};

}  // namespace

TEST_CASE("shared engine: relaxed flushes exactly one second after the first change", "[engine]") {
    ManualTimer timer;
    Timed timed({Durability::relaxed, false, timer});
    timer.await_sleep(hours(1));
    got(timed.shared->apply({set("a", "1")}));
    timer.await_sleep(milliseconds(1000));
    const int before = timed.env.syncs();
    timer.advance(milliseconds(400));
    timer.await_sleep(milliseconds(600));
    got(timed.shared->apply({set("b", "2")}));  // This change does not wait for a second of its own.
    timer.advance(milliseconds(599));
    timer.await_sleep(milliseconds(1));
    CHECK(timed.env.syncs() == before);
    timer.advance(milliseconds(1));
    timer.await_sleep(hours(1));
    CHECK(timed.env.syncs() == before + 1);
    got(timed.shared->apply({set("c", "3")}));
    timer.await_sleep(milliseconds(1000));
    got(timed.shared->close());
}

TEST_CASE("shared engine: the failure of a flush is reported by the next write", "[engine]") {
    ManualTimer timer;
    Timed timed({Durability::relaxed, false, timer});
    timer.await_sleep(hours(1));
    got(timed.shared->apply({set("a", "1")}));
    timer.await_sleep(milliseconds(1000));
    timed.env.fail_after(0);
    timer.advance(milliseconds(1000));
    timer.await_sleep(milliseconds(1000));
    CHECK(timed.env.has_failed());
    CHECK_THAT(failure_in(timed.shared->apply({set("b", "2")})), Catch::StartsWith("ERR_CLIENT: Injected: sync."));
}

namespace {

/// Fills a log of several megabytes that wants compaction.
void fill(SharedEngine& shared) {
    const std::string value(100'000, 'v');
    for (int i = 0; i < 100; ++i) got(shared.apply({set(std::to_string(i % 40), value)}));
}

}  // namespace

TEST_CASE("shared engine: while the new log of a compaction is synced, other threads read and append", "[engine]") {
    const TemporaryFolder folder;
    std::promise<void> begun;
    std::promise<void> goes_on;
    std::atomic<int> syncs_of_new = 0;
    WatchedEnv env([&](int file) {
        if (file != 2 || ++syncs_of_new != 1) return;
        begun.set_value();
        goes_on.get_future().wait();
    });
    const std::string path = (folder / "data.kv").string();
    const auto shared = std::make_shared<SharedEngine>(opened(env, path), SharedOptions{Durability::strict});
    fill(*shared);
    got(shared->apply({set("0", "0")}));
    begun.get_future().wait();
    CHECK(stored_at(*shared, "0")->value == "0");
    got(shared->apply({set("1", "1")}));
    CHECK(stored_at(*shared, "1")->value == "1");
    CHECK(got(shared->scan({})->next(9)).size() == 9);
    goes_on.set_value();
    got(shared->flush());
    while (std::filesystem::exists(path + ".new")) std::this_thread::yield();
    got(shared->close());
    CHECK(syncs_of_new > 3);  // The new log is synced in parts of one megabyte.
    const auto engine = opened(posix_env(), path);
    CHECK(engine->size() == 40);
    CHECK(stored_at(*engine, "1")->value == "1");
    CHECK(std::filesystem::file_size(path) < 9'000'000);
}

TEST_CASE("shared engine: a due flush comes before the next part of a compaction", "[engine]") {
    const TemporaryFolder folder;
    ManualTimer timer;
    std::vector<int> order;
    std::promise<void> begun;
    std::promise<void> goes_on;
    WatchedEnv env([&](int file) {
        order.push_back(file);
        if (file != 2 || order.size() != 2) return;
        begun.set_value();
        goes_on.get_future().wait();
    });
    const auto shared = std::make_shared<SharedEngine>(opened(env, (folder / "data.kv").string()),
                                                       SharedOptions{Durability::relaxed, false, timer});
    fill(*shared);
    begun.get_future().wait();
    timer.pass(milliseconds(1000));
    goes_on.set_value();
    timer.await_sleep(hours(1));
    got(shared->close());
    REQUIRE(order.size() > 4);
    CHECK(order[0] == 1);  // The sync after the file was created.
    CHECK(order[1] == 2);
    CHECK(order[2] == 1);
    CHECK(order[3] == 2);
}

TEST_CASE("shared engine: only expired records are removed without a call", "[engine]") {
    ManualTimer timer;
    Timed timed({Durability::strict, true, timer});
    timer.await_sleep(hours(1));
    got(timed.shared->apply({set("never", "0"), set("late", "1", 50'000'000), set("a", "2", 5000)}));
    timer.await_sleep(milliseconds(5000));
    got(timed.shared->apply({set("b", "3", 3000), set("c", "4", 3400)}));
    timer.await_sleep(milliseconds(3000));
    timer.advance(milliseconds(2999));
    timer.await_sleep(milliseconds(1));
    CHECK(timed.count() == 5);
    timer.advance(milliseconds(1));
    // Records that expire within the next second are removed together.
    timer.await_sleep(milliseconds(1000));
    CHECK(timed.count() == 4);
    CHECK_FALSE(stored_at(*timed.shared, "b"));
    timer.advance(milliseconds(1000));
    timer.await_sleep(milliseconds(1000));
    CHECK(timed.count() == 3);
    timer.advance(milliseconds(1000));
    timer.await_sleep(hours(1));  // The system's clock might be set.
    CHECK(timed.count() == 2);
}

TEST_CASE("shared engine: many expired records are removed in several steps", "[engine]") {
    ManualTimer timer;
    Timed timed({Durability::relaxed, true, timer});
    timer.await_sleep(hours(1));
    std::vector<Change> batch;
    for (int i = 0; i < 1500; ++i) batch.push_back(set(std::to_string(i), "v", 500));
    got(timed.shared->apply(batch));
    timer.await_sleep(milliseconds(500));
    timer.advance(milliseconds(500));
    timer.await_sleep(milliseconds(500));  // The thread sleeps until the flush.
    CHECK(timed.count() == 0);
}

TEST_CASE("shared engine: a failed eviction is not retried at once", "[engine]") {
    ManualTimer timer;
    Timed timed({Durability::strict, true, timer});
    timer.await_sleep(hours(1));
    got(timed.shared->apply({set("a", "1", 10)}));
    timer.await_sleep(milliseconds(10));
    timed.env.fail_after(0);
    timer.advance(milliseconds(10));
    timer.await_sleep(hours(1));
    CHECK(timed.count() == 1);
    timer.advance(hours(1));
    timer.await_sleep(hours(1));
    CHECK(timed.count() == 0);
}
