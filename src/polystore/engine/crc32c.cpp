#include "polystore/engine/crc32c.hpp"

#include <array>
#include <cstddef>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

namespace polystore::engine {
namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78;  // The polynomial of Castagnoli with its bits reversed.

using Table = std::array<std::array<std::uint32_t, 256>, 8>;

/// `kTable[k][b]` is the effect of byte `b` on the CRC if `k` bytes follow it. This adds eight bytes at a time.
constexpr Table make_table() {
    Table table{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t crc = byte;
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? kPolynomial : 0U);
        table[0][byte] = crc;
    }
    for (std::size_t k = 1; k < 8; ++k) {
        for (std::size_t byte = 0; byte < 256; ++byte) {
            const std::uint32_t crc = table[k - 1][byte];
            table[k][byte] = (crc >> 8U) ^ table[0][crc & 0xFFU];
        }
    }
    return table;
}

constexpr Table kTable = make_table();

std::uint64_t load(const char* bytes) {
    std::uint64_t word = 0;
    for (unsigned i = 0; i < 8; ++i) word |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
    return word;
}

std::uint32_t by_table(std::uint32_t crc, std::string_view bytes) {
    while (bytes.size() >= 8) {
        const std::uint64_t word = load(bytes.data()) ^ crc;
        crc = 0;
        for (unsigned i = 0; i < 8; ++i) crc ^= kTable[7 - i][(word >> (8 * i)) & 0xFFU];
        bytes.remove_prefix(8);
    }
    for (const char byte : bytes) crc = (crc >> 8U) ^ kTable[0][(crc ^ static_cast<unsigned char>(byte)) & 0xFFU];
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t by_hardware(std::uint32_t crc, std::string_view bytes) {
    std::uint64_t wide = crc;
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) wide = _mm_crc32_u64(wide, load(bytes.data()));
    crc = static_cast<std::uint32_t>(wide);
    for (const char byte : bytes) crc = _mm_crc32_u8(crc, static_cast<unsigned char>(byte));
    return crc;
}

const bool kHasInstruction = [] {
    __builtin_cpu_init();  // This constructor may run before the one that calls this.
    return static_cast<bool>(__builtin_cpu_supports("sse4.2"));
}();

std::uint32_t add(std::uint32_t crc, std::string_view bytes) {
    return kHasInstruction ? by_hardware(crc, bytes) : by_table(crc, bytes);
}
#elif defined(__ARM_FEATURE_CRC32)
std::uint32_t add(std::uint32_t crc, std::string_view bytes) {
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) crc = __crc32cd(crc, load(bytes.data()));
    for (const char byte : bytes) crc = __crc32cb(crc, static_cast<unsigned char>(byte));
    return crc;
}
#else
std::uint32_t add(std::uint32_t crc, std::string_view bytes) { return by_table(crc, bytes); }
#endif

}  // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) noexcept { return ~add(~before, bytes); }

std::uint32_t crc32c_before(std::uint32_t after, std::string_view bytes) noexcept {
    std::uint32_t crc = ~after;
    for (; !bytes.empty(); bytes.remove_suffix(1)) {
        // The polynomial's highest bit is set, so the CRC's highest bit tells whether the polynomial was added.
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 31U) != 0 ? ((crc ^ kPolynomial) << 1U) | 1U : crc << 1U;
        crc ^= static_cast<unsigned char>(bytes.back());
    }
    return ~crc;
}

}  // namespace polystore::engine
