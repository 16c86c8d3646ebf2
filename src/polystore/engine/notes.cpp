#include "polystore/engine/notes.hpp"

#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

namespace polystore::engine {
namespace {

std::string key_of(std::uint64_t session) { return kNoteMark + std::to_string(session); }

/// Parses `[sequence,result,time]`, which is JSON like every value.
std::optional<Note> parse(std::string_view text) {
    std::array<std::uint64_t, 3> numbers{};
    const char* at = text.data();
    const char* const end = at + text.size();
    for (std::uint64_t& number : numbers) {
        if (at == end) return std::nullopt;
        const auto [rest, error] = std::from_chars(at + 1, end, number);  // Skips the bracket or the comma.
        if (error != std::errc()) return std::nullopt;
        at = rest;
    }
    return Note{numbers[0], numbers[1], static_cast<std::int64_t>(numbers[2])};
}

}  // namespace

Change change_of_note(std::uint64_t session, const Note& note) {
    std::string text =
        "[" + std::to_string(note.sequence) + "," + std::to_string(note.result) + "," + std::to_string(note.time) + "]";
    return {key_of(session), Stored{std::move(text), kNoExpiry}};
}

Change removal_of_note(std::uint64_t session) { return {key_of(session), std::nullopt}; }

Result<std::optional<Note>> find_note(Engine& engine, std::uint64_t session) {
    std::string text;
    Result<std::optional<std::int64_t>> found = engine.get(key_of(session), text);
    if (!found.ok()) return found.failure();
    return *found ? parse(text) : std::nullopt;
}

Status forget_notes(Engine& engine, std::int64_t time) {
    std::vector<Change> batch;
    std::string buffer;
    for (Scan notes = engine.scan({.gte = std::string(1, kNoteMark)}); notes.next();) {
        Result<std::string_view> text = notes.read(buffer);
        if (!text.ok()) return text.failure();
        const std::optional<Note> note = parse(*text);
        if (!note || note->time < time) batch.push_back({std::string(notes.key()), std::nullopt});
    }
    return engine.apply(batch);
}

}  // namespace polystore::engine
