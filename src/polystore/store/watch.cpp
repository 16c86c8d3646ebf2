// Store::watch, and the watcher that a user holds.

#include <memory>
#include <string>
#include <utility>

#include "polystore/store/driver.hpp"
#include "polystore/store/turn.hpp"
#include "polystore/store/watching.hpp"

namespace polystore {
namespace {

std::string name_of(Reach reach) {
    switch (reach) {
        case Reach::process: return "process";
        case Reach::origin: return "origin";
        case Reach::storage: return "storage";
    }
    return "?";
}

}  // namespace

Watcher::Watcher(std::shared_ptr<Watching> watching) noexcept : watching_(std::move(watching)) {}
Watcher::Watcher(Watcher&& other) noexcept = default;

Watcher& Watcher::operator=(Watcher&& other) noexcept {
    Watcher taken(std::move(other));
    std::swap(watching_, taken.watching_);  // The former watcher of this object is closed with `taken`.
    return *this;
}

Watcher::~Watcher() {
    close();
    if (watching_ && watching_->is_copy()) posix::keep(std::move(watching_));
}

std::optional<Watcher::Change> Watcher::next(Wait wait) {
    return within_memory([&] { return std::shared_ptr(watching_)->next(wait); });
}

Reach Watcher::reach() const noexcept { return watching_->reach(); }

void Watcher::close() noexcept {
    if (watching_ && !watching_->is_copy()) watching_->close();
}

Watcher Store::watch(const Range& range, Watcher::Listener listener, const WatchOptions& options) const {
    if (range.limit != Range().limit || range.reverse) {
        throw Error(ErrorCode::options, "watch() was called with limit or reverse; a watched range has neither.");
    }
    return watch_range(under(options_.prefix, range), false, std::move(listener), options);
}

Watcher Store::watch_key(std::string_view key, Watcher::Listener listener, const WatchOptions& options) const {
    std::string id = options_.prefix + std::string(key);
    connection_->check_key(id);
    return watch_range({.prefix = id, .lte = id}, true, std::move(listener), options);
}

Watcher Store::watch_range(Range range, bool is_one_key, Watcher::Listener listener,
                           const WatchOptions& options) const {
    if (connection_->traits().reach < options.reach) {
        throw Error(ErrorCode::unsupported, "reach is Reach::" + name_of(options.reach) +
                                                ", and watchers of this client hear only changes of the same " +
                                                name_of(connection_->traits().reach) +
                                                ". Use another storage, or require less.");
    }
    return within_memory([&] {
        const Turn turn;
        std::shared_ptr<WatchHub> hub;
        {
            const Connection::Hold hold(*connection_);
            if (connection_->times_closed() != life_) throw_closed();
            hub = connection_->hub();
        }
        Watcher watcher(std::make_shared<Watching>(
            Watching::Subject{connection_, options_.clock, options_.prefix, std::move(range), is_one_key},
            std::move(hub), std::move(listener)));
        // If it fails, the watcher leaves, which it cannot do under the hold.
        const Connection::Hold hold(*connection_);
        if (connection_->times_closed() != life_) throw_closed();
        calling({}, [&] { watcher.watching_->begin(options.initial); });
        return watcher;
    });
}

}  // namespace polystore
