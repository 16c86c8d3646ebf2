#include "polystore/support/utf8.hpp"

#include <cstddef>
#include <cstdint>

namespace polystore {
namespace {

/// The length of a character and the range of its second byte, determined by its first byte. The range is narrower
/// exactly where an overlong form, a surrogate or a code point beyond U+10FFFF would begin.
struct Lead {
    std::size_t length;
    std::uint8_t second_from = 0x80;
    std::uint8_t second_to = 0xBF;
};

constexpr Lead lead_of(std::uint8_t byte) {
    if (byte < 0x80) return {1};
    if (byte < 0xC2) return {0};
    if (byte < 0xE0) return {2};
    if (byte == 0xE0) return {3, 0xA0, 0xBF};
    if (byte == 0xED) return {3, 0x80, 0x9F};
    if (byte < 0xF0) return {3};
    if (byte == 0xF0) return {4, 0x90, 0xBF};
    if (byte < 0xF4) return {4};
    if (byte == 0xF4) return {4, 0x80, 0x8F};
    return {0};
}

}  // namespace

bool is_utf8(std::string_view text) noexcept {
    const auto byte_at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    for (std::size_t i = 0; i < text.size();) {
        const Lead lead = lead_of(byte_at(i));
        if (lead.length == 0 || lead.length > text.size() - i) return false;
        if (lead.length > 1 && (byte_at(i + 1) < lead.second_from || byte_at(i + 1) > lead.second_to)) return false;
        for (std::size_t k = 2; k < lead.length; ++k) {
            if ((byte_at(i + k) & 0xC0U) != 0x80U) return false;
        }
        i += lead.length;
    }
    return true;
}

}  // namespace polystore
