// Opens arbitrary bytes as a log. Opening must succeed, or report the damage and leave the bytes unchanged. An opened
// log must work like any store, and a damaged one must be salvaged.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "polystore/engine/log_reader.hpp"
#include "polystore/engine/notes.hpp"
#include "polystore/engine/salvage.hpp"
#include "support/engine.hpp"
#include "support/fault_env.hpp"

using namespace polystore;
using namespace polystore::engine;
using namespace polystore::testing;

namespace {

using Model = std::map<std::string, Stored>;

/// An exception ends the fuzzer, which prints it and keeps the input.
void require(bool holds, const std::string& what) {
    if (!holds) throw std::runtime_error("Not so: " + what);
}

void require_corrupt(const Failure& failure) { require(failure.code == ErrorCode::corrupt, failure.message); }

/// Returns the contents of a log, read without an index. `whole` tells if the log ends with a complete batch.
Model replayed(const std::string& bytes, bool& whole) {
    FaultEnv env;
    env.put(kPath, bytes);
    const auto file = got(env.open(kPath));
    LogReader reader(*file, *decode_header(bytes), kHeaderSize, bytes.size());
    Model model;
    Model with_batch;
    std::uint64_t end = kHeaderSize;
    while (got(reader.next()) == LogReader::Found::record) {
        const RecordView& record = reader.record();
        if (record.kind == Kind::put) {
            with_batch[std::string(record.key)] = {std::string(record.value), record.expires};
        }
        if (record.kind == Kind::erase) with_batch.erase(std::string(record.key));
        if (reader.follows()) continue;
        model = with_batch;
        end = reader.offset();
    }
    whole = end == bytes.size();
    return model;
}

void require_same(Engine& engine, const Model& model) {
    std::vector<std::pair<std::string, std::string>> pairs;
    std::int64_t next = kNoExpiry;
    for (const auto& [key, stored] : model) {
        pairs.emplace_back(key, stored.value);
        require(stored_at(engine, key) == stored, "get gives what is stored");
        next = std::min(next, stored.expires);
    }
    require(engine.size() == model.size(), "the size is that of the contents");
    require(engine.next_expiry() == next, "the next expiry is the first of all");
    require(listed(engine.scan({})) == pairs, "a scan gives what is stored");
    std::reverse(pairs.begin(), pairs.end());
    require(listed(engine.scan({.reverse = true})) == pairs, "a scan in reverse gives what is stored");
}

std::size_t size_of_log(const Model& model) {
    std::size_t size = kHeaderSize;
    for (const auto& [key, stored] : model) size += kHeadSize + key.size() + stored.value.size();
    return size;
}

/// Uses every method of the engine, and opens the log again after each.
void go_on(FaultEnv& env, std::unique_ptr<Engine> engine, Model model) {
    const auto require_same_again = [&] {
        require_same(*engine, model);
        engine.reset();
        engine = opened(env);
        require_same(*engine, model);
    };
    require_same_again();

    const std::string first = model.empty() ? "" : model.begin()->first;
    got(engine->apply({set("new", "value", 7), erase(first), set("other", "")}));
    model["new"] = {"value", 7};
    model.erase(first);
    model["other"] = {"", kNoExpiry};
    require_same_again();

    const auto expired = std::erase_if(
        model, [](const auto& entry) { return entry.second.expires <= 7 && !entry.first.starts_with(kNoteMark); });
    require(got(engine->evict(7)) == expired, "what expired is removed");
    require_same_again();

    while (got(engine->compact(64))) continue;
    require(env.text(kPath).size() == size_of_log(model), "compaction leaves what is live");
    require_same_again();

    got(forget_notes(*engine, std::numeric_limits<std::int64_t>::max()));
    std::erase_if(model, [](const auto& entry) { return entry.first.starts_with(kNoteMark); });
    got(engine->clear(""));
    require(engine->size() == 0, "clear leaves nothing");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string bytes(reinterpret_cast<const char*>(data), size);
    FaultEnv env;
    env.put(kPath, bytes);
    Model model;
    bool whole = false;
    auto engine = Engine::open(env, kPath);
    const bool opens = engine.ok();
    if (opens) {
        if (!bytes.empty()) model = replayed(bytes, whole);
        go_on(env, std::move(*engine), model);
    } else {
        if (engine.failure().code != ErrorCode::unsupported) require_corrupt(engine.failure());
        require(env.text(kPath) == bytes, "what cannot be opened is left as it is");
    }

    env.put(kPath, bytes);
    auto salvaged = salvage(env, kPath, "saved.kv");
    require(env.text(kPath) == bytes, "what is salvaged is left as it is");
    if (!salvaged.ok()) {
        require_corrupt(salvaged.failure());
        require(!opens || bytes.empty(), "what opens can be salvaged");
        return 0;
    }
    require(salvaged->lost_bytes <= size - kHeaderSize, "no more is lost than there was");
    const auto saved = opened(env, "saved.kv");
    if (whole) require_same(*saved, model);
    return 0;
}
