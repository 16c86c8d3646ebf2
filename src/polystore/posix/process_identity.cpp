#include "polystore/posix/process_identity.hpp"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <system_error>
#include <vector>

#include "polystore/posix/process.hpp"

namespace polystore::posix {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string text_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

struct State {
    bool is_zombie;
    std::string since;
};

/// Returns the state of a process, or `std::nullopt` on systems without /proc.
std::optional<State> state_of(pid_t process) {
    const std::string status = text_of("/proc/" + std::to_string(process) + "/stat");
    const std::size_t name_end = status.rfind(')');
    if (name_end == std::string::npos) return std::nullopt;
    std::istringstream rest(status.substr(name_end + 1));
    const std::vector<std::string> fields{std::istream_iterator<std::string>(rest), {}};
    if (fields.size() < 20) return std::nullopt;
    return State{fields[0] == "Z" || fields[0] == "X", fields[19]};
}

std::string find_machine() {
    std::array<char, 256> host{};
    if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
    std::string boot =
        text_of("/proc/sys/kernel/random/boot_id");  // Only on Linux; elsewhere, the name has to suffice.
    while (!boot.empty() && boot.back() == '\n') boot.pop_back();
    std::error_code none;
    return std::string(host.data()) + " " + boot + " " + fs::read_symlink("/proc/self/ns/pid", none).string();
}

struct Self {
    const Self* previous;  // The parent's, if this process was forked. It stays reachable, so leak checkers ignore it.
    unsigned process = this_process();
    std::string machine = find_machine();
    std::optional<State> state = state_of(getpid());
    std::string start = state ? state->since : "0";
    std::string identity =
        json{{"machine", machine}, {"pid", getpid()}, {"since", state ? json(start) : json()}}.dump();
};

/// Finding out the identity takes longer than writing a lock file, so it is kept until the process forks. It is never
/// destroyed, because a static store may still use it when the process ends. There is no mutex, because a forked
/// process could find it locked by a thread that it does not have.
const Self& self() {
    static std::atomic<const Self*> known = nullptr;
    const Self* found = known.load();
    if (found && found->process == this_process()) return *found;
    auto fresh = std::make_unique<const Self>(Self{.previous = found});
    if (known.compare_exchange_strong(found, fresh.get())) return *fresh.release();
    return *found;  // Another thread was faster.
}

/// Returns a member of an identity that is a process id or a thread id.
std::optional<pid_t> id_in(const json& identity, const char* name) {
    const auto id = identity.find(name);
    if (id == identity.end() || !id->is_number_integer()) return std::nullopt;
    const auto number = id->get<std::int64_t>();
    if (number <= 0 || number > std::numeric_limits<pid_t>::max()) return std::nullopt;
    return static_cast<pid_t>(number);
}

std::optional<std::string> text_in(const json& identity, const char* name) {
    const auto text = identity.find(name);
    return text != identity.end() && text->is_string() ? std::optional(text->get<std::string>()) : std::nullopt;
}

/// Parses an identity. Any text may be in its place; then the result has no members.
json parse_identity(const std::string& text) {
    json identity = json::parse(text, nullptr, false);
    return identity.is_object() ? identity : json::object();
}

}  // namespace

const std::string& own_identity() { return self().identity; }

const std::string& own_machine() { return self().machine; }

const std::string& own_start() { return self().start; }

std::optional<bool> is_alive(const std::string& identity) {
    const json holder = parse_identity(identity);
    const std::optional<pid_t> process = id_in(holder, "pid");
    if (text_in(holder, "machine") != own_machine() || !process) return std::nullopt;
    return is_running(*process, text_in(holder, "since"), id_in(holder, "thread"));
}

std::optional<bool> is_running(pid_t process, const std::optional<std::string>& since, std::optional<pid_t> thread) {
    if (kill(process, 0) != 0 && errno == ESRCH) return false;
    const std::optional<State> state = state_of(process);
    if (!state || !since) return std::nullopt;
    const auto tasks = fs::path("/proc") / std::to_string(process) / "task";
    const bool has_thread = !thread || fs::exists(tasks / std::to_string(*thread));
    return !state->is_zombie && state->since == *since && has_thread;
}

std::string show_process(const std::string& identity) {
    const json holder = parse_identity(identity);
    const std::optional<pid_t> process = id_in(holder, "pid");
    const std::string machine = text_in(holder, "machine").value_or("another machine");
    const std::string number = process ? std::to_string(*process) : "unknown";
    return "process " + number + " of " + machine.substr(0, machine.find(' '));
}

}  // namespace polystore::posix
