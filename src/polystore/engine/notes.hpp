#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "polystore/engine/engine.hpp"

/// Notes make it possible to request a change twice and make it once. Many sessions, such as the tabs of a browser, may
/// use one engine through the process that has it open. If that process dies, a session cannot know whether its last
/// changes were made, so it sends them again to the next owner.
///
/// Each batch of a session therefore contains a note, which is written together with the batch or not at all. Its key
/// cannot collide with a user's key, because UTF-8 never contains the byte FF.
namespace polystore::engine {

inline constexpr char kNoteMark = '\xFF';

/// Returns the range without the keys of notes.
[[nodiscard]] inline Range without_notes(Range range) {
    if (!range.lt && !range.lte) range.lt = std::string(1, kNoteMark);
    return range;
}

/// The note of one session.
struct Note {
    std::uint64_t sequence = 0;  ///< The number of its last batch, higher than those of the batches before.
    std::uint64_t result = 0;    ///< The result to return for that batch.
    std::int64_t time = 0;       ///< The time of that batch, in milliseconds since the epoch.
};

/// Returns the change that writes a session's note and replaces the previous one.
[[nodiscard]] Change change_of_note(std::uint64_t session, const Note& note);

/// Returns the change that removes a session's note when the session ends.
[[nodiscard]] Change removal_of_note(std::uint64_t session);

[[nodiscard]] Result<std::optional<Note>> find_note(Engine& engine, std::uint64_t session);

/// Removes the notes that are older than `time`: their sessions ended without removing them.
Status forget_notes(Engine& engine, std::int64_t time);

}  // namespace polystore::engine
