#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "polystore/core/operation.hpp"

namespace polystore::wasm {

/// Memory through which JavaScript and the core exchange data, one call at a time. Its contents do not outlive a call.
struct Scratch {
    /// The size of a page. With 512 records, a call costs little per record, and an iteration needs little memory.
    static constexpr std::size_t kPageLength = 512;
    /// Random bytes for about 165 ids: drawing 4 KB at once takes five times as long as drawing 24 bytes.
    static constexpr std::size_t kBytesLength = 4096;

    std::array<double, kPageLength> expires;
    std::array<Verdict, kPageLength> verdicts;
    std::array<double, kPageLength> lives;
    std::array<std::uint8_t, kBytesLength> bytes;
};

inline Scratch scratch;

}  // namespace polystore::wasm
