#pragma once

#include <cstdint>
#include <string_view>

namespace polystore::engine {

/// The CRC-32C (Castagnoli) of `bytes`, going on from the CRC of what comes before them.
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0) noexcept;

}  // namespace polystore::engine
