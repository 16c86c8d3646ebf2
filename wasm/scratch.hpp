#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "polystore/operation.hpp"

namespace polystore::wasm {

/// Memory that JavaScript and the core hand each other, one crossing at a time: nothing in it outlives a call.
struct Scratch {
    /// A page of records. 512 keep the crossing's cost per record at nothing, and the memory of an iteration small.
    static constexpr std::size_t kPageLength = 512;
    /// Random bytes for some 165 ids: one draw of 4 KB costs 5 times one of 24 bytes.
    static constexpr std::size_t kBytesLength = 4096;

    std::array<double, kPageLength> expires;
    std::array<Verdict, kPageLength> verdicts;
    std::array<std::uint8_t, kBytesLength> bytes;
};

inline Scratch scratch;

}  // namespace polystore::wasm
