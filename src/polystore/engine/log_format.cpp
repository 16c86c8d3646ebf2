#include "polystore/engine/log_format.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "polystore/engine/crc32c.hpp"

namespace polystore::engine {
namespace {

// The offsets of the fields of a head.
constexpr std::size_t kHeadCheck = 0;
constexpr std::size_t kBodyCheck = 4;
constexpr std::size_t kKind = 8;
constexpr std::size_t kFollows = 9;
constexpr std::size_t kZero = 10;
constexpr std::size_t kKeyLength = 12;
constexpr std::size_t kValueLength = 16;
constexpr std::size_t kExpires = 20;
constexpr std::size_t kUnsynced = 28;

template <typename T>
void put(std::string& bytes, std::size_t at, T number) {
    for (std::size_t i = 0; i < sizeof(T); ++i) bytes[at + i] = static_cast<char>((number >> (8 * i)) & 0xFFU);
}

template <typename T>
T take(std::string_view bytes, std::size_t at) {
    T number = 0;
    if constexpr (std::endian::native == std::endian::little) {  // Compilers do not find this single instruction.
        std::memcpy(&number, bytes.data() + at, sizeof(T));
        return number;
    }
    for (std::size_t i = 0; i < sizeof(T); ++i) {
        number = static_cast<T>(number | static_cast<T>(T{static_cast<unsigned char>(bytes[at + i])} << (8 * i)));
    }
    return number;
}

/// Returns the check of a complete head.
std::uint32_t check_head(std::string_view head, std::uint64_t generation) {
    // The CRC continues from the generation. This detects as much as prepending its bytes, and is cheaper.
    const auto seed = static_cast<std::uint32_t>(generation ^ (generation >> 32U));
    return crc32c(head.substr(kBodyCheck), seed);
}

}  // namespace

std::string encode_header(std::uint64_t generation) {
    std::string bytes(kMagic);
    bytes.resize(kHeaderSize);
    put(bytes, 8, kVersion);
    put(bytes, 12, generation);
    put(bytes, 20, crc32c(std::string_view{bytes}.substr(0, 20)));
    return bytes;
}

std::optional<Header> decode_header(std::string_view bytes) {
    if (!bytes.starts_with(kMagic)) return std::nullopt;
    if (take<std::uint32_t>(bytes, 20) != crc32c(bytes.substr(0, 20))) return std::nullopt;
    return Header{take<std::uint32_t>(bytes, 8), take<std::uint64_t>(bytes, 12)};
}

void encode_record(const RecordView& record, bool follows, std::uint64_t generation, std::uint64_t unsynced,
                   std::string& log) {
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
    const std::size_t begin = log.size();
    log.resize(begin + kHeadSize);
    log += record.key;
    log += record.value;
    put(log, begin + kBodyCheck, crc32c(std::string_view{log}.substr(begin + kHeadSize)));
    put(log, begin + kKind, static_cast<std::uint8_t>(record.kind));
    put(log, begin + kFollows, static_cast<std::uint8_t>(follows));
    put(log, begin + kZero, std::uint16_t{0});
    put(log, begin + kKeyLength, static_cast<std::uint32_t>(record.key.size()));
    put(log, begin + kValueLength, static_cast<std::uint32_t>(record.value.size()));
    put(log, begin + kExpires, static_cast<std::uint64_t>(record.expires));
    put(log, begin + kUnsynced, static_cast<std::uint32_t>(std::min(unsynced, kMost)));
    put(log, begin + kHeadCheck, check_head(std::string_view{log}.substr(begin, kHeadSize), generation));
}

Head read_head(std::string_view bytes, const Header& header) {
    return {static_cast<Kind>(bytes[kKind]),
            bytes[kFollows] != 0,
            take<std::uint32_t>(bytes, kKeyLength),
            take<std::uint32_t>(bytes, kValueLength),
            static_cast<std::int64_t>(take<std::uint64_t>(bytes, kExpires)),
            header.version == 1 ? 0 : take<std::uint32_t>(bytes, kUnsynced),
            take<std::uint32_t>(bytes, kBodyCheck)};
}

std::optional<Head> decode_head(std::string_view bytes, const Header& header) {
    bytes = bytes.substr(0, header.head_size());
    if (take<std::uint32_t>(bytes, kHeadCheck) != check_head(bytes, header.generation)) return std::nullopt;
    const Head head = read_head(bytes, header);
    // The check is right, but no writer of this format produces such a head, so it is rejected.
    const bool has_known_kind =
        head.kind == Kind::put || (head.kind == Kind::erase && head.value_length == 0) ||
        (head.kind == Kind::mark && head.body_size() == 0 && !head.follows && header.version != 1);
    const bool known = has_known_kind && static_cast<unsigned char>(bytes[kFollows]) <= 1 &&
                       take<std::uint16_t>(bytes, kZero) == 0 && head.body_size() <= kLargestBody;
    return known ? std::optional(head) : std::nullopt;
}

std::uint64_t generation_of(std::string_view bytes, const Header& header) {
    return crc32c_before(take<std::uint32_t>(bytes, kHeadCheck),
                         bytes.substr(kBodyCheck, header.head_size() - kBodyCheck));
}

bool is_whole(const Head& head, std::string_view body) { return crc32c(body) == head.body_check; }

}  // namespace polystore::engine
