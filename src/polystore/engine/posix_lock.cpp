#include "polystore/engine/posix_lock.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <sstream>
#include <string_view>
#include <thread>

#include "polystore/clients/posix_file.hpp"
#include "polystore/clients/process_identity.hpp"
#include "polystore/engine/process.hpp"

namespace polystore::engine {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using namespace std::chrono_literals;

/// How often a holder renews its lock, and how long it may be silent before others take it for gone.
constexpr auto kBeat = 10s;
constexpr auto kSilence = 60s;
/// How long a holder writes without looking whether the lock is still its own: to look takes as long as a write.
constexpr auto kUnseen = 100ms;
/// Two that ask at the same moment see each other and both withdraw; they ask again after a pause.
constexpr int kAttempts = 10;
constexpr unsigned kLongestPause = 20;  // Milliseconds.
/// What the name of a lock ends with until it says whose it is: it is none yet, and, of a process that was killed,
/// never.
constexpr std::string_view kUnfinished = ".new";

std::string text_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string ourselves() {
    const std::optional<std::string> since = beginning_of(getpid());
    return json{{"machine", this_machine()}, {"pid", getpid()}, {"since", since ? json(*since) : json()}}.dump();
}

/// Whether the process runs that a lock names; nothing where nobody can know.
std::optional<bool> is_alive(const json& holder) {
    if (!holder.is_object() || holder.value("machine", "") != this_machine()) return std::nullopt;
    const json pid = holder.value("pid", json());
    if (!pid.is_number_integer()) return std::nullopt;
    const json since = holder.value("since", json());
    // JavaScript names its thread, too, for a worker may end, and its process go on.
    const json thread = holder.value("thread", json());
    return is_running(pid.get<pid_t>(), since.is_string() ? std::optional(since.get<std::string>()) : std::nullopt,
                      thread.is_number_integer() ? std::optional(thread.get<pid_t>()) : std::nullopt);
}

std::string token() {
    std::random_device random;
    std::ostringstream text;
    for (int i = 0; i < 4; ++i) text << std::hex << random();
    return text.str();
}

class PosixLock : public Lock {
   public:
    PosixLock(std::string path, SteadyNow now) : path_(std::move(path)), now_(std::move(now)), seen_(now_()) {
        beat_ = std::thread([this] { renew(); });
    }
    PosixLock(const PosixLock&) = delete;
    PosixLock& operator=(const PosixLock&) = delete;
    ~PosixLock() override {
        if (process_ != this_process()) {
            keep(std::move(beat_));  // There is no thread here to wait for.
            return;
        }
        {
            const std::scoped_lock hold(mutex_);
            stopped_ = true;
        }
        wake_.notify_one();
        beat_.join();
        unlink(path_.c_str());
    }

    Status check() override {
        if (process_ != this_process()) {
            return Failure{ErrorCode::client, "This process was forked by the one that has the log " +
                                                  path_.substr(0, path_.rfind(".lock-")) +
                                                  ". Close the store here, and open it when that has closed it."};
        }
        const auto now = now_();
        if (now - seen_.load() < kUnseen) return Done{};
        if (posix::is_there(path_)) {
            seen_ = now;
            return Done{};
        }
        return Failure{ErrorCode::client,
                       "This process was stopped for so long, or the clock set so far, that another "
                       "took the log " +
                           path_.substr(0, path_.rfind(".lock-")) + ". Close the store and open it again."};
    }

    /// What another lock says whose process runs, of those whose names begin with `prefix`; nothing if there is none.
    /// Throws `Error` where the folder cannot be looked through: unseen, a lock would be none.
    [[nodiscard]] std::optional<std::string> other(const std::string& prefix) const {
        const fs::path own = fs::absolute(path_);
        for (const std::string& name : posix::names_in(own.parent_path())) {
            if (!name.starts_with(prefix) || name == own.filename().string()) continue;
            const fs::path path = own.parent_path() / name;
            if (name.ends_with(kUnfinished)) {
                if (!is_renewed(path.string())) unlink(path.c_str());
                continue;
            }
            const std::string text = text_of(path);
            if (is_alive(json::parse(text, nullptr, false)).value_or(is_renewed(path.string()))) return text;
            unlink(path.c_str());
        }
        return std::nullopt;
    }

   private:
    void renew() {
        std::unique_lock hold(mutex_);
        while (!wake_.wait_for(hold, kBeat, [&] { return stopped_; })) {
            // Whose file was taken away finds out at the next check.
            utimensat(AT_FDCWD, path_.c_str(), nullptr, 0);
        }
    }

    /// By the clock of the disk, for those of two machines may differ.
    [[nodiscard]] bool is_renewed(const std::string& path) const {
        struct stat other {};
        struct stat own {};
        if (stat(path.c_str(), &other) != 0 || stat(path_.c_str(), &own) != 0) return false;
        return own.st_mtime - other.st_mtime < kSilence.count();
    }

    std::string path_;
    SteadyNow now_;
    std::atomic<std::chrono::steady_clock::time_point> seen_;
    const unsigned process_ = this_process();
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopped_ = false;
    std::thread beat_;  // Not a jthread, which libc++ 19 has only if asked for.
};

void write_holder(const posix::OpenFile& file) {
    try {
        file.write_all(ourselves());
    } catch (const Error& error) {
        // A full disk has room for a name still, and where the text is missing others go by the age of the file.
        if (error.code() != ErrorCode::quota) throw;
    }
}

std::unique_ptr<PosixLock> ask(const std::string& path, const SteadyNow& now) {
    const std::string unfinished = path + std::string(kUnfinished);
    auto lock = std::make_unique<PosixLock>(path, now);
    const posix::OpenFile file(unfinished, O_WRONLY | O_CREAT | O_EXCL);
    try {
        write_holder(file);
        posix::rename_file(unfinished, path);
    } catch (const Error&) {
        unlink(unfinished.c_str());
        throw;
    }
    return lock;
}

/// The process that a lock names, as a message says it.
std::string show_holder(const std::string& text) {
    if (text.empty()) return "a process that had no room to say which it is";
    const json holder = json::parse(text, nullptr, false);
    const bool known = holder.is_object();
    const std::string pid = known ? holder.value("pid", json("unknown")).dump() : "unknown";
    const std::string where = known ? holder.value("machine", "another machine") : "another machine";
    return "process " + pid + " of " + where.substr(0, where.find(' '));
}

Failure held_failure(const std::string& path, const std::string& text) {
    const std::string open =
        "The log " + fs::path(path).replace_extension().string() + " is open already, in " + show_holder(text) + ". ";
    if (is_alive(json::parse(text, nullptr, false))) {
        return {ErrorCode::client, open + "One at a time may have it: close it there first."};
    }
    return {ErrorCode::client, open +
                                   "Whether that still runs cannot be known from here, for example when its container "
                                   "was started again: if it has ended, wait a minute, or remove " +
                                   path + "-*, and open the log again."};
}

}  // namespace

Result<std::unique_ptr<Lock>> take_posix_lock(const std::string& path, const SteadyNow& now) {
    std::minstd_rand random(std::random_device{}());
    for (int attempt = 1;; ++attempt) {
        try {
            std::unique_ptr<PosixLock> lock = ask(path + "-" + token(), now);
            const std::optional<std::string> holder = lock->other(fs::path(path).filename().string() + "-");
            if (!holder) return std::unique_ptr<Lock>(std::move(lock));
            if (attempt == kAttempts) return held_failure(path, *holder);
        } catch (const Error& error) {
            return Failure{error.code(), error.what()};
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(random() % kLongestPause));
    }
}

}  // namespace polystore::engine
