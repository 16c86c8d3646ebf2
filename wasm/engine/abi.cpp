// One engine, as plain exports that take and return numbers. js/engine/engine.js is the only caller. An instance of
// this module has one log open; two logs require two instances.
//
// Texts are passed through `input`, one after the other, and returned through `output`. A call that may fail returns a
// status: its result, `kFailed` with the code and the message of the failure in `output`, or `kNoMemory`. After a
// failure, the batch is empty and everything else is unchanged.

#include <emscripten/emscripten.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "js_env.hpp"
#include "polystore/engine/engine.hpp"
#include "polystore/engine/instant.hpp"
#include "polystore/engine/maintenance.hpp"
#include "polystore/engine/notes.hpp"

namespace {

using namespace polystore;
using namespace polystore::engine;

constexpr int kFailed = -1;
constexpr int kNoMemory = -2;

std::unique_ptr<Engine> opened;
std::vector<Change> batch;
std::map<int, Scan> scans;
int last_scan = 0;

std::vector<char> input;
std::string output;
double number = 0;

std::string_view text_at(std::size_t offset, std::size_t length) { return {input.data() + offset, length}; }

int fail(const Failure& failure) {
    batch.clear();
    output.assign(name_of(failure.code));
    output.append(" ").append(failure.message);
    return kFailed;
}

/// Runs an action that needs memory. A C++ exception here always means that there is not enough memory. A stack
/// overflow is an exception of JavaScript.
template <typename Action>
int guarded(Action action) {
    try {
        return action();
    } catch (const std::exception&) {
        batch.clear();
        return kNoMemory;
    }
}

int status_of(Status status) { return status.ok() ? 0 : fail(status.failure()); }

/// The range from one key up to, but not including, another. Without an end, it contains all later keys of users.
Range range_of(std::size_t start_length, std::size_t end_length) {
    const std::string_view end = text_at(start_length, end_length);
    return {.gte = std::string(text_at(0, start_length)),
            .lt = end.empty() ? std::string(1, kNoteMark) : std::string(end)};
}

/// Returns the number of changes.
int add(Change change) {
    batch.push_back(std::move(change));
    return 1;
}

int add_all(std::vector<Change> changes) {
    std::move(changes.begin(), changes.end(), std::back_inserter(batch));
    return static_cast<int>(changes.size());
}

template <typename T>
void append_bytes(std::string& bytes, const std::vector<T>& numbers) {
    bytes.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T));
}

}  // namespace

