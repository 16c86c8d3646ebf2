#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "polystore/expires.hpp"
#include "polystore/traits.hpp"
#include "polystore/value.hpp"

/// A watcher tells what is set, deleted and expires in a store; `Store::watch` makes it.
namespace polystore {

class Watching;

struct WatchOptions {
    /// True if what is there comes first. ERR_UNSUPPORTED for a range of a client that cannot list.
    bool initial = false;
    /// The reach that is required: the writers whose changes have to come. `Store::watch` throws ERR_UNSUPPORTED over a
    /// client that gives less.
    Reach reach = Reach::process;
};

/// Hears the changes of a key or of a range from the return of `Store::watch` on, until it is closed or destroyed. It
/// keeps the client, but keeps nobody from closing the store.
///
///     polystore::Watcher watcher = store.watch();
///     store.set("a", 1);
///     while (const auto change = watcher.next(1s)) std::cout << change->key << '\n';
///
/// The changes of one key come in their order. Those that were not fetched yet become the last one of their key, so a
/// watcher that nobody reads costs one change for each key that changed, and the key and the expiry of what is there.
/// A call that wrote nothing, and `Store::touch`, are no changes.
///
/// Threads: any number of threads may call `next`, `reach` and `close` at once; each change goes to one of them. It is
/// moved and destroyed by one thread, when no other uses it. A client must not call or destroy a watcher of itself.
class Watcher {
   public:
    enum class Type : std::uint8_t {
        set,     ///< There is a value, as it is when the change is handed over. It has not expired.
        del,     ///< The value was deleted.
        expire,  ///< The time of the value is over.
        gap,     ///< Changes may have been missed, for example because a record could not be read: read again.
    };

    struct Change {
        Type type = Type::gap;
        /// Without the prefix of the store; empty for a gap.
        std::string key = {};
        /// Null unless something was set.
        Json value = {};

        [[nodiscard]] bool operator==(const Change&) const = default;
    };

    /// Receives each change, one at a time. The thread that made a change calls it after the change, and after the sync
    /// of a strict log, but before the call that made the change returns; if another thread is in the listener at that
    /// moment, that one calls it again instead. A thread of the library tells of expiry; it begins with the first
    /// listener of a client, and ends with the last. No lock is held, so a listener may use any store, also to change
    /// what it listens to, and may close any store and any watcher. If it throws, its watcher ends, and `next` throws
    /// what it threw; neither the call that made the change nor any other watcher is affected.
    using Listener = std::function<void(const Change&)>;

    /// In seconds; `std::chrono` durations convert.
    using Wait = std::chrono::duration<double>;

    Watcher(Watcher&& other) noexcept;
    Watcher& operator=(Watcher&& other) noexcept;
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;
    /// Closes it.
    ~Watcher();

    /// Returns the next change, and waits for it up to `wait`, without a limit if that is omitted. Returns
    /// `std::nullopt` if none has come by then, or when the watcher is closed. The changes of a watcher with a listener
    /// go to that; its `next` waits until the watcher ends.
    ///
    /// Throws ERR_CLOSED when the store was closed, ERR_OPTIONS if `wait` is not a number, and ERR_CLIENT in a process
    /// that was forked since. Throws what the listener threw.
    [[nodiscard]] std::optional<Change> next(Wait wait = Wait(kNever));

    /// The writers whose changes come.
    [[nodiscard]] Reach reach() const noexcept;

    /// Ends the watcher and frees what it holds; whoever waits in `next` gets `std::nullopt`. Has no effect on one that
    /// has ended. Afterwards the listener is not called any more: this waits until it has returned, unless the listener
    /// itself is calling. So do not close a watcher while you hold a lock for which its listener waits.
    void close() noexcept;

   private:
    friend class Store;

    explicit Watcher(std::shared_ptr<Watching> watching) noexcept;

    std::shared_ptr<Watching> watching_;
};

}  // namespace polystore
