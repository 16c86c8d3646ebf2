#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

/// The keys that `add` creates: 24 characters of `[A-Za-z0-9]`, or 142.9 bits of entropy if the given bytes are random.
namespace polystore {

inline constexpr std::size_t kIdLength = 24;
inline constexpr std::string_view kIdAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Turns random bytes into characters of ids, in place, and returns the number of characters.
/// Every character must be equally likely, but 256 is not a multiple of 62. The bytes from 248 up, one in 32, are
/// therefore skipped.
[[nodiscard]] std::size_t make_id_characters(std::span<std::uint8_t> bytes) noexcept;

}  // namespace polystore
