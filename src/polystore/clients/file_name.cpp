#include "polystore/clients/file_name.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "polystore/error.hpp"
#include "polystore/support/sha256.hpp"
#include "polystore/support/utf8.hpp"

namespace polystore {
namespace {

constexpr std::string_view kExtension = ".json";
constexpr std::string_view kHexDigits = "0123456789ABCDEF";

// The maximum length of a name on the file systems of Linux, macOS and Windows.
constexpr std::size_t kLongestName = 255;
constexpr std::size_t kLongestHead = 160;
constexpr std::size_t kHashLength = 64;

constexpr bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }

constexpr char to_small(char c) { return is_capital(c) ? static_cast<char>(c - 'A' + 'a') : c; }

constexpr bool stays(char c, Case letter_case) {
    return (is_capital(c) && letter_case == Case::counts) || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("-_.!~'()").find(c) != std::string_view::npos;
}

std::string escaped(char c) {
    const auto byte = static_cast<std::uint8_t>(c);
    return {'%', kHexDigits[byte >> 4U], kHexDigits[byte & 15U]};
}

std::string encode(std::string_view key, Case letter_case) {
    std::string encoded;
    for (const char c : key) {
        if (stays(c, letter_case)) {
            encoded += c;
        } else {
            encoded += escaped(c);
        }
    }
    return encoded;
}

/// Returns true if Windows treats the name as a device, whatever follows the first dot. `name` must already have its
/// capitals escaped.
bool is_reserved(std::string_view name) {
    const std::string_view base = name.substr(0, name.find('.'));
    if (base == "aux" || base == "con" || base == "nul" || base == "prn") return true;
    return base.size() == 4 && (base.starts_with("com") || base.starts_with("lpt")) && base[3] >= '0' && base[3] <= '9';
}

std::string unreserved(std::string name, Case letter_case) {
    if (letter_case == Case::counts || !is_reserved(name)) return name;
    return escaped(name[0]) + name.substr(1);
}

/// Undoes `encode`. The result for any other text does not matter.
std::string decode(std::string_view encoded) {
    std::string key;
    for (std::size_t i = 0; i < encoded.size(); ++i) {
        if (encoded[i] == '%' && i + 2 < encoded.size()) {
            const auto digit = [&](char c) { return kHexDigits.find(c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c); };
            key += static_cast<char>(digit(encoded[i + 1]) * 16 + digit(encoded[i + 2]));
            i += 2;
        } else {
            key += encoded[i];
        }
    }
    return key;
}

std::string to_head(std::string_view key, Case letter_case) {
    std::string head;
    for (std::size_t begin = 0; begin < key.size();) {
        std::size_t end = begin + 1;
        while (end < key.size() && (static_cast<std::uint8_t>(key[end]) & 0xC0U) == 0x80) ++end;
        const std::string character = encode(key.substr(begin, end - begin), letter_case);
        if (head.size() + character.size() > kLongestHead) break;
        head += character;
        begin = end;
    }
    return head;
}

}  // namespace

std::string to_file_name(std::string_view key, Case letter_case) {
    if (!is_utf8(key)) {
        throw Error(ErrorCode::key,
                    "The key " + show(key) +
                        " is not valid UTF-8, so it cannot be the name of a file in a folder. Use a key in UTF-8.");
    }
    std::string name = unreserved(encode(key, letter_case).append(kExtension), letter_case);
    if (name.size() <= kLongestName) return name;
    return unreserved(to_head(key, letter_case).append("+").append(sha256(key)).append(kExtension), letter_case);
}

bool is_long(std::string_view name) {
    const std::size_t plus = name.find('+');
    if (plus == std::string_view::npos || !name.ends_with(kExtension)) return false;
    const std::string_view hash = name.substr(plus + 1, name.size() - plus - 1 - kExtension.size());
    const auto is_digit = [](char c) { return kHexDigits.find(c) != std::string_view::npos || (c >= 'a' && c <= 'f'); };
    return hash.size() == kHashLength && std::all_of(hash.begin(), hash.end(), is_digit);
}

std::optional<std::string> to_key(std::string_view name) {
    if (!name.ends_with(kExtension)) return std::nullopt;
    std::string key = decode(name.substr(0, is_long(name) ? name.find('+') : name.size() - kExtension.size()));
    if (!is_utf8(key)) return std::nullopt;
    return key;
}

bool is_same(std::string_view name, std::string_view other) {
    return std::equal(name.begin(), name.end(), other.begin(), other.end(),
                      [](char a, char b) { return to_small(a) == to_small(b); });
}

}  // namespace polystore
