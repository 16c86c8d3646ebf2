// Kills processes while they write, and checks the data that they leave.

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "polystore/clients/file.hpp"
#include "polystore/clients/folder.hpp"
#include "polystore/clients/log.hpp"
#include "polystore/store.hpp"
#include "support/catch.hpp"
#include "support/system_faults.hpp"
#include "support/temporary_folder.hpp"

using namespace polystore;
using namespace polystore::testing;

namespace {

using Open = std::function<std::shared_ptr<Client>()>;

/// A process that sets "<name>0", "<name>1" and so on, and acknowledges each.
class Writer {
   public:
    /// With `pauses`, the process pauses before the second set until `go_on`.
    Writer(const Open& open, const std::string& name, int count, bool pauses = false) {
        if (pipe(ends_.data()) != 0) std::abort();
        process_ = fork();
        if (process_ == 0) {
            write_all(open, name, count, pauses);
            _exit(0);
        }
        close(ends_[1]);
    }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;
    ~Writer() { close(ends_[0]); }

    void kill() const { ::kill(process_, SIGKILL); }

    /// Waits until the process pauses.
    void wait_until_paused() const {
        int status = 0;
        waitpid(process_, &status, WUNTRACED);
    }
    void go_on() const { ::kill(process_, SIGCONT); }

    /// Waits until the process has acknowledged `count` sets.
    void wait_for(int count) {
        while (acknowledged_ < count && hear()) continue;
    }

    /// Waits for the end of the process, and returns how many sets it had acknowledged by then.
    [[nodiscard]] int wait() {
        while (hear()) continue;
        waitpid(process_, nullptr, 0);
        return acknowledged_;
    }

   private:
    bool hear() {
        char byte = 0;
        if (read(ends_[0], &byte, 1) != 1) return false;
        ++acknowledged_;
        return true;
    }

    void write_all(const Open& open, const std::string& name, int count, bool pauses) const {
        try {
            const Store store(open());
            for (int i = 0; i < count; ++i) {
                if (pauses && i == 1) raise(SIGSTOP);
                store.set(name + std::to_string(i), value_of(i));
                if (write(ends_[1], "x", 1) != 1) return;
            }
        } catch (const std::exception&) {
            return;  // The missing acknowledgements reveal this.
        }
    }

   public:
    /// Returns a value whose size differs from its neighbours', so that a half-written value is noticed.
    static Json value_of(int i) {
        return {{"i", i}, {"text", std::string(static_cast<std::size_t>(i * 37 % 3000), 'x')}};
    }

   private:
    std::array<int, 2> ends_{};
    pid_t process_ = 0;
    int acknowledged_ = 0;
};

void kill_writers(const Open& open, int rounds = 20) {
    std::mt19937 random(7);
    for (int round = 0; round < rounds; ++round) {
        const std::string name = "r" + std::to_string(round) + ":";
        Writer writer(open, name, 1'000'000);
        writer.wait_for(static_cast<int>(random() % 20));
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 3000));
        writer.kill();
        const int acknowledged = writer.wait();

        const Store store = Store(open()).prefix(name);
        const auto all = store.all();
        CHECK((all.size() == static_cast<std::size_t>(acknowledged) ||
               all.size() == static_cast<std::size_t>(acknowledged) + 1));
        for (int i = 0; i < acknowledged; ++i) {
            const auto found = all.find(std::to_string(i));
            REQUIRE(found != all.end());
            REQUIRE(found->second == Writer::value_of(i));
        }
        store.clear();
    }
}

void write_at_once(const Open& open) {
    constexpr int kCount = 40;
    Writer one(open, "one:", kCount);
    Writer two(open, "two:", kCount);
    Writer three(open, "three:", kCount);
    // A reader during the writes only sees complete records.
    const Store store(open());
    for (int i = 0; i < 20; ++i) {
        for (const auto& [key, value] : store) CHECK(value == Writer::value_of(value.at("i")));
    }
    CHECK(one.wait() == kCount);
    CHECK(two.wait() == kCount);
    CHECK(three.wait() == kCount);
    CHECK(store.keys().size() == 3 * kCount);
}

}  // namespace

