#include "polystore/clients/folder_case.hpp"

#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "polystore/clients/folder_file.hpp"
#include "polystore/posix/posix_file.hpp"
#include "polystore/posix/token_lock.hpp"

namespace polystore {
namespace {

constexpr const char* kMarker = ".polystore-ignores-case";
constexpr const char* kMarkerText =
    "This folder was used on a disk that ignores case: in the names of its files, capitals are written %41 to %5A.\n";

std::string in_other_case(std::string name) {
    for (char& c : name) {
        const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (letter) c = static_cast<char>(c ^ ' ');
    }
    return name;
}

/// A file that was named where case counts, as polystore names all.
struct Misnamed {
    std::string name;
    std::string right;
    Entry entry;
};

std::vector<Misnamed> misnamed_in(const std::filesystem::path& folder) {
    std::vector<Misnamed> misnamed;
    for (const std::string& name : posix::names_in(folder)) {
        const std::optional<std::string> key = to_key(name);
        if (!key || (!is_long(name) && is_same(name, to_file_name(*key, Case::is_ignored)))) continue;
        const std::optional<std::string> text = posix::read_file(folder / name);
        std::optional<Entry> entry = text ? parse_file(name, *text, Case::counts) : std::nullopt;
        if (!entry) continue;  // Another's.
        std::string right = to_file_name(entry->id, Case::is_ignored);
        if (!is_same(name, right)) misnamed.push_back({name, std::move(right), *std::move(entry)});
    }
    return misnamed;
}

/// Gives the files of a folder the names that a disk which ignores case needs, and leaves the marker.
void rename_all(const std::filesystem::path& folder) {
    // Where nothing is to be renamed, whoever may write leaves the marker.
    if (access(folder.c_str(), W_OK) != 0 && misnamed_in(folder).empty()) return;
    // One process at a time: another process that already uses the new names would read an old name as another key.
    const posix::TokenLock lock = posix::TokenLock::wait(folder / kMarker);
    if (posix::is_there(folder / kMarker)) return;
    for (const auto& [name, right, entry] : misnamed_in(folder)) {
        require_readable(entry.id, entry.record.value);
        lock.check();
        // First, for under a long name alone it would be nobody's; under its old one the key in it does not matter.
        if (is_long(right)) posix::replace_file(folder / name, to_file_text(right, entry.id, entry.record));
        posix::rename_file(folder / name, folder / right);
    }
    posix::replace_file(folder / kMarker, kMarkerText);
}

}  // namespace

std::optional<Case> find_case(const std::filesystem::path& folder) {
    if (posix::is_there(folder / kMarker)) return Case::is_ignored;
    std::vector<std::string> names = posix::names_in(folder);
    const auto name = std::find_if(names.begin(), names.end(), [](const auto& it) { return it.ends_with(".json"); });
    if (name == names.end()) return std::nullopt;
    const std::string other = in_other_case(*name);  // Ends with .JSON, so nobody makes it meanwhile.
    if (!posix::is_there(folder / other)) return Case::counts;
    if (std::find(names.begin(), names.end(), other) != names.end()) return Case::counts;  // A second file.
    rename_all(folder);
    return Case::is_ignored;
}

Case settle_case(const std::filesystem::path& folder) {
    if (const std::optional<Case> found = find_case(folder)) return *found;
    const std::filesystem::path file = posix::make_temporary_file(folder).path();
    const bool ignored = posix::is_there(folder / in_other_case(file.filename().string()));
    posix::remove_file(file);
    if (!ignored) return Case::counts;
    rename_all(folder);
    return Case::is_ignored;
}

}  // namespace polystore
