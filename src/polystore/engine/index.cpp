// The keys of a node are stored in one string, one after the other. Each key also has a head: a number made of the four
// bytes after the prefix that all keys of the node share. A search thus compares adjacent numbers, and reads few keys
// besides the one that it looks for.
//
// A leaf has one place per key. An inner node has one child more than keys: child `i` holds the keys less than key `i`
// and not less than key `i - 1`. An inner node also knows the earliest expiry in each child.
//
// A node that two indexes share (its reference is not the only one) is never changed: `own` copies it first. The path
// to a node begins at the root, which is then shared too, so everything below a shared node counts as shared.
//
// An empty node is removed. A sparse node stays until compaction, which builds the index anew.
//
// Every change allocates its memory before it changes anything, so std::bad_alloc leaves the index with the entries
// that it had. An insertion therefore splits full nodes on its way down, not on its way back. A split does not change
// any entry, so a failure below it leaves a valid tree.

#include "polystore/engine/index.hpp"

#include <algorithm>
#include <array>

#include "polystore/engine/key_head.hpp"
#include "polystore/engine/log_format.hpp"

namespace polystore::engine {
namespace {

/// The number of keys at which a node splits.
constexpr std::size_t kMostKeys = 64;
/// Long keys split a node earlier, because inserting a key moves all keys behind it.
constexpr std::size_t kMostBytes = 8192;
/// The number of keys in a node that `Builder` fills: with some room left, the next insertion does not split it.
constexpr std::size_t kBuiltKeys = kMostKeys * 7 / 8;

template <typename Array, typename Item>
void insert_at(Array& array, std::size_t size, std::size_t i, Item item) {
    const auto begin = array.begin();
    std::move_backward(begin + static_cast<std::ptrdiff_t>(i), begin + static_cast<std::ptrdiff_t>(size),
                       begin + static_cast<std::ptrdiff_t>(size) + 1);
    array[i] = std::move(item);
}

template <typename Array>
void erase_at(Array& array, std::size_t size, std::size_t i) {
    const auto begin = array.begin();
    std::move(begin + static_cast<std::ptrdiff_t>(i) + 1, begin + static_cast<std::ptrdiff_t>(size),
              begin + static_cast<std::ptrdiff_t>(i));
}

/// Moves the elements from `first` on to the front of another array.
template <typename Array>
void move_tail(Array& from, std::size_t first, std::size_t size, Array& to) {
    std::move(from.begin() + static_cast<std::ptrdiff_t>(first), from.begin() + static_cast<std::ptrdiff_t>(size),
              to.begin());
}

template <typename Array>
auto least(const Array& array, std::size_t size) {
    return *std::min_element(array.begin(), array.begin() + static_cast<std::ptrdiff_t>(size));
}

}  // namespace

/// The places of a leaf, as one array per field: a `get` does not need the expiries, which few keys have.
class Index::Places {
   public:
    Places() = default;
    Places(const Places& other)
        : offsets_(other.offsets_),
          lengths_(other.lengths_),
          expiries_(other.expiries_ ? std::make_unique<Expiries>(*other.expiries_) : nullptr) {}
    Places& operator=(const Places&) = delete;
    ~Places() = default;

    [[nodiscard]] Place at(std::size_t i) const { return {offsets_[i], expiry(i), lengths_[i]}; }
    [[nodiscard]] std::int64_t expiry(std::size_t i) const { return expiries_ ? (*expiries_)[i] : kNoExpiry; }

    [[nodiscard]] std::int64_t earliest(std::size_t size) const {
        if (!expiries_) return kNoExpiry;
        return least(*expiries_, size);
    }

    /// Allocates the memory that `set` and `insert` need for a place, so that they cannot fail afterwards.
    void prepare(const Place& place) {
        if (place.expires != kNoExpiry) allow_expiries();
    }

    void set(std::size_t i, const Place& place) {
        prepare(place);
        offsets_[i] = place.offset;
        lengths_[i] = place.value_length;
        if (expiries_) (*expiries_)[i] = place.expires;
    }

