#pragma once

#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "polystore/client.hpp"

/// Calls of a client, as the driver of a store makes them.
namespace polystore::testing {

/// Makes a commit. Returns false if an expectation did not hold; throws if the commit failed.
inline bool is_made(Client& client, const Commit& commit) {
    const std::vector<CommitOutcome> outcomes = client.commit({&commit, 1});
    if (outcomes.at(0).error) std::rethrow_exception(outcomes[0].error);
    return outcomes[0].made;
}

inline void put(Client& client, const std::string& id, Record record) {
    if (!is_made(client, {.changes = {{id, std::move(record)}}})) throw std::logic_error("a put was refused");
}

inline void remove(Client& client, const std::string& id) {
    if (!is_made(client, {.changes = {{id}}})) throw std::logic_error("a removal was refused");
}

/// Returns the entries of a range.
inline std::vector<Entry> scanned(Client& client, const Range& range) {
    std::vector<Entry> entries;
    const auto cursor = client.scan(range);
    while (auto page = cursor->next(2)) {
        for (Entry& entry : *page) entries.push_back(std::move(entry));
    }
    return entries;
}

/// Returns the ids in a range.
inline std::vector<std::string> ids_in(Client& client, const Range& range) {
    std::vector<std::string> ids;
    for (Entry& entry : scanned(client, range)) ids.push_back(std::move(entry.id));
    return ids;
}

}  // namespace polystore::testing