extern "C" {

/// Returns the address to write texts with `size` bytes in total to, or null if there is not enough memory for them.
EMSCRIPTEN_KEEPALIVE char* polystore_engine_input(std::size_t size) {
    const int status = guarded([&] {
        if (input.size() < size) input.resize(size);
        return 0;
    });
    return status == 0 ? input.data() : nullptr;
}

EMSCRIPTEN_KEEPALIVE const char* polystore_engine_output() { return output.data(); }
EMSCRIPTEN_KEEPALIVE std::size_t polystore_engine_output_size() { return output.size(); }

/// The number that belongs to the latest result.
EMSCRIPTEN_KEEPALIVE double polystore_engine_number() { return number; }

/// Returns the address of the numbers of maintenance.hpp, in their order.
EMSCRIPTEN_KEEPALIVE const std::uint32_t* polystore_engine_maintenance() {
    static constexpr std::array<std::uint32_t, 5> kNumbers = {kFlushDelay, kEvictionInterval, kEvictedAtOnce,
                                                              kCompactionStep, kPageBytes};
    return kNumbers.data();
}

/// Opens the log at the path in the input.
EMSCRIPTEN_KEEPALIVE int polystore_engine_open(std::size_t path_length) {
    return guarded([&] {
        Result<std::unique_ptr<Engine>> engine = Engine::open(wasm::js_env(), std::string(text_at(0, path_length)));
        if (!engine.ok()) return fail(engine.failure());
        opened = std::move(*engine);
        return 0;
    });
}

/// Closes the log and its scans. Does not flush.
EMSCRIPTEN_KEEPALIVE void polystore_engine_close() {
    scans.clear();
    opened.reset();
}

/// Returns 1 if the key exists, with its value in the output and its expiry in the number; otherwise 0.
EMSCRIPTEN_KEEPALIVE int polystore_engine_get(std::size_t key_length) {
    return guarded([&] {
        Result<std::optional<std::int64_t>> expires = opened->get(text_at(0, key_length), output);
        if (!expires.ok()) return fail(expires.failure());
        if (!*expires) return 0;
        number = to_number(**expires);
        return 1;
    });
}

/// Returns 1 if the key exists, with its expiry in the number; otherwise 0. Does not read the file.
EMSCRIPTEN_KEEPALIVE bool polystore_engine_expiry(std::size_t key_length) {
    const std::optional<std::int64_t> expires = opened->expiry_of(text_at(0, key_length));
    if (expires) number = to_number(*expires);
    return expires.has_value();
}

// These calls add changes to the batch that `apply` makes.

EMSCRIPTEN_KEEPALIVE int polystore_engine_put(std::size_t key_length, std::size_t value_length, double expires) {
    return guarded([&] {
        return add({std::string(text_at(0, key_length)),
                    Stored{std::string(text_at(key_length, value_length)), to_instant(expires)}});
    });
}

EMSCRIPTEN_KEEPALIVE int polystore_engine_erase(std::size_t key_length) {
    return guarded([&] { return add({std::string(text_at(0, key_length)), std::nullopt}); });
}

/// Erases the keys of a range. Returns their number.
EMSCRIPTEN_KEEPALIVE int polystore_engine_clear(std::size_t start_length, std::size_t end_length) {
    return guarded([&] { return add_all(opened->removal_of(range_of(start_length, end_length))); });
}

/// Erases at most `limit` keys of a range that have expired by `now`. Returns their number.
EMSCRIPTEN_KEEPALIVE int polystore_engine_prune(std::size_t start_length, std::size_t end_length, double now,
                                                std::size_t limit) {
    return guarded([&] {
        Range range = range_of(start_length, end_length);
        range.limit = limit;
        return add_all(opened->removal_of_expired(to_instant(now), range));
    });
}

/// Writes the note of a session.
EMSCRIPTEN_KEEPALIVE int polystore_engine_note(double session, double sequence, double result, double now) {
    return guarded([&] {
        return add(change_of_note(static_cast<std::uint64_t>(session),
                                  {static_cast<std::uint64_t>(sequence), static_cast<std::uint64_t>(result),
                                   static_cast<std::int64_t>(now)}));
    });
}

EMSCRIPTEN_KEEPALIVE int polystore_engine_erase_note(double session) {
    return guarded([&] { return add(removal_of_note(static_cast<std::uint64_t>(session))); });
}

/// Makes all changes that were added since the last call, or none of them.
EMSCRIPTEN_KEEPALIVE int polystore_engine_apply() {
    return guarded([&] { return status_of(opened->apply(std::exchange(batch, {}))); });
}

/// Returns 1 if a session's note is of the batch `sequence` or a later one, otherwise 0. If it is of `sequence` itself,
/// the number is the result of that batch.
EMSCRIPTEN_KEEPALIVE int polystore_engine_noted(double session, double sequence) {
    return guarded([&] {
        Result<std::optional<Note>> note = find_note(*opened, static_cast<std::uint64_t>(session));
        if (!note.ok()) return fail(note.failure());
        if (!*note || static_cast<double>((*note)->sequence) < sequence) return 0;
        number = static_cast<double>((*note)->sequence) == sequence ? static_cast<double>((*note)->result) : 0;
        return 1;
    });
}

EMSCRIPTEN_KEEPALIVE int polystore_engine_forget_notes(double before) {
    return guarded([&] { return status_of(forget_notes(*opened, to_instant(before))); });
}

/// Begins a scan of at most `limit` entries of a range, of which the last comes first if `reverse`. Returns the scan's
/// number.
EMSCRIPTEN_KEEPALIVE int polystore_engine_scan(std::size_t start_length, std::size_t end_length, std::size_t limit,
                                               bool reverse) {
    return guarded([&] {
        Range range = range_of(start_length, end_length);
        range.limit = limit;
        range.reverse = reverse;
        scans.emplace(++last_scan, opened->scan(range));
        return last_scan;
    });
}

EMSCRIPTEN_KEEPALIVE void polystore_engine_end_scan(int scan) { scans.erase(scan); }

/// Returns the number of the next entries: at most `limit`, and fewer once their keys and values have `kPageBytes`.
/// Returns 0 only at the end. The output contains, for all of these entries: the expiries (f64); the lengths of the
/// keys and, if `with_values`, of the values (u32); the keys; and the values, each followed by a comma. If there is not
/// enough memory for a page, the scan ends.
EMSCRIPTEN_KEEPALIVE int polystore_engine_next(int number_of_scan, std::size_t limit, bool with_values) {
    return guarded([&] {
        Scan& scan = scans.find(number_of_scan)->second;
        std::vector<double> expires;
        std::vector<std::uint32_t> key_lengths;
        std::vector<std::uint32_t> value_lengths;
        std::string keys;
        std::string values;
        std::string buffer;
        while (expires.size() < limit && keys.size() + values.size() < kPageBytes && scan.next()) {
            expires.push_back(to_number(scan.expires()));
            key_lengths.push_back(static_cast<std::uint32_t>(scan.key().size()));
            keys.append(scan.key());
            if (!with_values) continue;
            Result<std::string_view> value = scan.read(buffer);
            if (!value.ok()) return fail(value.failure());
            value_lengths.push_back(static_cast<std::uint32_t>(value->size()));
            values.append(*value).push_back(',');
        }
        output.clear();
        output.reserve(16 * expires.size() + keys.size() + values.size());
        append_bytes(output, expires);
        append_bytes(output, key_lengths);
        append_bytes(output, value_lengths);
        output.append(keys).append(values);
        return static_cast<int>(expires.size());
    });
}

/// The earliest expiry of all keys.
EMSCRIPTEN_KEEPALIVE double polystore_engine_next_expiry() { return to_number(opened->next_expiry()); }

// For a caller that syncs the file itself and continues meanwhile. These are the number of applied batches, the number
// of flushed ones, the number of the file when a flush begins, and the call for its end. If the sync failed, the input
// of that call is the message.
EMSCRIPTEN_KEEPALIVE double polystore_engine_applied() { return static_cast<double>(opened->applied()); }
EMSCRIPTEN_KEEPALIVE double polystore_engine_flushed() { return static_cast<double>(opened->flushed()); }
EMSCRIPTEN_KEEPALIVE int polystore_engine_begin_flush() { return wasm::number_of(*opened->begin_flush()); }
EMSCRIPTEN_KEEPALIVE int polystore_engine_end_flush(std::size_t message_length) {
    return guarded([&] {
        Status synced = Done{};
        if (message_length > 0) synced = Failure{ErrorCode::client, std::string(text_at(0, message_length))};
        return status_of(opened->end_flush(std::move(synced)));
    });
}

EMSCRIPTEN_KEEPALIVE void polystore_engine_mark_synced() { opened->mark_synced(); }

EMSCRIPTEN_KEEPALIVE bool polystore_engine_wants_compaction() { return opened->wants_compaction(); }

/// Continues a compaction, or with 0 bytes cancels it. Returns 0 at the end and 1 if there is more to do. If a file
/// must be synced before the compaction continues, this returns the number of that file plus 2.
EMSCRIPTEN_KEEPALIVE int polystore_engine_compact(std::size_t bytes) {
    return guarded([&] {
        if (bytes == 0) {
            opened->give_up_compaction();
            return 0;
        }
        Engine::CompactionFiles files;
        Result<bool> more = opened->step_compaction(bytes, files);
        if (!more.ok()) return fail(more.failure());
        return files.to_sync ? wasm::number_of(*files.to_sync) + 2 : static_cast<int>(*more);
    });
}
}
