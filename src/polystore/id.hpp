#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

/// The keys that `add` makes: 24 characters of `[A-Za-z0-9]`, 142.9 bits when the bytes they are made of are random.
namespace polystore {

inline constexpr std::size_t kIdLength = 24;
inline constexpr std::string_view kIdAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Turns random bytes into characters of ids, in place, and says how many characters came out.
/// A byte makes one character or none, so that every character is equally likely: 256 is no multiple of 62, so the
/// bytes from 248 up are left out, one in 32.
[[nodiscard]] std::size_t make_id_characters(std::span<std::uint8_t> bytes) noexcept;

}  // namespace polystore
