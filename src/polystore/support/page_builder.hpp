#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "polystore/client.hpp"

namespace polystore {

/// Estimates the bytes of a value in memory.
[[nodiscard]] std::size_t size_of(const Json& value);

/// A page of a cursor, which is full once it has a number of records, or a megabyte.
class PageBuilder {
   public:
    explicit PageBuilder(std::size_t limit) : limit_(limit) {}

    [[nodiscard]] bool is_full() const { return entries_.size() >= limit_ || bytes_ >= kBytes; }

    void add(Entry entry) {
        bytes_ += entry.id.size() + size_of(entry.record.value);
        entries_.push_back(std::move(entry));
    }

    [[nodiscard]] std::vector<Entry> take() { return std::move(entries_); }

   private:
    /// The last record may exceed it.
    static constexpr std::size_t kBytes = std::size_t{1} << 20U;

    std::size_t limit_;
    std::size_t bytes_ = 0;
    std::vector<Entry> entries_;
};

}  // namespace polystore
