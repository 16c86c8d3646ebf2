#include "polystore/core/id.hpp"

namespace polystore {

std::size_t make_id_characters(std::span<std::uint8_t> bytes) noexcept {
    constexpr std::size_t kAccepted = 256 - 256 % kIdAlphabet.size();
    std::size_t length = 0;
    for (const std::uint8_t byte : bytes) {
        if (byte >= kAccepted) continue;
        bytes[length++] = static_cast<std::uint8_t>(kIdAlphabet[byte % kIdAlphabet.size()]);
    }
    return length;
}

}  // namespace polystore
