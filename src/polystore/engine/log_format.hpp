#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

/// The format of a log, version 2. Numbers are little-endian.
///
///     log        = header *batch
///     header     = magic version generation check      ; 24 bytes
///     magic      = "polystor"
///     version    = u32                                 ; 2
///     generation = u64                                 ; the number of logs that had this name before
///     check      = u32                                 ; CRC-32C of the 20 bytes before it
///
///     batch      = *more last                          ; takes effect as a whole, or not at all
///     more       = record                              ; with `follows` 1
///     last       = record                              ; with `follows` 0
///     record     = head body
///     head       = head-check body-check kind follows zero key-length value-length expires unsynced   ; 32 bytes
///     head-check = u32                                 ; CRC-32C of `generation` and of the other 28 bytes of the head
///     body-check = u32                                 ; CRC-32C of the body
///     kind       = u8                                  ; 1: the key now has this value. 2: the key is removed.
///                                                      ; 3: a mark, which has no key and no body
///     follows    = u8
///     zero       = u16                                 ; 0
///     key-length = u32
///     value-length = u32                               ; 0 in a record of kind 2
///     expires    = i64                                 ; milliseconds since the epoch; 2^63 - 1 for never
///     unsynced   = u32                                 ; the number of bytes before this record that were not known to
///                                                      ; be synced when it was written, at most 2^32 - 1
///     body       = key value                           ; a UTF-8 key, or a byte FF and more for a note (notes.hpp);
///                                                      ; the value is JSON
///
/// The head has its own check so that an untrusted length is never followed. A record that is valid except for a
/// missing end was torn by a crash; a record with an invalid head was damaged. `generation` is part of the check so
/// that remains of an earlier log on the disk are never taken for records of this one.
///
/// A disk may write unsynced data in any order, so a power failure can leave a gap before valid records. The records
/// after a gap tell it from damage: their `unsynced` fields all cover the missing bytes. For the last records, a mark
/// states that they are synced. It is written after a flush that several writers shared, when the log is closed, and
/// when it is opened after a crash.
///
/// Version 1 had heads of 28 bytes without `unsynced`, and it had no marks.
namespace polystore::engine {

inline constexpr std::string_view kMagic = "polystor";
inline constexpr std::uint32_t kVersion = 2;
inline constexpr std::size_t kHeaderSize = 24;
inline constexpr std::size_t kHeadSize = 32;
/// The maximum length of a key and its value together.
inline constexpr std::size_t kLargestBody = std::size_t{1} << 30U;
inline constexpr std::int64_t kNoExpiry = std::numeric_limits<std::int64_t>::max();

enum class Kind : std::uint8_t { put = 1, erase = 2, mark = 3 };

/// The fields of a head, except for the head's check.
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

/// A record in memory.
struct RecordView {
    Kind kind = Kind::put;
    std::string_view key;
    std::string_view value;
    std::int64_t expires = kNoExpiry;
};

/// The fields of a header.
struct Header {
    std::uint32_t version = kVersion;
    std::uint64_t generation = 0;

    /// The size of a record's head in a log of this version.
    [[nodiscard]] std::size_t head_size() const { return version == 1 ? kHeadSize - 4 : kHeadSize; }
};

/// Returns a header of the current version.
[[nodiscard]] std::string encode_header(std::uint64_t generation);

/// Returns the header in `bytes`, whose length is `kHeaderSize`, in any version; `std::nullopt` if it is not valid.
[[nodiscard]] std::optional<Header> decode_header(std::string_view bytes);

/// Appends a record of the current version to `log`. `unsynced` is limited to the largest number that fits.
void encode_record(const RecordView& record, bool follows, std::uint64_t generation, std::uint64_t unsynced,
                   std::string& log);

/// Like `decode_head`, but ignores the head's check: for a caller that knows the expected contents.
[[nodiscard]] Head read_head(std::string_view bytes, const Header& header);

/// Returns the head at the front of `bytes`, which must be at least as long as a head; `std::nullopt` if it is damaged.
[[nodiscard]] std::optional<Head> decode_head(std::string_view bytes, const Header& header);

/// Returns the generation for which the check of the head at the front of `bytes` is right, in a log of this version.
/// This is for a caller that does not know it. For any 32 bits there is such a generation below 2^32.
[[nodiscard]] std::uint64_t generation_of(std::string_view bytes, const Header& header);

/// Returns true if `body` matches the check in `head`.
[[nodiscard]] bool is_whole(const Head& head, std::string_view body);

/// Combines `head` and its body into a record.
[[nodiscard]] inline RecordView record_of(const Head& head, std::string_view body) {
    return {head.kind, body.substr(0, head.key_length), body.substr(head.key_length), head.expires};
}

}  // namespace polystore::engine
