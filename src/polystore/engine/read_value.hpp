#pragma once

#include <string>
#include <string_view>

#include "polystore/engine/engine.hpp"

namespace polystore::engine {

/// A hint that the value at `place` will be read soon, of `key` or of one as long.
void expect_value(const OpenLog& log, std::string_view key, const Place& place);

/// The value of `key`, whose record is at `place` in `log`: checked, for disks forget. Valid as `File::read` says.
[[nodiscard]] Result<std::string_view> read_value(const OpenLog& log, std::string_view key, const Place& place,
                                                  std::string& buffer);

}  // namespace polystore::engine
