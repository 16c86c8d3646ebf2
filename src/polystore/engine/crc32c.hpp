#pragma once

#include <cstdint>
#include <string_view>

namespace polystore::engine {

/// The CRC-32C (Castagnoli) of `bytes`, going on from the CRC of what comes before them.
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0) noexcept;

/// What `before` was when `crc32c(bytes, before)` is `after`.
[[nodiscard]] std::uint32_t crc32c_before(std::uint32_t after, std::string_view bytes) noexcept;

}  // namespace polystore::engine
