// Keys of a node lie one after the other in one text, so that a key costs its bytes and four more, and a search stays
// in few cache lines. A leaf has one place a key. An inner node has one child more than it has keys: child `i` holds
// what is less than key `i` and not less than key `i - 1`.
//
// A node that two indexes share (its reference is not the only one) is never changed: `own` copies it first. Since the
// way down begins at the root, which is shared too then, everything below a shared node counts as shared.
//
// A node that runs empty is removed; one that is merely sparse stays so until compaction, which builds the index anew.

#include "polystore/engine/index.hpp"

#include <algorithm>
#include <string>

namespace polystore::engine {
namespace {

/// Of a node.
constexpr std::size_t kMostKeys = 64;
/// Long keys split a node earlier, for inserting one moves those behind it.
constexpr std::size_t kMostBytes = 8192;

}  // namespace

struct Index::Node {
    std::string keys;
    std::vector<std::uint32_t> ends;
    std::vector<Place> places;
    std::vector<Ref> children;

    [[nodiscard]] bool is_leaf() const { return children.empty(); }
    [[nodiscard]] std::size_t count() const { return ends.size(); }
    [[nodiscard]] std::size_t begin_of(std::size_t i) const { return i == 0 ? 0 : ends[i - 1]; }
    [[nodiscard]] std::string_view key(std::size_t i) const {
        return {keys.data() + begin_of(i), ends[i] - begin_of(i)};
    }

