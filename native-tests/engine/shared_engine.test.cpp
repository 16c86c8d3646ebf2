#include "polystore/engine/shared_engine.hpp"

#include <atomic>
#include <mutex>
#include <string>
#include <thread>

#include "polystore/engine/posix_env.hpp"
#include "support/catch.hpp"
#include "support/engine.hpp"
#include "support/fault_env.hpp"
#include "support/manual_timer.hpp"
#include "support/on_threads.hpp"
#include "support/temporary_folder.hpp"

using namespace polystore::engine;
using namespace polystore::testing;

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
                    // Batches are seen whole: each thread's two keys are always equal.
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

/// Counts the syncs of the log, and can hold one up.
class SlowFile : public File {
   public:
    SlowFile(std::shared_ptr<File> file, std::atomic<int>& syncs) : file_(std::move(file)), syncs_(syncs) {}
    Result<std::uint64_t> size() override { return file_->size(); }
    Result<std::string_view> read(std::uint64_t offset, std::size_t length, std::string& buffer) override {
        return file_->read(offset, length, buffer);
    }
    Status write(std::uint64_t offset, std::string_view bytes) override { return file_->write(offset, bytes); }
    Status truncate(std::uint64_t size) override { return file_->truncate(size); }
    Status sync() override {
        ++syncs_;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        return file_->sync();
    }

   private:
    std::shared_ptr<File> file_;
    std::atomic<int>& syncs_;
};

class SlowEnv : public Env {
   public:
    Result<std::shared_ptr<File>> open(const std::string& path) override { return slow(posix_env().open(path)); }
    Result<std::shared_ptr<File>> create(const std::string& path) override { return slow(posix_env().create(path)); }
    Status replace(const std::string& from, const std::string& to) override { return posix_env().replace(from, to); }
    Result<std::uint64_t> room(const std::string& path) override { return posix_env().room(path); }
    Status remove(const std::string& path) override { return posix_env().remove(path); }
    Result<std::unique_ptr<Lock>> lock(const std::string& path) override { return posix_env().lock(path); }

    std::atomic<int> syncs = 0;

   private:
    Result<std::shared_ptr<File>> slow(Result<std::shared_ptr<File>> file) {
        if (!file.ok() || !*file) return file;
        return std::shared_ptr<File>(std::make_shared<SlowFile>(std::move(*file), syncs));
    }
};

}  // namespace

TEST_CASE("shared engine: writers that wait share a flush, and none returns before it", "[engine]") {
    const TemporaryFolder folder;
    SlowEnv env;
    const auto shared =
        std::make_shared<SharedEngine>(opened(env, (folder / "data.kv").string()), SharedOptions{Durability::strict});
    env.syncs = 0;
    std::atomic<int> early = 0;
    on_threads(16, [&](int thread) {
        for (int i = 0; i < 20; ++i) {
            const int before = env.syncs;
            got(shared->apply({set(std::to_string(thread), std::to_string(i))}));
            got(shared->flush());
            if (env.syncs == before) ++early;  // A sync began after the write, in every case.
        }
    });
    CHECK(early == 0);
    CHECK(env.syncs < 320 / 2);
    CHECK(env.syncs >= 20);
}

TEST_CASE("shared engine: relaxed flushes on close, strict has nothing left to flush", "[engine]") {
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

using std::chrono::hours;
using std::chrono::milliseconds;

/// An engine on the time of a test.
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

TEST_CASE("shared engine: relaxed is flushed a second after the first change, not earlier and not later", "[engine]") {
    ManualTimer timer;
    Timed timed({Durability::relaxed, false, timer});
    timer.await_sleep(hours(1));
    got(timed.shared->apply({set("a", "1")}));
    timer.await_sleep(milliseconds(1000));
    const int before = timed.env.syncs();
    timer.advance(milliseconds(400));
    timer.await_sleep(milliseconds(600));
    got(timed.shared->apply({set("b", "2")}));  // Waits for no second of its own.
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

TEST_CASE("shared engine: a flush that failed is not forgotten", "[engine]") {
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

TEST_CASE("shared engine: what has expired goes without a call, and nothing else", "[engine]") {
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
    // What expires within the next second goes together.
    timer.await_sleep(milliseconds(1000));
    CHECK(timed.count() == 4);
    CHECK_FALSE(stored_at(*timed.shared, "b"));
    timer.advance(milliseconds(1000));
    timer.await_sleep(milliseconds(1000));
    CHECK(timed.count() == 3);
    timer.advance(milliseconds(1000));
    timer.await_sleep(hours(1));  // The clock might be set.
    CHECK(timed.count() == 2);
}

TEST_CASE("shared engine: more that has expired than goes in one step goes in several", "[engine]") {
    ManualTimer timer;
    Timed timed({Durability::relaxed, true, timer});
    timer.await_sleep(hours(1));
    std::vector<Change> batch;
    for (int i = 0; i < 1500; ++i) batch.push_back(set(std::to_string(i), "v", 500));
    got(timed.shared->apply(batch));
    timer.await_sleep(milliseconds(500));
    timer.advance(milliseconds(500));
    timer.await_sleep(milliseconds(500));  // For the flush.
    CHECK(timed.count() == 0);
}

TEST_CASE("shared engine: an eviction that fails is not tried again at once", "[engine]") {
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
