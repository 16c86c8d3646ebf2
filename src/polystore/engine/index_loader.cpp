// Sorts by eight bytes of the keys, those after what all begin with, as numbers: byte by byte from the last one on,
// which takes no comparison. What is equal in these is sorted by the next eight, or by whole keys where there are few.

#include "polystore/engine/index_loader.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace polystore::engine {
namespace {

constexpr std::size_t kHeadBytes = 8;
/// So few are sorted faster by comparing them.
constexpr std::size_t kFew = 64;
/// How many times eight bytes are looked at before whole keys are compared.
constexpr std::size_t kMostDepth = 8;
/// How many changes ahead memory is asked for.
constexpr std::size_t kAhead = 16;

std::uint64_t head_of(std::string_view key, std::size_t begin) {
    std::uint64_t head = 0;
    if (begin + kHeadBytes <= key.size()) {  // A loop that the compiler makes one instruction of.
        for (std::size_t i = begin; i < begin + kHeadBytes; ++i) head = head << 8U | static_cast<unsigned char>(key[i]);
        return head;
    }
    for (std::size_t i = begin; i < begin + kHeadBytes; ++i) {
        head = head << 8U | (i < key.size() ? static_cast<unsigned char>(key[i]) : 0U);
    }
    return head;
}

}  // namespace

void IndexLoader::add(std::string_view key, const Place& place, bool erases) {
    if (order_.size() >= std::max(most_, index_.size())) merge();
    order_.push_back({0, changes_.size()});
    const Change change = {place, static_cast<std::uint32_t>(key.size()), erases};
    changes_.append(reinterpret_cast<const char*>(&change), sizeof(change));
    changes_ += key;
}

void IndexLoader::sort_by_head(std::span<Ordered> run) {
    scratch_.resize(run.size());
    std::span<Ordered> from = run;
    std::span<Ordered> to = scratch_;
    for (std::size_t shift = 0; shift < 8 * kHeadBytes; shift += 8) {
        std::array<std::uint32_t, 256> buckets{};
        for (const Ordered& ordered : from) ++buckets[(ordered.head >> shift) & 0xFFU];
        if (buckets[(from.front().head >> shift) & 0xFFU] == from.size()) continue;  // The same in all.
        std::uint32_t begin = 0;
        for (std::uint32_t& bucket : buckets) begin += std::exchange(bucket, begin);
        for (const Ordered& ordered : from) to[buckets[(ordered.head >> shift) & 0xFFU]++] = ordered;
        std::swap(from, to);
    }
    if (from.data() != run.data()) std::copy(from.begin(), from.end(), run.begin());
}

/// Sorts `run` by key, and what has the same key by its order in the log, in which it comes.
void IndexLoader::sort(std::span<Ordered> run, std::size_t depth) {
    const auto before = [this](const Ordered& left, const Ordered& right) {
        const int order = key_at(left.at).compare(key_at(right.at));
        return order != 0 ? order < 0 : left.at < right.at;
    };
    if (run.size() < 2) return;
    if (run.size() < kFew || depth == kMostDepth) return std::sort(run.begin(), run.end(), before);

    const std::string_view first = key_at(run.front().at);
    std::size_t common = first.size();
    for (const Ordered& ordered : run) {
        const std::string_view key = key_at(ordered.at);
        common = std::min(common, key.size());
        if (!key.starts_with(first.substr(0, common))) {
            common = static_cast<std::size_t>(std::mismatch(key.begin(), key.end(), first.begin()).first - key.begin());
        }
    }
    for (Ordered& ordered : run) ordered.head = head_of(key_at(ordered.at), common);
    sort_by_head(run);
    for (auto begin = run.begin(); begin != run.end();) {
        const auto end =
            std::find_if(begin, run.end(), [&](const Ordered& other) { return other.head != begin->head; });
        const std::span<Ordered> same(begin, end);
        if (same.size() < run.size()) {
            sort(same, depth + 1);
        } else if (!std::is_sorted(begin, end, before)) {
            std::sort(begin, end, before);  // Some keys end where others go on with zeros. Else it is one key.
        }
        begin = end;
    }
}

void IndexLoader::merge() {
    sort(order_, 0);
    Index::Builder builder;
    Index::Walk old(std::exchange(index_, {}));
    old.seek("");
    for (std::size_t i = 0; i < order_.size(); ++i) {
        // They lie in another order, so that each would be waited for: a third of the time of opening a log.
        if (i + kAhead < order_.size()) __builtin_prefetch(changes_.data() + order_[i + kAhead].at);
        const std::string_view key = key_at(order_[i].at);
        // Only the last change of a key counts. What is equal has the same head.
        if (i + 1 < order_.size() && order_[i + 1].head == order_[i].head && key_at(order_[i + 1].at) == key) continue;
        for (; old.on_entry() && old.key() < key; old.next()) builder.add(old.key(), old.place());
        if (old.on_entry() && old.key() == key) old.next();
        const Change change = change_at(order_[i].at);
        if (!change.erases) builder.add(key, change.place);
    }
    for (; old.on_entry(); old.next()) builder.add(old.key(), old.place());
    index_ = builder.finish();
    changes_.clear();
    order_.clear();
}

Index IndexLoader::finish() {
    merge();
    return std::exchange(index_, {});
}

}  // namespace polystore::engine