    /// How many keys are less than `key`; with `or_same`, or the same.
    [[nodiscard]] std::size_t rank(std::string_view key_sought, bool or_same) const {
        std::size_t low = 0;
        std::size_t high = count();
        while (low < high) {
            const std::size_t middle = (low + high) / 2;
            const int order = key(middle).compare(key_sought);
            if (order < 0 || (or_same && order == 0)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    [[nodiscard]] std::size_t child_for(std::string_view key_sought) const { return rank(key_sought, true); }

    [[nodiscard]] bool holds(std::size_t i, std::string_view key_sought) const {
        return i < count() && key(i) == key_sought;
    }

    void insert_key(std::size_t i, std::string_view new_key) {
        const std::size_t begin = begin_of(i);
        keys.insert(begin, new_key);
        ends.insert(ends.begin() + static_cast<std::ptrdiff_t>(i), static_cast<std::uint32_t>(begin));
        for (std::size_t k = i; k < ends.size(); ++k) ends[k] += static_cast<std::uint32_t>(new_key.size());
    }

    void erase_key(std::size_t i) {
        const std::size_t length = key(i).size();
        keys.erase(begin_of(i), length);
        ends.erase(ends.begin() + static_cast<std::ptrdiff_t>(i));
        for (std::size_t k = i; k < ends.size(); ++k) ends[k] -= static_cast<std::uint32_t>(length);
    }

    [[nodiscard]] bool is_full() const { return count() == kMostKeys || (keys.size() > kMostBytes && count() > 3); }
};

/// A node that was split off: `right` holds what is not less than `key`.
struct Index::Split {
    std::string key;
    Ref right;
};

Index::Node& Index::own(Ref& ref) {
    if (ref.use_count() > 1) ref = std::make_shared<Node>(*ref);
    return *ref;
}

const Place* Index::find(std::string_view key) const {
    const Node* node = root_.get();
    if (node == nullptr) return nullptr;
    while (!node->is_leaf()) node = node->children[node->child_for(key)].get();
    const std::size_t i = node->rank(key, false);
    return node->holds(i, key) ? &node->places[i] : nullptr;
}

std::optional<Index::Split> Index::insert(Ref& ref, std::string_view key, const Place& place,
                                          std::optional<Place>& before) {
    Node& node = own(ref);
    bool at_end = false;
    if (node.is_leaf()) {
        const std::size_t i = node.rank(key, false);
        if (node.holds(i, key)) {
            before = std::exchange(node.places[i], place);
            return std::nullopt;
        }
        at_end = i == node.count();
        node.insert_key(i, key);
        node.places.insert(node.places.begin() + static_cast<std::ptrdiff_t>(i), place);
    } else {
        const std::size_t i = node.child_for(key);
        std::optional<Split> split = insert(node.children[i], key, place, before);
        if (!split) return std::nullopt;
        at_end = i == node.count();
        node.insert_key(i, split->key);
        node.children.insert(node.children.begin() + static_cast<std::ptrdiff_t>(i) + 1, std::move(split->right));
    }
    if (!node.is_full()) return std::nullopt;

    // Keys that come in order leave full nodes behind, and not half of each empty.
    const std::size_t middle = at_end ? node.count() - 2 : node.count() / 2;
    const auto from = static_cast<std::ptrdiff_t>(middle);
    auto right = std::make_shared<Node>();
    Split split = {std::string(node.key(middle)), right};
    // The key between two inner nodes moves up, and is in neither.
    const std::size_t first = node.is_leaf() ? middle : middle + 1;
    right->keys = node.keys.substr(node.begin_of(first));
    for (std::size_t i = first; i < node.count(); ++i) {
        right->ends.push_back(node.ends[i] - static_cast<std::uint32_t>(node.begin_of(first)));
    }
    if (node.is_leaf()) {
        right->places.assign(node.places.begin() + from, node.places.end());
        node.places.erase(node.places.begin() + from, node.places.end());
    } else {
        right->children.assign(node.children.begin() + from + 1, node.children.end());
        node.children.erase(node.children.begin() + from + 1, node.children.end());
    }
    node.keys.resize(node.begin_of(middle));
    node.ends.resize(middle);
    // A node that gets no more keys gives back what it does not use; one that is filled in order gets none.
    if (at_end) {
        node.keys.shrink_to_fit();
        node.ends.shrink_to_fit();
        node.places.shrink_to_fit();
    }
    return split;
}

std::optional<Place> Index::put(std::string_view key, const Place& place) {
    if (!root_) root_ = std::make_shared<Node>();
    std::optional<Place> before;
    if (std::optional<Split> split = insert(root_, key, place, before)) {
        auto root = std::make_shared<Node>();
        root->insert_key(0, split->key);
        root->children = {std::move(root_), std::move(split->right)};
        root_ = std::move(root);
    }
    if (!before) ++size_;
    return before;
}

void Index::remove(Ref& ref, std::string_view key) {
    Node& node = own(ref);
    if (node.is_leaf()) {
        const std::size_t i = node.rank(key, false);
        node.erase_key(i);
        node.places.erase(node.places.begin() + static_cast<std::ptrdiff_t>(i));
        return;
    }
    const std::size_t i = node.child_for(key);
    remove(node.children[i], key);
    if (node.children[i]->count() > 0 || !node.children[i]->is_leaf()) return;
    if (node.children.size() == 1) {
        node.children.clear();  // And so it is an empty leaf, for its parent to remove.
        return;
    }
    node.children.erase(node.children.begin() + static_cast<std::ptrdiff_t>(i));
    node.erase_key(i == 0 ? 0 : i - 1);
}

std::optional<Place> Index::erase(std::string_view key) {
    const Place* const found = find(key);
    if (found == nullptr) return std::nullopt;
    const Place place = *found;
    remove(root_, key);
    while (root_->children.size() == 1) root_ = Ref(root_->children.front());
    --size_;
    return place;
}

void Index::Walk::descend(const Node* node, bool to_last) {
    for (;;) {
        const std::size_t count = node->is_leaf() ? node->count() : node->children.size();
        path_.push_back({node, to_last ? count - 1 : 0});
        if (node->is_leaf()) return;
        node = node->children[path_.back().at].get();
    }
}

void Index::Walk::seek(std::string_view key) {
    path_.clear();
    const Node* node = index_.root_.get();
    if (node == nullptr || index_.size_ == 0) return;
    while (!node->is_leaf()) {
        path_.push_back({node, node->child_for(key)});
        node = node->children[path_.back().at].get();
    }
    path_.push_back({node, node->rank(key, false)});
    if (!on_entry()) {
        --path_.back().at;  // No leaf is empty.
        next();
    }
}

void Index::Walk::seek_end() {
    path_.clear();
    if (index_.size_ == 0) return;
    descend(index_.root_.get(), true);
    ++path_.back().at;
}

void Index::Walk::next() {
    if (++path_.back().at < path_.back().node->count()) return;
    std::vector<Step> end = path_;
    path_.pop_back();
    while (!path_.empty() && ++path_.back().at == path_.back().node->children.size()) path_.pop_back();
    if (path_.empty()) {
        path_ = std::move(end);  // Beyond the last entry: its place stays known, so that `previous` can return.
        return;
    }
    descend(path_.back().node->children[path_.back().at].get(), false);
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
    descend(path_.back().node->children[path_.back().at].get(), true);
}

bool Index::Walk::on_entry() const { return !path_.empty() && path_.back().at < path_.back().node->count(); }

std::string_view Index::Walk::key() const { return path_.back().node->key(path_.back().at); }

const Place& Index::Walk::place() const { return path_.back().node->places[path_.back().at]; }

}  // namespace polystore::engine
