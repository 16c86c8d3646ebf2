#pragma once

#include <cstddef>
#include <cstdint>

/// When an open log is flushed, compacted and cleared of expired records, and how much of that is done at once, while
/// other calls wait. shared_engine.cpp uses these numbers in C++, and js/engine/maintenance.js in JavaScript.
/// `Engine::wants_compaction` decides when to compact.
namespace polystore::engine {

/// How long a relaxed change may wait for its flush, in milliseconds.
inline constexpr std::uint32_t kFlushDelay = 1000;
/// The shortest time between two removals of expired records, in milliseconds.
inline constexpr std::uint32_t kEvictionInterval = 1000;
/// The maximum number of expired records that are removed at once. It takes about 2 ms.
inline constexpr std::uint32_t kEvictedAtOnce = 512;
/// The number of bytes that a step of compaction copies. It takes about 0.5 ms.
inline constexpr std::uint32_t kCompactionStep = 256 * 1024;
/// The maximum number of live records that a step copies. They are read in the order of their keys, so each may lie in
/// a page of the file that is not in memory yet: 1,900 records of 100 bytes took up to 75 ms.
inline constexpr std::uint32_t kCompactedAtOnce = 256;
/// The size at which a page of a listing ends, in bytes of keys and values. The last value may exceed it.
inline constexpr std::uint32_t kPageBytes = 1024 * 1024;

}  // namespace polystore::engine