    void insert(std::size_t size, std::size_t i, const Place& place) {
        prepare(place);
        insert_at(offsets_, size, i, place.offset);
        insert_at(lengths_, size, i, place.value_length);
        if (expiries_) insert_at(*expiries_, size, i, place.expires);
    }

    void erase(std::size_t size, std::size_t i) {
        erase_at(offsets_, size, i);
        erase_at(lengths_, size, i);
        if (expiries_) erase_at(*expiries_, size, i);
    }

    /// Moves the elements from `first` on to the front of `to`, which is empty.
    void move_tail(std::size_t first, std::size_t size, Places& to) {
        engine::move_tail(offsets_, first, size, to.offsets_);
        engine::move_tail(lengths_, first, size, to.lengths_);
        if (!expiries_) return;
        to.allow_expiries();
        engine::move_tail(*expiries_, first, size, *to.expiries_);
    }

    /// Prefetches the memory that a `get` reads, before the position in it is known.
    void expect() const {
        constexpr std::size_t kLine = 64;
        const char* const begin = reinterpret_cast<const char*>(this);
        for (std::size_t i = 0; i < sizeof(offsets_) + sizeof(lengths_); i += kLine) __builtin_prefetch(begin + i);
    }

   private:
    using Expiries = std::array<std::int64_t, kMostKeys>;

    void allow_expiries() {
        if (expiries_) return;
        expiries_ = std::make_unique<Expiries>();
        expiries_->fill(kNoExpiry);
    }

    std::array<std::uint64_t, kMostKeys> offsets_{};
    std::array<std::uint32_t, kMostKeys> lengths_{};
    std::unique_ptr<Expiries> expiries_;
};

struct Index::Node {
    const bool is_leaf;
    std::uint32_t count = 0;   ///< The number of keys.
    std::uint32_t common = 0;  ///< The length of the prefix that all keys share and that the heads omit.
    std::array<std::uint32_t, kMostKeys> heads{};
    std::array<std::uint32_t, kMostKeys> ends{};
    std::string keys;

    Node& operator=(const Node&) = delete;
    ~Node() = default;

    [[nodiscard]] Leaf& leaf();
    [[nodiscard]] const Leaf& leaf() const;
    [[nodiscard]] Inner& inner();
    [[nodiscard]] const Inner& inner() const;

    [[nodiscard]] std::size_t begin_of(std::size_t i) const { return i == 0 ? 0 : ends[i - 1]; }
    [[nodiscard]] std::string_view key(std::size_t i) const {
        return {keys.data() + begin_of(i), ends[i] - begin_of(i)};
    }

