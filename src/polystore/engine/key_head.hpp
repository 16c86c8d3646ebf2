#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <string_view>

namespace polystore::engine {

/// Returns the length of the prefix that both keys share.
[[nodiscard]] inline std::size_t common_length(std::string_view left, std::string_view right) {
    const std::size_t length = std::min(left.size(), right.size());
    std::size_t i = 0;
    while (i < length && left[i] == right[i]) ++i;
    return i;
}

/// Returns the bytes of a key from `begin` on, as many as fit, as a number that has the same order. Bytes beyond the
/// end count as zeros.
template <std::unsigned_integral Number>
[[nodiscard]] Number head_of(std::string_view key, std::size_t begin) {
    constexpr unsigned kBits = 8;
    Number head = 0;
    if (begin + sizeof(Number) <= key.size()) {  // The compiler turns this loop into one instruction.
        for (std::size_t i = begin; i < begin + sizeof(Number); ++i) {
            head = head << kBits | static_cast<unsigned char>(key[i]);
        }
        return head;
    }
    for (std::size_t i = begin; i < begin + sizeof(Number); ++i) {
        head = head << kBits | (i < key.size() ? static_cast<unsigned char>(key[i]) : 0U);
    }
    return head;
}

}  // namespace polystore::engine
