#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

/// The format of a log, version 2. Numbers are little endian.
///
///     log        = header *batch
///     header     = magic version generation check      ; 24 bytes
///     magic      = "polystor"
///     version    = u32                                 ; 2
///     generation = u64                                 ; how many logs the name had before this one
///     check      = u32                                 ; CRC-32C of the 20 bytes before it
///
///     batch      = *more last                          ; takes effect as a whole, or not at all
///     more       = record                              ; whose `follows` is 1
///     last       = record                              ; whose `follows` is 0
///     record     = head body
///     head       = head-check body-check kind follows zero key-length value-length expires unsynced   ; 32 bytes
///     head-check = u32                                 ; CRC-32C of `generation` and of the other 28 bytes of the head
///     body-check = u32                                 ; CRC-32C of the body
///     kind       = u8                                  ; 1: the key has this value now. 2: the key has no value now.
///                                                      ; 3: a mark, which speaks of no key, and has no body
///     follows    = u8
///     zero       = u16                                 ; 0
///     key-length = u32
///     value-length = u32                               ; 0 in a record of kind 2
///     expires    = i64                                 ; milliseconds since the epoch; 2^63 - 1 for never
///     unsynced   = u32                                 ; how many of the bytes before this record were not known to be
///                                                      ; synced when it was written; of more than 2^32 - 1, so many
///     body       = key value                           ; UTF-8, or a byte FF and more for a note (notes.hpp); JSON
///
/// The head has a check of its own so that a length that cannot be trusted is never followed: a record that is whole
/// but for its end was torn, one whose head is wrong was damaged. `generation` goes into it so that what the disk kept
/// of an earlier log is never taken for a record of this one.
///
/// A disk may write what was not synced in any order, so that a power failure leaves a gap before what is whole. The
/// records after it tell the gap from damage: none of them says that what is missing was synced. Of the last ones a
/// mark says it: after a flush that several shared, when the log is closed, and when it is opened after a crash.
///
/// Version 1 had heads of 28 bytes, without `unsynced`, and no marks.
namespace polystore::engine {

inline constexpr std::string_view kMagic = "polystor";
inline constexpr std::uint32_t kVersion = 2;
inline constexpr std::size_t kHeaderSize = 24;
inline constexpr std::size_t kHeadSize = 32;
/// Of a key and its value.
inline constexpr std::size_t kLargestBody = std::size_t{1} << 30U;
inline constexpr std::int64_t kNoExpiry = std::numeric_limits<std::int64_t>::max();

enum class Kind : std::uint8_t { put = 1, erase = 2, mark = 3 };

/// What a head says, but for the checks.
struct Head {
    Kind kind = Kind::put;
    bool follows = false;
    std::uint32_t key_length = 0;
    std::uint32_t value_length = 0;
    std::int64_t expires = kNoExpiry;
    std::uint32_t unsynced = 0;
    std::uint32_t body_check = 0;

    [[nodiscard]] std::uint64_t body_size() const { return std::uint64_t{key_length} + value_length; }
};

/// A record that lies in memory.
struct RecordView {
    Kind kind = Kind::put;
    std::string_view key;
    std::string_view value;
    std::int64_t expires = kNoExpiry;
};

/// What a header says.
struct Header {
    std::uint32_t version = kVersion;
    std::uint64_t generation = 0;

    /// Of the records in a log of this version.
    [[nodiscard]] std::size_t head_size() const { return version == 1 ? kHeadSize - 4 : kHeadSize; }
};

/// Of this version.
[[nodiscard]] std::string encode_header(std::uint64_t generation);

/// The header that `bytes`, `kHeaderSize` of them, are, if they are one, of any version.
[[nodiscard]] std::optional<Header> decode_header(std::string_view bytes);

/// Appends a record to `log`, of this version. `unsynced` is cut to what fits.
void encode_record(const RecordView& record, bool follows, std::uint64_t generation, std::uint64_t unsynced,
                   std::string& log);

/// As the next, but whatever the head's check says: for whoever knows what it has to say.
[[nodiscard]] Head read_head(std::string_view bytes, const Header& header);

/// The head at the front of `bytes`, as many of them at least as a head has, unless it is damaged.
[[nodiscard]] std::optional<Head> decode_head(std::string_view bytes, const Header& header);

/// The generation for which the check of the head at the front of `bytes`, of a log of this version, is right. For who
/// does not know it: any 32 bits have one, below 2^32.
[[nodiscard]] std::uint64_t generation_of(std::string_view bytes, const Header& header);

/// Whether the body of `head` is whole.
[[nodiscard]] bool is_whole(const Head& head, std::string_view body);

/// The record that `head` and its body make up.
[[nodiscard]] inline RecordView record_of(const Head& head, std::string_view body) {
    return {head.kind, body.substr(0, head.key_length), body.substr(head.key_length), head.expires};
}

}  // namespace polystore::engine
