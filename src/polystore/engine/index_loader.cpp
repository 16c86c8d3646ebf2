// Radix sort by eight bytes of the keys, those after their shared prefix, read as numbers: 11 bits at a time from the
// lowest on, without comparisons. Keys that are equal in these bytes are sorted by the next eight, or by comparing
// whole keys if there are few.

#include "polystore/engine/index_loader.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "polystore/engine/key_head.hpp"

namespace polystore::engine {
namespace {

constexpr std::size_t kHeadBytes = 8;
/// Fewer keys than this are sorted faster by comparing them.
constexpr std::size_t kFew = 64;
/// The maximum depth of the recursion, which sorts by eight more bytes at each level. Then whole keys are compared.
constexpr std::size_t kMostDepth = 8;
/// The size of a block. In a single growing buffer, every change would be copied once more.
constexpr std::size_t kBlock = std::size_t{1} << 16U;
/// How many changes ahead memory is prefetched.
constexpr std::size_t kAhead = 16;

}  // namespace

/// Returns true if all keys so far came in order and `key` comes after them.
bool IndexLoader::goes_on_in_order(std::string_view key) {
    if (!last_) return false;
    if (in_order_.size() == 0 || key > *last_) return true;
    index_ = in_order_.finish();
    last_.reset();
    return false;
}

void IndexLoader::add(std::string_view key, const Place& place) {
    if (count_ >= std::max(most_, index_.size())) merge();
    const Change change = {place.offset, place.expires, place.value_length, static_cast<std::uint32_t>(key.size())};
    const std::size_t size = sizeof(change) + key.size();
    if (blocks_.empty() || blocks_.back().size - blocks_.back().used < size) {
        const std::size_t block = std::max(kBlock, size);
        blocks_.push_back({std::unique_ptr<char[]>(new char[block]), block, 0});
    }
    Block& block = blocks_.back();
    std::memcpy(block.bytes.get() + block.used, &change, sizeof(change));
    key.copy(block.bytes.get() + block.used + sizeof(change), key.size());
    block.used += size;
    ++count_;
}

/// Removes the leading bits of each byte that are equal in all heads, which keeps their order: decimal digits, for
/// example, differ in four of eight bits. Returns the number of remaining bits.
unsigned IndexLoader::shorten_heads(std::span<Ordered> run) {
    std::uint64_t differing = 0;
    for (const Ordered& ordered : run) differing |= ordered.head ^ run.front().head;
    struct Part {
        unsigned shift;
        unsigned width;
    };
    std::array<Part, kHeadBytes> parts{};
    std::size_t count = 0;
    unsigned total = 0;
    for (unsigned shift = 8 * kHeadBytes; shift > 0;) {
        shift -= 8;
        const auto width = static_cast<unsigned>(std::bit_width((differing >> shift) & 0xFFU));
        if (width > 0) parts[count++] = {shift, width};
        total += width;
    }
    if (total == 8 * kHeadBytes) return total;
    for (Ordered& ordered : run) {
        std::uint64_t head = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint64_t mask = (std::uint64_t{1} << parts[i].width) - 1;
            head = head << parts[i].width | (ordered.head >> parts[i].shift & mask);
        }
        ordered.head = head;
    }
    return total;
}

void IndexLoader::sort_by_head(std::span<Ordered> run) {
    constexpr unsigned kBits = 11;  // The counters of 2,048 buckets fit into the cache.
    constexpr std::size_t kBuckets = std::size_t{1} << kBits;
    const unsigned bits = shorten_heads(run);
    scratch_.resize(run.size());
    std::span<Ordered> from = run;
    std::span<Ordered> to = scratch_;
    for (unsigned shift = 0; shift < bits; shift += kBits) {
        const auto digit = [shift](const Ordered& ordered) {
            return static_cast<std::size_t>((ordered.head >> shift) % kBuckets);
        };
        std::array<std::uint32_t, kBuckets> buckets{};
        for (const Ordered& ordered : from) ++buckets[digit(ordered)];
        std::uint32_t begin = 0;
        for (std::uint32_t& bucket : buckets) begin += std::exchange(bucket, begin);
        for (const Ordered& ordered : from) to[buckets[digit(ordered)]++] = ordered;
        std::swap(from, to);
    }
    if (from.data() != run.data()) std::copy(from.begin(), from.end(), run.begin());
}

/// Sorts `run`, whose heads are known, by key. Equal keys keep the order of the log, in which they arrive.
void IndexLoader::sort(std::span<Ordered> run, std::size_t depth) {
    const auto before = [](const Ordered& left, const Ordered& right) { return key_at(left.at) < key_at(right.at); };
    sort_by_head(run);
    for (auto begin = run.begin(); begin != run.end();) {
        const auto end =
            std::find_if(begin, run.end(), [&](const Ordered& other) { return other.head != begin->head; });
        const std::span<Ordered> same(begin, end);
        // If a whole run has the same head, it is one key, or some keys end where others continue with zero bytes.
        if (same.size() < kFew || same.size() == run.size() || depth == kMostDepth) {
            if (!std::is_sorted(begin, end, before)) std::stable_sort(begin, end, before);
        } else {
            find_heads(same);
            sort(same, depth + 1);
        }
        begin = end;
    }
}

void IndexLoader::find_heads(std::span<Ordered> run) {
    std::string_view common = key_at(run.front().at);
    for (const Ordered& ordered : run) {
        const std::string_view key = key_at(ordered.at);
        if (!key.starts_with(common)) common = common.substr(0, common_length(common, key));
    }
    for (Ordered& ordered : run) ordered.head = head_of<std::uint64_t>(key_at(ordered.at), common.size());
}

void IndexLoader::merge() {
    order_.clear();
    order_.reserve(count_);
    for (const Block& block : blocks_) {
        const char* const end = block.bytes.get() + block.used;
        for (const char* at = block.bytes.get(); at != end; at += sizeof(Change) + key_at(at).size()) {
            order_.push_back({0, at});
        }
    }
    if (!order_.empty()) {
        find_heads(order_);
        sort(order_, 0);
    }
    Index::Builder builder;
    Index::Walk old(std::exchange(index_, {}));
    old.seek("");
    for (std::size_t i = 0; i < order_.size(); ++i) {
        // The changes lie in another order in memory. Without prefetching, waiting takes 33 % of opening a log.
        if (i + kAhead < order_.size()) __builtin_prefetch(order_[i + kAhead].at);
        const std::string_view key = key_at(order_[i].at);
        // Only the last change of a key counts. Equal keys have equal heads.
        if (i + 1 < order_.size() && order_[i + 1].head == order_[i].head && key_at(order_[i + 1].at) == key) continue;
        for (; old.on_entry() && old.key() < key; old.next()) builder.add(old.key(), old.place());
        if (old.on_entry() && old.key() == key) old.next();
        const Change change = change_at(order_[i].at);
        if (change.value_length != kErased) builder.add(key, {change.offset, change.expires, change.value_length});
    }
    for (; old.on_entry(); old.next()) builder.add(old.key(), old.place());
    index_ = builder.finish();
    blocks_.clear();
    count_ = 0;
}

Index IndexLoader::finish() {
    if (last_) return in_order_.finish();
    merge();
    return std::exchange(index_, {});
}

}  // namespace polystore::engine
