#include "polystore/clients/file_name.hpp"

#include <cstddef>
#include <cstdint>

#include "polystore/error.hpp"
#include "polystore/utf8.hpp"

namespace polystore {
namespace {

constexpr std::string_view kExtension = ".json";
constexpr std::string_view kHexDigits = "0123456789ABCDEF";

// What the file systems of Linux, macOS and Windows allow.
constexpr std::size_t kLongestName = 255;

constexpr bool stays(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("-_.!~'()").find(c) != std::string_view::npos;
}

std::string encode(std::string_view key) {
    std::string encoded;
    for (const char c : key) {
        if (stays(c)) {
            encoded += c;
        } else {
            const auto byte = static_cast<std::uint8_t>(c);
            encoded += '%';
            encoded += kHexDigits[byte >> 4U];
            encoded += kHexDigits[byte & 15U];
        }
    }
    return encoded;
}

/// Undoes `encode`; what it makes of other texts does not matter.
std::string decode(std::string_view encoded) {
    std::string key;
    for (std::size_t i = 0; i < encoded.size(); ++i) {
        if (encoded[i] == '%' && i + 2 < encoded.size()) {
            const std::size_t high = kHexDigits.find(encoded[i + 1]);
            const std::size_t low = kHexDigits.find(encoded[i + 2]);
            key += static_cast<char>(high * 16 + low);
            i += 2;
        } else {
            key += encoded[i];
        }
    }
    return key;
}

}  // namespace

std::string to_file_name(std::string_view key) {
    if (!is_utf8(key)) {
        throw Error(ErrorCode::key, "The key " + show(key) + " is not UTF-8, so it makes no file name in a folder.");
    }
    std::string name = encode(key).append(kExtension);
    if (name.size() <= kLongestName) return name;
    throw Error(ErrorCode::key, "The key " + show(key) + " makes a file name of " + std::to_string(name.size()) +
                                    " bytes, and no file system allows more than 255. Use a shorter key, or file().");
}

std::optional<std::string> to_key(std::string_view name) {
    if (!name.ends_with(kExtension) || name.size() > kLongestName) return std::nullopt;
    name.remove_suffix(kExtension.size());
    std::string key = decode(name);
    if (!is_utf8(key) || encode(key) != name) return std::nullopt;
    return key;
}

}  // namespace polystore
