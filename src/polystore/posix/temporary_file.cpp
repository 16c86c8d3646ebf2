#include "polystore/posix/temporary_file.hpp"

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <regex>
#include <system_error>

#include "polystore/posix/process_identity.hpp"
#include "polystore/support/random_id.hpp"
#include "polystore/support/sha256.hpp"

namespace polystore::posix {
namespace {

namespace fs = std::filesystem;

/// Processes of other machines or containers cannot be checked, but no process takes a day to write a file.
constexpr std::chrono::hours kAbandonedAfter(24);

std::string machine_hash() {
    constexpr std::size_t kDigits = 16;
    return sha256(own_machine()).substr(0, kDigits);
}

bool is_old(const fs::path& path) {
    std::error_code error;
    const fs::file_time_type changed = fs::last_write_time(path, error);
    return !error && fs::file_time_type::clock::now() - changed > kAbandonedAfter;  // It may have been renamed by now.
}

}  // namespace

std::string temporary_name() {
    // Kept because it takes longer than writing the file. Never destroyed, so that a static store may still use it.
    static const auto* const machine = new std::string(machine_hash());
    return ".polystore-" + *machine + "-" + std::to_string(getpid()) + "-" + own_start() + "-" + make_random_digits(8) +
           ".tmp";
}

void remove_abandoned(const fs::path& folder) {
    static const auto* const pattern =
        new std::regex(R"(\.polystore-([0-9a-f]{16})-(\d{1,9})-(\d+)-[0-9a-f]{16}\.tmp)");
    const std::string machine = machine_hash();
    std::error_code error;
    for (fs::directory_iterator i(folder, error), end; !error && i != end; i.increment(error)) {
        const std::string name = i->path().filename().string();
        std::smatch parts;
        if (!name.starts_with(".polystore-") || !std::regex_match(name, parts, *pattern)) continue;
        const bool is_ours = parts[1] == machine && parts[3] != "0";
        const std::optional<bool> runs =
            is_ours ? is_running(std::stoi(parts[2]), parts[3].str(), std::nullopt) : std::nullopt;
        std::error_code stays;
        if (runs ? !*runs : is_old(i->path())) fs::remove(i->path(), stays);
    }
}

}  // namespace polystore::posix
