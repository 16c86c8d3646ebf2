#pragma once

#include <cstdint>
#include <string_view>

namespace polystore::engine {

/// Returns the CRC-32C (Castagnoli) of `bytes`, continuing from the CRC `before` of the bytes that precede them.
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0) noexcept;

/// Inverts `crc32c`: returns the `before` for which `crc32c(bytes, before)` is `after`.
[[nodiscard]] std::uint32_t crc32c_before(std::uint32_t after, std::string_view bytes) noexcept;

}  // namespace polystore::engine
