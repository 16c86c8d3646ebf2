#pragma once

#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "polystore/engine/engine.hpp"

/// Helper functions for the tests of the engine.
namespace polystore::testing {

inline const std::string kPath = "data.kv";

/// Returns the result of a call. A failure of the call fails the test.
template <typename T>
T got(engine::Result<T> result) {
    if (result.ok()) return std::move(*result);
    throw std::runtime_error(std::string(name_of(result.failure().code)) + ": " + result.failure().message);
}

/// Returns the failure of a call as "ERR_...: message", or "" if it did not fail.
template <typename T>
std::string failure_in(engine::Result<T> result) {
    return result.ok() ? "" : std::string(name_of(result.failure().code)) + ": " + result.failure().message;
}

inline std::unique_ptr<engine::Engine> opened(engine::Env& env, const std::string& path = kPath) {
    return got(engine::Engine::open(env, path));
}

inline engine::Change set(std::string key, std::string value, std::int64_t expires = engine::kNoExpiry) {
    return {std::move(key), engine::Stored{std::move(value), expires}};
}

inline engine::Change erase(std::string key) { return {std::move(key), std::nullopt}; }

inline std::vector<std::pair<std::string, std::string>> listed(engine::Scan scan) {
    std::vector<std::pair<std::string, std::string>> entries;
    std::string buffer;
    while (scan.next()) entries.emplace_back(scan.key(), got(scan.read(buffer)));
    return entries;
}

/// Returns the value and expiry at `key` in an engine of either kind.
template <typename AnyEngine>
std::optional<engine::Stored> stored_at(AnyEngine& engine, std::string_view key) {
    engine::Stored stored;
    const std::optional<std::int64_t> expires = got(engine.get(key, stored.value));
    if (!expires) return std::nullopt;
    stored.expires = *expires;
    return stored;
}

/// Returns true if a log ends with a mark that everything before it is synced.
inline bool ends_with_mark(std::string_view log) {
    const auto head = engine::decode_head(log.substr(log.size() - engine::kHeadSize), *engine::decode_header(log));
    return head && head->kind == engine::Kind::mark && head->unsynced == 0;
}

/// Returns all entries from a scan, and checks that `get` and `size` agree with them.
inline std::map<std::string, std::string> contents(engine::Engine& engine) {
    std::map<std::string, std::string> all;
    for (auto& [key, value] : listed(engine.scan({}))) {
        const auto stored = stored_at(engine, key);
        if (!stored || stored->value != value) throw std::runtime_error("get and scan differ at " + key);
        all.emplace(std::move(key), std::move(value));
    }
    if (all.size() != engine.size()) throw std::runtime_error("size and scan differ");
    return all;
}

}  // namespace polystore::testing

namespace polystore::engine {
[[nodiscard]] inline bool operator==(const Stored& left, const Stored& right) {
    return left.value == right.value && left.expires == right.expires;
}
}  // namespace polystore::engine
