#pragma once

#include <cstdint>
#include <optional>

#include "polystore/engine/engine.hpp"

/// What lets a change be asked for twice and made once. Many sessions, such as the tabs of a browser, may use one
/// engine through whoever has it open. When that one dies, a session cannot know whether its last changes were made
/// before, so it asks the next one for them again. Each batch of a session therefore has a note in it, which is made
/// with it or not at all: a key that no key of a user is like, as UTF-8 has no byte FF.
namespace polystore::engine {

inline constexpr char kNoteMark = '\xFF';

/// Of one session.
struct Note {
    std::uint64_t sequence = 0;  ///< Of its last batch; every batch has a higher one than those before it.
    std::uint64_t result = 0;    ///< What is to be answered for that batch.
    std::int64_t time = 0;       ///< When that was, in milliseconds since the epoch.
};

/// What writes the note of a session, in place of the one before.
[[nodiscard]] Change change_of_note(std::uint64_t session, const Note& note);

/// What removes it, when the session ends.
[[nodiscard]] Change removal_of_note(std::uint64_t session);

[[nodiscard]] Result<std::optional<Note>> find_note(Engine& engine, std::uint64_t session);

/// Removes the notes of before `time`: of sessions that ended without a word.
Status forget_notes(Engine& engine, std::int64_t time);

}  // namespace polystore::engine
