#pragma once

#include <string_view>

namespace polystore {

/// Returns true if `text` is UTF-8 as RFC 3629 defines it: no overlong form, no surrogate, nothing beyond U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

}  // namespace polystore
