#include "polystore/posix/token_lock.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <iomanip>
#include <map>
#include <random>
#include <sstream>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "polystore/posix/process_identity.hpp"
#include "polystore/support/random_id.hpp"

namespace polystore::posix {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using TimePoint = std::chrono::steady_clock::time_point;

// The numbers are those of js/disk/lock.js.

/// For how long a holder of `take` may be silent before others take its lock over.
constexpr auto kSilence = 60s;
/// The same for a holder of `wait`.
constexpr auto kWriteSilence = 10s;
/// How long `wait` waits for one holder.
constexpr auto kPatience = 20s;
/// Two processes that ask for a log at the same time may both be refused. They ask again after a random pause.
constexpr int kAttempts = 10;
constexpr milliseconds kMaxAttemptPause = 20ms;
/// How often a process renews its place in the queue.
constexpr auto kBeat = 2s;
/// How long a free lock is left to the first process of the queue.
constexpr auto kCourtesy = 100ms;
/// The pauses between two looks. The first process of the queue doubles its pause while it sees the same holder; the
/// others look the less often the longer the queue before them is.
constexpr milliseconds kMinPause = 1ms;
constexpr milliseconds kPauseInQueue = 4ms;
constexpr milliseconds kMaxPause = 20ms;
constexpr std::string_view kInfix = ".lock-";
constexpr std::string_view kUnwritten = ".new";
constexpr std::string_view kWaiting = ".wait";

/// The names of the lock files of other processes on a file, in the order of their tokens.
struct Found {
    std::vector<std::string> locks;
    std::vector<std::string> waiting;
    std::vector<std::string> unwritten;
};

/// The lock of another process that is running.
struct Holder {
    std::string name;
    std::string identity;
};

/// Returns whether a lock is renewed, about which nothing else can be determined.
using IsRenewed = std::function<bool(const std::string& name, const timespec& modified)>;

bool is_token(std::string_view text) {
    return text.size() >= 16 && text.size() <= 36 &&
           text.find_first_not_of("0123456789abcdef-") == std::string_view::npos;
}

bool take_suffix(std::string_view& text, std::string_view suffix) {
    if (!text.ends_with(suffix)) return false;
    text.remove_suffix(suffix.size());
    return true;
}

std::string make_token() {
    constexpr std::streamsize kTimeDigits = 11;  // They suffice until the year 2527.
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    std::ostringstream time;
    time << std::hex << std::setfill('0') << std::setw(kTimeDigits)
         << std::chrono::duration_cast<milliseconds>(now).count();
    return time.str() + make_random_digits(4);
}

Path folder_of(const Path& path) { return fixed_path(path).parent_path(); }

/// Lists the lock files on a file, except those with the token `own`.
/// @throws Error if the folder cannot be listed: a lock that is not seen must not count as absent.
Found find_locks(const Path& path, const std::string& own) {
    Found found;
    const std::string prefix = path.filename().string() + std::string(kInfix);
    for (std::string& name : names_in(folder_of(path), prefix)) {
        std::string_view token = std::string_view(name).substr(prefix.size());
        std::vector<std::string>& names = take_suffix(token, kUnwritten) ? found.unwritten
                                          : take_suffix(token, kWaiting) ? found.waiting
                                                                         : found.locks;
        if (is_token(token) && token != own) names.push_back(std::move(name));
    }
    std::sort(found.locks.begin(), found.locks.end());
    std::sort(found.waiting.begin(), found.waiting.end());
    return found;
}

timespec date_of(const struct stat& status) {
#ifdef __APPLE__
    return status.st_mtimespec;
#else
    return status.st_mtim;
#endif
}

/// Returns for how long a lock has been silent, by the clock of the disk: the clocks of two machines may differ.
std::chrono::seconds silence_of(const timespec& modified, const Path& own) {
    struct stat status {};
    if (stat(own.c_str(), &status) != 0) return kSilence;
    return std::chrono::seconds(status.st_mtime - modified.tv_sec);
}

/// Returns the first of these locks on a file whose process is running. Removes those before it: their processes have
/// ended.
std::optional<Holder> first_running(const Path& path, const std::vector<std::string>& names,
                                    const IsRenewed& is_renewed) {
    for (const std::string& name : names) {
        const Path file = folder_of(path) / name;
        struct stat status {};
        if (stat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
        std::optional<std::string> identity = read_file(file);
        if (!identity) continue;  // It was released or renamed since the folder was listed.
        const std::optional<bool> alive = is_alive(*identity);
        if (alive ? *alive : is_renewed(name, date_of(status))) return Holder{name, *std::move(identity)};
        unlink(file.c_str());
    }
    return std::nullopt;
}

/// Removes lock files that killed processes left before they wrote their identity.
void remove_unwritten(const Path& path, const std::vector<std::string>& names, const Path& own) {
    for (const std::string& name : names) {
        const Path file = folder_of(path) / name;
        struct stat status {};
        if (stat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
        if (silence_of(date_of(status), own) > kSilence) unlink(file.c_str());
    }
}

/// Decides for a process that looks again and again: a lock is renewed until its date has not changed for 10 s, by the
/// process's own clock.
class RenewalWatch {
   public:
    explicit RenewalWatch(const SteadyNow& now) : now_(now) {}

    bool operator()(const std::string& name, const timespec& modified) {
        const std::pair<std::time_t, long> date = {modified.tv_sec, modified.tv_nsec};
        const auto [seen, is_new] = seen_.try_emplace(name, Seen{date, now_()});
        if (!is_new && seen->second.date == date) return now_() - seen->second.since <= kWriteSilence;
        seen->second = {date, now_()};
        return true;
    }

   private:
    struct Seen {
        std::pair<std::time_t, long> date;
        TimePoint since;
    };

    const SteadyNow& now_;
    std::map<std::string, Seen> seen_;
};

/// Describes the holder of a lock, for a message.
std::string show_holder(const std::string& identity) {
    return identity.empty() ? "an unknown process (its lock file is empty)" : show_process(identity);
}

Error open_error(const Path& log, const std::string& holder) {
    const std::string advice =
        is_alive(holder) ? "Only one process can open a log: close it there first."
                         : "It cannot be determined whether that process is still running, for example because its "
                           "container was restarted. If it has ended, wait a minute, or remove " +
                               log.string() + std::string(kInfix) + "*, and open the log again.";
    return {ErrorCode::client,
            "The log " + log.string() + " is already open in " + show_holder(holder) + ". " + advice};
}

Error held_error(const Path& path, const std::string& holder) {
    return {ErrorCode::client, path.string() + " has been locked for " + std::to_string(kPatience.count()) + " s by " +
                                   show_holder(holder) + ". Nothing was written. End that process, or try again."};
}

IoError room_error(const Path& file, int number) {
    return {ErrorCode::quota,
            "The disk is full, so the lock file " + file.string() +
                " cannot be created. The stored data is unchanged. Make room on that disk.",
            number};
}

}  // namespace

TokenLock TokenLock::ask(const Path& path) {
    TokenLock lock(path, make_token());
    Path unwritten = lock.file();
    unwritten += kUnwritten;
    try {
        const OpenFile text(unwritten, O_WRONLY | O_CREAT | O_EXCL);
        try {
            text.write_all(own_identity());
        } catch (const Error& error) {
            // A full disk often has room for an empty file still. Others judge a lock without a text by its date.
            if (error.code() != ErrorCode::quota) throw;
        }
        rename_file(unwritten, lock.file());
    } catch (const IoError& error) {
        unlink(unwritten.c_str());
        if (error.code() == ErrorCode::quota) throw room_error(lock.file(), error.number());
        throw;
    }
    return lock;
}

TokenLock TokenLock::take(const Path& path) {
    std::minstd_rand random(std::random_device{}());
    for (int attempt = 1;; ++attempt) {
        std::optional<TokenLock> lock = ask(path);
        const Path own = lock->file();
        const Found found = find_locks(path, lock->token_);
        remove_unwritten(path, found.unwritten, own);
        const std::optional<Holder> holder =
            first_running(path, found.locks, [&](const std::string& /*name*/, const timespec& modified) {
                return silence_of(modified, own) < kSilence;
            });
        if (!holder) return *std::move(lock);
        lock.reset();
        if (attempt == kAttempts) throw open_error(path, holder->identity);
        std::this_thread::sleep_for(milliseconds(random() % kMaxAttemptPause.count()));
    }
}

TokenLock TokenLock::wait(const Path& path, const SteadyNow& now) {
    const IsRenewed is_renewed = RenewalWatch(now);
    TokenLock lock = ask(path);
    TimePoint renewed = now();
    std::string holder;  // The process that this one waits for.
    TimePoint held_since;
    // GCC 12 warns of an uninitialized value if this is an optional instead.
    bool is_free = false;
    TimePoint free_since;
    milliseconds pause = kMinPause;
    for (;;) {
        Found found = find_locks(path, lock.token_);
        remove_unwritten(path, found.unwritten, lock.file());
        const std::string own = path.filename().string() + std::string(kInfix) + lock.token_;
        std::erase_if(found.waiting, [&](const std::string& name) { return name > own; });
        std::optional<Holder> other = first_running(path, found.locks, is_renewed);
        if (other) {
            is_free = false;
        } else {
            if (!std::exchange(is_free, true)) free_since = now();
            const bool is_patient = now() - free_since <= kCourtesy * static_cast<int>(found.waiting.size());
            if (is_patient) other = first_running(path, found.waiting, is_renewed);
        }
        if (!other) {
            if (!lock.is_waiting_) return lock;
            lock.set_waiting(false);
            continue;
        }
        if (!lock.is_waiting_) lock.set_waiting(true);
        if (std::exchange(holder, other->name) != other->name) {
            held_since = now();
            pause = kMinPause;
        }
        if (now() - held_since > kPatience) throw held_error(path, other->identity);
        if (now() - renewed > kBeat) {
            renewed = now();
            static_cast<void>(lock.renew());  // If others have removed it, set_waiting() creates it again.
        }
        const auto place = static_cast<int>(found.waiting.size());
        std::this_thread::sleep_for(place == 0 ? pause : std::min(kPauseInQueue * place, kMaxPause));
        pause = std::min(2 * pause, kMaxPause);
    }
}

std::optional<TokenLock> TokenLock::wait_if_allowed(const Path& path) {
    try {
        return wait(path);
    } catch (const IoError& error) {
        const int number = error.number();
        if (number == EACCES || number == EPERM || number == EROFS) return std::nullopt;
        throw;
    }
}

void hold_during(const std::function<void()>& action, std::optional<TokenLock> lock, std::optional<TokenLock>& place) {
    place = std::move(lock);
    try {
        action();
    } catch (...) {
        place.reset();
        throw;
    }
    place.reset();
}

TokenLock::TokenLock(TokenLock&& other) noexcept
    : path_(std::move(other.path_)),
      token_(std::exchange(other.token_, std::string())),
      is_waiting_(other.is_waiting_) {}

TokenLock& TokenLock::operator=(TokenLock&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(token_, other.token_);
    std::swap(is_waiting_, other.is_waiting_);
    return *this;
}

TokenLock::~TokenLock() {
    if (!token_.empty()) unlink(file().c_str());
}

Path TokenLock::file(bool waiting) const {
    Path file = path_;
    file += kInfix;
    file += token_;
    if (waiting) file += kWaiting;
    return file;
}

/// Renames the lock file to the process's place in the queue, or back.
void TokenLock::set_waiting(bool waiting) {
    if (rename_if_there(file(), file(waiting))) {
        is_waiting_ = waiting;
    } else {
        *this = ask(path_);  // Others removed the lock file, because this process was silent for too long.
    }
}

bool TokenLock::renew() const { return utimensat(AT_FDCWD, file().c_str(), nullptr, 0) == 0 || errno != ENOENT; }

bool TokenLock::is_held() const { return is_there(file()); }

void TokenLock::check() const {
    if (!renew()) throw Error(ErrorCode::client, lost_message(path_, "Nothing was written. Try again."));
}

std::string lost_message(const Path& path, const std::string& rest) {
    return "Another process has taken over the lock on " + path.string() +
           ", because this process was stopped for too long, or the clock was changed. " + rest;
}

}  // namespace polystore::posix
