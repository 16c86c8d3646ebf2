#include "polystore/clients/temporary_file.hpp"

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <iomanip>
#include <optional>
#include <random>
#include <regex>
#include <sstream>
#include <system_error>

#include "polystore/clients/process_identity.hpp"
#include "polystore/clients/sha256.hpp"

namespace polystore {
namespace {

namespace fs = std::filesystem;

/// Of another machine or container nothing can be known; but no process takes a day to write one file.
constexpr std::chrono::hours kDead(24);

std::string machine_hash() {
    constexpr std::size_t kDigits = 16;
    return sha256(this_machine()).substr(0, kDigits);
}

bool is_old(const fs::path& path) {
    std::error_code error;
    const fs::file_time_type changed = fs::last_write_time(path, error);
    return !error && fs::file_time_type::clock::now() - changed > kDead;  // Where it failed, it has got its name.
}

}  // namespace

std::string temporary_name() {
    // It takes longer than to write the file. Never destroyed, so that a static store may still use it.
    static const auto* const machine = new std::string(machine_hash());
    std::random_device random;
    std::ostringstream name;
    name << ".polystore-" << *machine << '-' << getpid() << '-' << beginning_of(getpid()).value_or("0") << '-'
         << std::hex << std::setfill('0') << std::setw(8) << random() << std::setw(8) << random() << ".tmp";
    return name.str();
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

}  // namespace polystore
