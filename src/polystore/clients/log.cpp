#include "polystore/clients/log.hpp"

#include <functional>
#include <utility>

#include "polystore/engine/instant.hpp"
#include "polystore/engine/notes.hpp"
#include "polystore/engine/posix_env.hpp"
#include "polystore/engine/shared_engine.hpp"
#include "polystore/error.hpp"
#include "polystore/posix/posix_file.hpp"
#include "polystore/posix/process.hpp"

namespace polystore {
namespace {

using engine::SharedEngine;
using engine::Stored;

template <typename T>
T checked(engine::Result<T> result) {
    if (result.ok()) return std::move(*result);
    throw Error(result.failure().code, result.failure().message);
}

Stored to_stored(const Record& record) { return {record.value.dump(), engine::to_instant(record.expires)}; }

Record to_record(std::string_view value, std::int64_t expires) {
    try {
        return {engine::to_number(expires), parse_json(value)};
    } catch (const std::exception&) {
        return {engine::to_number(expires), unreadable(value)};
    }
}

[[noreturn]] void throw_forked(const std::filesystem::path& path) {
    throw Error(ErrorCode::client,
                "This process was forked while the log " + path.string() +
                    " was open, and only its parent may use that log. Close the store here, and make a "
                    "new one when the parent has closed its own.");
}

class LogCursor : public Cursor {
   public:
    LogCursor(std::unique_ptr<SharedEngine::Cursor> cursor, std::filesystem::path path)
        : cursor_(std::move(cursor)), path_(std::move(path)) {}
    LogCursor(const LogCursor&) = delete;
    LogCursor& operator=(const LogCursor&) = delete;
    ~LogCursor() override {
        if (process_ != posix::this_process()) posix::keep(std::move(cursor_));
    }

    std::optional<std::vector<Entry>> next(std::size_t limit) override {
        if (process_ != posix::this_process()) throw_forked(path_);
        std::vector<Entry> page;
        for (const engine::SharedEntry& entry : checked(cursor_->next(limit))) {
            page.push_back({std::string(entry.key), to_record(entry.value, entry.expires)});
        }
        if (page.empty()) return std::nullopt;
        return page;
    }

   private:
    std::unique_ptr<SharedEngine::Cursor> cursor_;
    std::filesystem::path path_;
    unsigned process_ = posix::this_process();
};

class Log : public Client {
   public:
    Log(std::filesystem::path path, LogOptions options) : path_(std::move(path)), options_(std::move(options)) {}
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;
    ~Log() override {
        if (is_copy()) posix::keep(std::move(engine_));
    }

    ClientTraits traits() const override {
        return {.can = Trait::list | Trait::sweeps_all | Trait::sweeps_expired,
                .keys = Keys::utf8,
                .atomic = Atomic::origin,
                .many = true,
                .reach = Reach::storage};
    }

    std::optional<Record> read(const std::string& id) override {
        std::string value;
        const std::optional<std::int64_t> expires = checked(opened().get(id, value));
        return expires ? std::optional(to_record(value, *expires)) : std::nullopt;
    }

    std::vector<CommitOutcome> commit(std::span<const Commit> commits) override {
        return commit_each(commits, [&](const Commit& commit) {
            for (const auto& [id, found] : commit.expected) {
                if (read(id) != found) return false;
            }
            std::vector<engine::Change> batch;
            for (const auto& [id, record] : commit.changes) {
                batch.push_back({id, record ? std::optional(to_stored(*record)) : std::nullopt});
            }
            if (!batch.empty()) checked(opened().apply(batch));
            changed_ = true;
            return true;
        });
    }

    std::unique_ptr<Cursor> scan(const Range& range) override {
        return std::make_unique<LogCursor>(opened().scan(engine::without_notes(range)), path_);
    }

    std::size_t sweep(const Range& range, std::optional<double> until) override {
        const std::size_t removed =
            checked(until ? opened().evict(engine::to_instant(*until), engine::without_notes(range))
                          : opened().clear(engine::without_notes(range)));
        changed_ = true;
        return removed;
    }

    std::function<void()> pending_flush() override {
        if (!std::exchange(changed_, false) || options_.durability == Durability::relaxed) return {};
        return [engine = engine_] { checked(engine->flush()); };
    }

    void close() override {
        changed_ = false;
        if (is_copy()) return posix::keep(std::move(engine_));
        if (const std::shared_ptr<SharedEngine> engine = std::exchange(engine_, nullptr)) checked(engine->close());
    }

   private:
    /// Whether this is the copy that a forked process has. It must not even be destroyed: its threads are not there.
    [[nodiscard]] bool is_copy() const { return engine_ && process_ != posix::this_process(); }

    SharedEngine& opened() {
        if (is_copy()) throw_forked(path_);
        if (!engine_) open();
        return *engine_;
    }

    void open() {
        const std::filesystem::path path = posix::follow_links(path_);
        if (path.extension() == ".new") {
            throw Error(ErrorCode::client,
                        "A log cannot be named " + path.string() +
                            ": names that end in \".new\" are those of files that logs are compacted to. "
                            "Give it another name.");
        }
        posix::make_folder(path.parent_path());
        engine_ = std::make_shared<SharedEngine>(checked(engine::Engine::open(engine::posix_env(), path.string())),
                                                 engine::SharedOptions{options_.durability, !options_.clock});
        process_ = posix::this_process();
    }

    std::filesystem::path path_;
    LogOptions options_;
    std::shared_ptr<SharedEngine> engine_;
    unsigned process_ = 0;  ///< The one that `engine_` was made in.
    bool changed_ = false;  ///< In a way that has to last, since a flush was last asked for.
};

}  // namespace

std::shared_ptr<Client> log(const std::filesystem::path& path, LogOptions options) {
    return std::make_shared<Log>(posix::fixed_path(path), std::move(options));
}

}  // namespace polystore
