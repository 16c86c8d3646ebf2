#include "polystore/clients/process_identity.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>
#include <vector>

namespace polystore {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

struct State {
    bool ended;         ///< But its parent has not looked.
    std::string since;  ///< Numbers are given again.
};

std::optional<State> state_of(pid_t process) {
    const std::string status = text_of("/proc/" + std::to_string(process) + "/stat");  // Linux only.
    const std::size_t name_end = status.rfind(')');
    if (name_end == std::string::npos) return std::nullopt;
    std::istringstream rest(status.substr(name_end + 1));
    const std::vector<std::string> fields{std::istream_iterator<std::string>(rest), {}};
    if (fields.size() < 20) return std::nullopt;
    return State{fields[0] == "Z" || fields[0] == "X", fields[19]};
}

}  // namespace

std::string this_machine() {
    std::array<char, 256> host{};
    if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
    std::string boot = text_of("/proc/sys/kernel/random/boot_id");  // Linux only; elsewhere the name has to do.
    while (!boot.empty() && boot.back() == '\n') boot.pop_back();
    std::error_code none;
    return std::string(host.data()) + " " + boot + " " + fs::read_symlink("/proc/self/ns/pid", none).string();
}

std::optional<std::string> beginning_of(pid_t process) {
    const std::optional<State> state = state_of(process);
    return state ? std::optional(state->since) : std::nullopt;
}

std::optional<bool> is_running(pid_t process, const std::optional<std::string>& since, std::optional<pid_t> thread) {
    if (kill(process, 0) != 0 && errno == ESRCH) return false;
    const std::optional<State> state = state_of(process);
    if (!state || !since) return std::nullopt;
    const auto tasks = fs::path("/proc") / std::to_string(process) / "task";
    const bool runs = !thread || fs::exists(tasks / std::to_string(*thread));
    return !state->ended && state->since == *since && runs;
}

}  // namespace polystore