TEST_CASE("crash: a file holds every write that a killed process acknowledged, and is valid", "[crash]") {
    const TemporaryFolder folder;
    kill_writers([&] { return file(folder / "a.json"); });
}

TEST_CASE("crash: a folder holds every write that a killed process acknowledged, and is valid", "[crash]") {
    const TemporaryFolder folder;
    kill_writers([&] { return polystore::folder(folder.path()); });
}

TEST_CASE("crash: a log holds every write that a killed process acknowledged, and is valid", "[crash]") {
    const TemporaryFolder folder;
    kill_writers([&] { return log(folder / "data.kv"); }, 200);
}

TEST_CASE("crash: of a batch in a file that is killed, at whichever call, all is made or nothing", "[crash]") {
    const std::map<std::string, Json> before = {{"changed", 1}, {"kept", 0}, {"removed", "soon"}};
    const std::map<std::string, Json> after = {{"added", std::string(1000, 'x')}, {"changed", 2}, {"kept", 0}};
    const std::vector<Write> writes = {Write::set("changed", 2), Write::del("removed"),
                                       Write::set("added", after.at("added"))};
    int unmade = 0;
    bool is_whole = false;
    for (int at = 1; !is_whole; ++at) {
        CAPTURE(at);
        const TemporaryFolder folder;
        const Store store(file(folder / "a.json"));
        for (const auto& [key, value] : before) store.set(key, value);
        const pid_t process = fork();
        if (process == 0) {
            const SystemFaults faults({.kill_at = at});
            _exit(Store(file(folder / "a.json")).batch(writes) ? 0 : 1);
        }
        int status = 0;
        waitpid(process, &status, 0);
        is_whole = WIFEXITED(status) && WEXITSTATUS(status) == 0;
        REQUIRE((is_whole || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)));
        const bool is_made = is_whole || store.has("added");
        CHECK(store.all() == (is_made ? after : before));
        if (!is_made) ++unmade;
        Store(file(folder / "a.json"))
            .set("next", 1);  // The lock of the killed process keeps nobody out, and what it left is removed.
        const std::vector<std::string> names = folder.names();
        CHECK(std::all_of(names.begin(), names.end(),
                          [](const std::string& name) { return name == "a.json" || name.ends_with(".new"); }));
    }
    CHECK(unmade > 3);
}

TEST_CASE("crash: a process that was stopped until another took its log writes nothing more to it", "[crash]") {
    const TemporaryFolder folder;
    const Durability durability = GENERATE(Durability::strict, Durability::relaxed);
    const Open open = [&] { return log(folder / "data.kv", {.durability = durability}); };
    Writer writer(open, "old:", 2, true);
    writer.wait_for(1);
    writer.wait_until_paused();
    // The lock of a process in another container that was silent for two minutes.
    const std::vector<std::string> names = folder.names();
    const auto lock = folder / *std::find_if(names.begin(), names.end(), [](const std::string& name) {
                          return name.find(".lock-") != std::string::npos;
                      });
    put(lock, R"({"machine":"another","pid":1,"since":"1"})");
    std::filesystem::last_write_time(lock, std::filesystem::file_time_type::clock::now() - std::chrono::minutes(2));
    {
        const Store store(open());
        store.set("new", 1);
        std::this_thread::sleep_for(std::chrono::milliseconds(110));  // A process checks its lock every 100 ms at most.
        writer.go_on();
        CHECK(writer.wait() == 1);
        store.set("newer", 2);
    }
    CHECK(Store(open()).keys() == std::vector<std::string>{"new", "newer", "old:0"});
}

TEST_CASE("crash: processes that write one file at once lose nothing", "[crash]") {
    const TemporaryFolder folder;
    write_at_once([&] { return file(folder / "a.json"); });
}

TEST_CASE("crash: processes that write one folder at once lose nothing", "[crash]") {
    const TemporaryFolder folder;
    write_at_once([&] { return polystore::folder(folder.path()); });
}