    /// Returns how many keys are less than `sought`; if `or_same` is true, less than or equal to it.
    [[nodiscard]] std::size_t rank(std::string_view sought, bool or_same) const {
        if (const int order = sought.substr(0, common).compare({keys.data(), common}); order != 0) {
            return order < 0 ? 0 : count;
        }
        const auto head = head_of<std::uint32_t>(sought, common);
        std::uint32_t low = 0;
        std::uint32_t high = 0;
        // This visits all heads: without a branch, several are compared at a time, with one wait for their memory.
        for (std::size_t i = 0; i < count; ++i) {
            low += heads[i] < head ? 1U : 0U;
            high += heads[i] <= head ? 1U : 0U;
        }
        while (low < high) {
            const std::uint32_t middle = (low + high) / 2;
            const int order = key(middle).compare(sought);
            if (order < 0 || (or_same && order == 0)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    [[nodiscard]] std::size_t child_for(std::string_view sought) const { return rank(sought, true); }

    [[nodiscard]] bool holds(std::size_t i, std::string_view sought) const { return i < count && key(i) == sought; }

    /// Returns the position of `sought`, or `count` if it is not there. Unlike `rank`, this does not read keys whose
    /// head differs. A `sought` without the shared prefix is not equal to any key anyway.
    [[nodiscard]] std::size_t find(std::string_view sought) const {
        const auto head = head_of<std::uint32_t>(sought, common);
        for (std::size_t i = 0; i < count; ++i) {
            if (heads[i] == head && key(i) == sought) return i;
        }
        return count;
    }

    /// Like `find`, but may return another key of the same length if only that key has the head of `sought`.
    [[nodiscard]] std::size_t find_likely(std::string_view sought) const {
        const auto head = head_of<std::uint32_t>(sought, common);
        std::uint32_t same = 0;
        std::uint32_t at = 0;  // The sum of the matching positions: this needs no branch.
        for (std::uint32_t i = 0; i < count; ++i) {
            same += heads[i] == head ? 1U : 0U;
            at += heads[i] == head ? i : 0U;
        }
        return same == 1 && key(at).size() == sought.size() ? at : find(sought);
    }

    void insert_key(std::size_t i, std::string_view new_key) {
        const bool has_common = count > 0 && new_key.starts_with(std::string_view{keys}.substr(0, common));
        const std::size_t begin = begin_of(i);
        keys.insert(begin, new_key);
        insert_at(heads, count, i, head_of<std::uint32_t>(new_key, common));
        insert_at(ends, count, i, static_cast<std::uint32_t>(begin));
        ++count;
        for (std::size_t k = i; k < count; ++k) ends[k] += static_cast<std::uint32_t>(new_key.size());
        if (!has_common) find_heads();
    }

    /// Appends a key as the last one. The caller must call `find_heads` later.
    void append_key(std::string_view new_key) {
        keys += new_key;
        ends[count++] = static_cast<std::uint32_t>(keys.size());
    }

    void erase_key(std::size_t i) {
        const std::size_t length = key(i).size();
        keys.erase(begin_of(i), length);
        erase_at(heads, count, i);
        erase_at(ends, count, i);
        --count;
        for (std::size_t k = i; k < count; ++k) ends[k] -= static_cast<std::uint32_t>(length);
        if (count == 0) common = 0;  // Otherwise, the remaining keys still share this prefix, or a longer one.
    }

    void find_heads() {
        common = static_cast<std::uint32_t>(count == 0 ? 0 : common_length(key(0), key(count - 1)));
        for (std::size_t i = 0; i < count; ++i) heads[i] = head_of<std::uint32_t>(key(i), common);
    }

    [[nodiscard]] bool is_full() const { return count == kMostKeys || (keys.size() > kMostBytes && count > 3); }

    /// The earliest expiry of the keys in this node and below it.
    [[nodiscard]] std::int64_t earliest() const;

    /// Like `Index::visit_expired`; returns false if `visit` did.
    bool visit_expired(std::int64_t now, std::string_view from,
                       const std::function<bool(std::string_view key)>& visit) const;

    [[nodiscard]] std::string_view first_key() const;

   protected:
    explicit Node(bool leaf) : is_leaf(leaf) {}
    Node(const Node&) = default;
};

struct Index::Leaf : Node {
    Leaf() : Node(true) {}

    /// Returns the place of key `i`, or `std::nullopt` if there is no such key.
    [[nodiscard]] std::optional<Place> place(std::size_t i) const {
        return i < count ? std::optional(places.at(i)) : std::nullopt;
    }

    Places places;
};

struct Index::Inner : Node {
    Inner() : Node(false) {}

    [[nodiscard]] std::size_t child_count() const { return std::size_t{count} + 1; }

    std::array<Ref, kMostKeys + 1> children;
    std::array<std::int64_t, kMostKeys + 1> expires{};  ///< The earliest expiry in each child.
};

Index::Leaf& Index::Node::leaf() { return static_cast<Leaf&>(*this); }
const Index::Leaf& Index::Node::leaf() const { return static_cast<const Leaf&>(*this); }
Index::Inner& Index::Node::inner() { return static_cast<Inner&>(*this); }
const Index::Inner& Index::Node::inner() const { return static_cast<const Inner&>(*this); }

std::int64_t Index::Node::earliest() const {
    if (is_leaf) return leaf().places.earliest(count);
    return least(inner().expires, inner().child_count());
}

std::string_view Index::Node::first_key() const {
    const Node* node = this;
    while (!node->is_leaf) node = node->inner().children.front().get();
    return node->key(0);
}

Index::Node& Index::own(Ref& ref) {
    if (ref.use_count() > 1) {
        ref = ref->is_leaf ? Ref(std::make_shared<Leaf>(ref->leaf())) : Ref(std::make_shared<Inner>(ref->inner()));
    }
    return *ref;
}

const Index::Leaf* Index::leaf_for(std::string_view key) const {
    const Node* node = root_.get();
    if (node == nullptr) return nullptr;
    while (!node->is_leaf) node = node->inner().children[node->child_for(key)].get();
    return &node->leaf();
}

std::optional<Place> Index::find(std::string_view key) const {
    const Leaf* const leaf = leaf_for(key);
    return leaf == nullptr ? std::nullopt : leaf->place(leaf->find(key));
}

std::optional<Place> Index::find_likely(std::string_view key) const {
    const Leaf* const leaf = leaf_for(key);
    if (leaf == nullptr) return std::nullopt;
    leaf->places.expect();
    return leaf->place(leaf->find_likely(key));
}

void Index::insert(Ref& ref, std::string_view key, const Place& place, std::optional<Place>& before) {
    Node& node = own(ref);
    if (node.is_leaf) {
        Leaf& leaf = node.leaf();
        const std::size_t i = leaf.rank(key, false);
        if (leaf.holds(i, key)) {
            before = leaf.places.at(i);
            leaf.places.set(i, place);
            return;
        }
        leaf.places.prepare(place);
        leaf.insert_key(i, key);
        leaf.places.insert(leaf.count - 1, i, place);
        return;
    }
    Inner& inner = node.inner();
    std::size_t i = inner.child_for(key);
    if (inner.children[i]->is_full()) {
        split_child(inner, i, key);
        i = inner.child_for(key);
    }
    insert(inner.children[i], key, place, before);
    std::int64_t& earliest = inner.expires[i];
    // The earliest expiry may have been that of the replaced place.
    const bool is_found_anew = before && before->expires == earliest && earliest != kNoExpiry;
    earliest = is_found_anew ? inner.children[i]->earliest() : std::min(earliest, place.expires);
}

/// Splits child `i` of a node that has room for one more child, because `key` is about to be inserted there.
void Index::split_child(Inner& inner, std::size_t i, std::string_view key) {
    Node& child = own(inner.children[i]);
    const std::size_t rank = child.rank(key, true);
    const std::size_t middle = middle_of(child, rank == child.count);
    inner.insert_key(i, child.key(middle));
    try {
        const Ref right = split(child, middle);
        insert_at(inner.children, inner.count, i + 1, right);
        insert_at(inner.expires, inner.count, i + 1, right->earliest());
    } catch (...) {
        inner.erase_key(i);
        throw;
    }
    inner.expires[i] = child.earliest();
}

/// Returns the position at which to split a node: its middle, or almost its end if the new key comes after all others.
/// Keys that arrive in order therefore leave full nodes behind rather than half-empty ones.
std::size_t Index::middle_of(const Node& node, bool at_end) {
    if (!at_end) return node.count / 2;
    return node.is_leaf ? node.count - 1 : node.count - 2;
}

/// Splits the keys from key `middle` on off a node, and returns them as a new node.
Index::Ref Index::split(Node& node, std::size_t middle) {
    // The key between two inner nodes moves up and stays in neither of them.
    const std::size_t first = node.is_leaf ? middle : middle + 1;
    const Ref ref = node.is_leaf ? Ref(std::make_shared<Leaf>()) : Ref(std::make_shared<Inner>());
    Node& right = *ref;
    right.keys = node.keys.substr(node.begin_of(first));
    for (std::size_t i = first; i < node.count; ++i) {
        right.ends[i - first] = node.ends[i] - static_cast<std::uint32_t>(node.begin_of(first));
    }
    right.count = node.count - static_cast<std::uint32_t>(first);
    if (node.is_leaf) {
        node.leaf().places.move_tail(first, node.count, right.leaf().places);
    } else {
        move_tail(node.inner().children, first, node.inner().child_count(), right.inner().children);
        move_tail(node.inner().expires, first, node.inner().child_count(), right.inner().expires);
    }
    const bool is_tail = middle + 2 >= node.count;
    node.keys.resize(node.begin_of(middle));
    node.count = static_cast<std::uint32_t>(middle);
    // A node that is filled in order receives no more keys, so its unused memory is freed.
    if (is_tail) node.keys.shrink_to_fit();
    node.find_heads();
    right.find_heads();
    return ref;
}

std::optional<Place> Index::put(std::string_view key, const Place& place) {
    if (!root_) root_ = std::make_shared<Leaf>();
    if (root_->is_full()) {
        const auto root = std::make_shared<Inner>();
        Ref& below = root->children[0];
        below = std::move(root_);
        try {
            split_child(*root, 0, key);
        } catch (...) {
            root_ = std::move(below);
            throw;
        }
        root_ = root;
    }
    std::optional<Place> before;
    insert(root_, key, place, before);
    bytes_ += place.value_length;
    if (before) {
        bytes_ -= before->value_length;
    } else {
        bytes_ += key.size();
        ++size_;
    }
    return before;
}

/// Removes `key`, which is at `place`, from the subtree `ref`. If the subtree is then empty, `ref` becomes null.
void Index::remove(Ref& ref, std::string_view key, const Place& place) {
    Node& node = own(ref);
    if (node.is_leaf) {
        Leaf& leaf = node.leaf();
        const std::size_t i = leaf.rank(key, false);
        leaf.places.erase(leaf.count, i);
        leaf.erase_key(i);
        if (leaf.count == 0) ref.reset();
        return;
    }
    Inner& inner = node.inner();
    const std::size_t i = inner.child_for(key);
    remove(inner.children[i], key, place);
    if (inner.children[i]) {
        const bool was_earliest = place.expires == inner.expires[i] && place.expires != kNoExpiry;
        if (was_earliest) inner.expires[i] = inner.children[i]->earliest();
        return;
    }
    if (inner.child_count() == 1) return ref.reset();
    erase_at(inner.children, inner.child_count(), i);
    erase_at(inner.expires, inner.child_count(), i);
    inner.erase_key(i == 0 ? 0 : i - 1);
}

void Index::prepare_erase(std::string_view key) {
    for (Ref* ref = &root_; *ref;) {
        Node& node = own(*ref);
        if (node.is_leaf) return;
        ref = &node.inner().children[node.child_for(key)];
    }
}

std::optional<Place> Index::erase(std::string_view key) {
    const std::optional<Place> place = find(key);
    if (!place) return std::nullopt;
    remove(root_, key, *place);
    while (root_ && !root_->is_leaf && root_->inner().child_count() == 1) root_ = Ref(root_->inner().children.front());
    bytes_ -= key.size() + place->value_length;
    --size_;
    return place;
}

std::int64_t Index::earliest_expiry() const { return root_ ? root_->earliest() : kNoExpiry; }

void Index::visit_expired(std::int64_t now, std::string_view from,
                          const std::function<bool(std::string_view key)>& visit) const {
    if (root_) root_->visit_expired(std::min(now, kNoExpiry - 1), from, visit);
}

bool Index::Node::visit_expired(std::int64_t now, std::string_view from,
                                const std::function<bool(std::string_view key)>& visit) const {
    if (is_leaf) {
        for (std::size_t i = rank(from, false); i < count; ++i) {
            if (leaf().places.expiry(i) <= now && !visit(key(i))) return false;
        }
        return true;
    }
    for (std::size_t i = child_for(from); i <= count; ++i) {
        if (inner().expires[i] <= now && !inner().children[i]->visit_expired(now, from, visit)) return false;
    }
    return true;
}

void Index::Builder::add(std::string_view key, const Place& place) {
    const bool is_full =
        leaves_.empty() || leaves_.back()->count == kBuiltKeys || leaves_.back()->keys.size() > kMostBytes;
    if (is_full) {
        auto leaf = std::make_shared<Leaf>();
        if (!leaves_.empty()) {
            leaves_.back()->find_heads();
            leaf->keys.reserve(leaves_.back()->keys.size());
        }
        leaves_.push_back(std::move(leaf));
    }
    Leaf& leaf = leaves_.back()->leaf();
    leaf.places.set(leaf.count, place);
    leaf.append_key(key);
    ++index_.size_;
    index_.bytes_ += key.size() + place.value_length;
}

Index Index::Builder::finish() {
    std::vector<Ref> level = std::move(leaves_);
    if (!level.empty()) level.back()->find_heads();
    while (level.size() > 1) {
        std::vector<Ref> above;
        for (const Ref& child : level) {
            if (above.empty() || above.back()->count == kBuiltKeys) {
                above.push_back(std::make_shared<Inner>());
            } else {
                above.back()->append_key(child->first_key());
            }
            Inner& inner = above.back()->inner();
            inner.expires[inner.count] = child->earliest();
            inner.children[inner.count] = child;
        }
        for (const Ref& inner : above) inner->find_heads();
        level = std::move(above);
    }
    if (!level.empty()) index_.root_ = level.front();
    return std::exchange(index_, {});
}

void Index::Walk::descend(const Node* node, bool to_last) {
    for (;;) {
        const std::size_t last = node->is_leaf ? node->count - 1 : node->count;
        path_.push_back({node, to_last ? last : 0});
        if (node->is_leaf) return;
        node = node->inner().children[path_.back().at].get();
    }
}

void Index::Walk::seek(std::string_view key) {
    path_.clear();
    const Node* node = index_.root_.get();
    if (node == nullptr) return;
    while (!node->is_leaf) {
        path_.push_back({node, node->child_for(key)});
        node = node->inner().children[path_.back().at].get();
    }
    path_.push_back({node, node->rank(key, false)});
    if (!on_entry()) {
        --path_.back().at;  // Leaves are never empty.
        next();
    }
}

void Index::Walk::seek_end() {
    path_.clear();
    if (!index_.root_) return;
    descend(index_.root_.get(), true);
    ++path_.back().at;
}

void Index::Walk::next() {
    if (++path_.back().at < path_.back().node->count) return;
    std::vector<Step> end = path_;
    path_.pop_back();
    while (!path_.empty() && ++path_.back().at > path_.back().node->count) path_.pop_back();
    if (path_.empty()) {
        path_ = std::move(end);  // The path stays known behind the last entry, so that `previous` can return.
        return;
    }
    descend(path_.back().node->inner().children[path_.back().at].get(), false);
}

void Index::Walk::previous() {
    if (path_.empty()) return;
    if (path_.back().at > 0) {
        --path_.back().at;
        return;
    }
    path_.pop_back();
    while (!path_.empty() && path_.back().at == 0) path_.pop_back();
    if (path_.empty()) return;
    --path_.back().at;
    descend(path_.back().node->inner().children[path_.back().at].get(), true);
}

bool Index::Walk::on_entry() const { return !path_.empty() && path_.back().at < path_.back().node->count; }

std::string_view Index::Walk::key() const { return path_.back().node->key(path_.back().at); }

Place Index::Walk::place() const { return path_.back().node->leaf().places.at(path_.back().at); }

std::optional<Place> Index::Walk::place_ahead(std::size_t count) const {
    return path_.back().node->leaf().place(path_.back().at + count);
}

}  // namespace polystore::engine
