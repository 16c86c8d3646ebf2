#pragma once

#include <string>
#include <string_view>

#include "polystore/engine/engine.hpp"

namespace polystore::engine {

/// A hint that the value at `place`, of `key` or of a key of the same length, will be read soon.
void expect_value(const OpenLog& log, std::string_view key, const Place& place);

/// Returns the value of `key`, whose record is at `place` in `log`. The record is checked, because disks may lose data.
/// `File::read` says how long the value is valid.
[[nodiscard]] Result<std::string_view> read_value(const OpenLog& log, std::string_view key, const Place& place,
                                                  std::string& buffer);

}  // namespace polystore::engine
