#pragma once

#include <filesystem>
#include <optional>

#include "polystore/clients/file_name.hpp"

/// Disks that ignore case, as those of macOS and Windows do. There, "Ada" and "ada" need files whose names differ in
/// more than that: file_name.hpp has such names. This finds out whether a folder needs them, and gives them to the
/// files that it has.
///
/// Once it has, a marker in the folder says so, and the folder keeps those names wherever it is copied.
namespace polystore {

/// What the files of a folder are named for; none where nothing is there that tells.
[[nodiscard]] std::optional<Case> find_case(const std::filesystem::path& folder);

/// The same of a folder that may be written to: where nothing tells, a file is made that does.
[[nodiscard]] Case settle_case(const std::filesystem::path& folder);

}  // namespace polystore
