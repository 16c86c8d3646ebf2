// The file is held in memory as its members, which are what the file at `path_` said when it had the stamp `seen_`.
// Whenever that may no longer be so, `forget()` makes the next `load()` read it anew.

#include "polystore/clients/file.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "polystore/clients/file_members.hpp"
#include "polystore/clients/ordered_records.hpp"
#include "polystore/error.hpp"
#include "polystore/posix/posix_file.hpp"
#include "polystore/posix/temporary_file.hpp"
#include "polystore/posix/token_lock.hpp"

namespace polystore {
namespace {

class File : public Client {
   public:
    explicit File(std::filesystem::path path) : path_(std::move(path)) {}

    ClientTraits traits() const override {
        return {.can = Trait::list | Trait::sweeps_all | Trait::sweeps_expired,
                .keys = Keys::utf8,
                .atomic = Atomic::origin,
                .many = true};
    }

    std::optional<Record> read(const std::string& id) override {
        load();
        return record_at(id);
    }

    std::vector<CommitOutcome> commit(std::span<const Commit> commits) override {
        std::vector<CommitOutcome> outcomes;
        const auto make = [&] {
            bool is_changed = false;
            outcomes = commit_each(commits, [&](const Commit& commit) {
                const bool is_expected = is_as(commit.expected);
                if (is_expected) is_changed = change(commit.changes) || is_changed;
                return is_expected;
            });
            return is_changed;
        };
        // Commits that only remove what is not there write nothing, and create no file.
        may_change(commits) ? edit(make) : static_cast<void>(make());
        return outcomes;
    }

    void alone(const std::function<void()>& attempt) override {
        if (lock_) return attempt();
        const std::filesystem::path path = posix::follow_links(path_);
        posix::make_folder(path.parent_path());
        posix::hold_during(attempt, posix::TokenLock::wait_if_allowed(path), lock_);
    }

    std::size_t sweep(const Range& range, std::optional<double> until) override {
        const auto is_swept = [bounds = bounds_of(range), until](const auto& member) {
            const std::optional<Record>& record = member.second.record();
            return record && bounds.contains(member.first) && (!until || record->expires <= *until);
        };
        load();
        if (std::none_of(members_.begin(), members_.end(), is_swept)) return 0;
        std::size_t removed = 0;
        edit([&] {
            removed = std::erase_if(members_, is_swept);
            return removed > 0;
        });
        return removed;
    }

    std::unique_ptr<Cursor> scan(const Range& range) override;

    void close() override { forget(); }

    std::optional<std::vector<Entry>> next_page(OrderedPlace& place, std::size_t limit) {
        load();
        return place.next(members_, limit, [](const FileMember& member) { return member.record(); });
    }

   private:
    [[nodiscard]] std::optional<Record> record_at(const std::string& id) const {
        const auto found = members_.find(id);
        return found == members_.end() ? std::nullopt : found->second.record();
    }

    [[nodiscard]] bool is_as(const std::vector<Expectation>& expected) const {
        return std::all_of(expected.begin(), expected.end(), [&](const Expectation& expectation) {
            return record_at(expectation.id) == expectation.found;
        });
    }

    [[nodiscard]] bool may_change(std::span<const Commit> commits) {
        const auto any_change = [&](auto may) {
            return std::any_of(commits.begin(), commits.end(), [&](const Commit& commit) {
                return std::any_of(commit.changes.begin(), commit.changes.end(), may);
            });
        };
        if (any_change([](const Change& change) { return change.record.has_value(); })) return true;
        load();
        return any_change([&](const Change& change) { return record_at(change.id).has_value(); });
    }

    bool change(const std::vector<Change>& changes) {
        return make_changes(
            members_, changes, [](const Record& record) { return FileMember(record); },
            [](const FileMember& member) { return member.record().has_value(); });
    }

    void forget() {
        file_.reset();
        members_.clear();
    }

    /// Makes `members_` what the file says now.
    void load() {
        try {
            load(path_);
        } catch (const Error& error) {
            if (error.code() != ErrorCode::corrupt) throw;
            // Another process may be writing the file in place: read it again when that process has released the lock.
            const std::filesystem::path path = posix::follow_links(path_);
            const std::optional<posix::TokenLock> lock = posix::TokenLock::wait_if_allowed(path);
            load(path);
        }
    }

    void load(const std::filesystem::path& path) {
        const std::optional<posix::Stamp> stamp = posix::stamp_of(path);
        if (file_ && stamp == seen_) return;
        forget();
        std::optional<posix::OpenFile> file = posix::OpenFile::if_there(path);
        if (!file) return;
        // The stamp is taken before the read, so that a write during the read is noticed the next time.
        seen_ = file->stamp();
        try {
            members_ = parse(file->read_all());
        } catch (const Error&) {
            if (file->stamp() == seen_) throw;
            return load(path);  // Another program was writing it in place.
        }
        file_ = std::move(file);
    }

    [[nodiscard]] FileMembers parse(std::string_view text) const {
        try {
            return parse_members(text);
        } catch (const std::exception& error) {
            throw Error(ErrorCode::corrupt, "The file " + path_.string() + " is not a store: " + error.what() +
                                                ". It was left as it is; repair it, or move it away.");
        }
    }

    /// Lets `change` loose on what the file says, and writes that if `change` says that it did something.
    template <typename Change>
    void edit(Change change) {
        // A link may be pointed elsewhere at any time: what is read, locked and written is one file.
        const std::filesystem::path path = posix::follow_links(path_);
        posix::make_folder(path.parent_path());
        if (!std::exchange(is_swept_, true)) posix::remove_abandoned(path.parent_path());
        // If permissions forbid a lock file beside the file, the file can only be written in place, without a lock.
        std::optional<posix::TokenLock> own;
        std::optional<posix::TokenLock>& lock = lock_ ? lock_ : own;
        if (!lock || lock->path() != path) lock = posix::TokenLock::wait_if_allowed(path);
        load(path);
        try {
            if (!change()) return;
            file_ = posix::replace_file_if(path, to_text(members_), [&] {
                if (lock) lock->check();
                return true;
            });
            seen_ = file_->stamp();
        } catch (...) {
            forget();
            throw;
        }
    }

    std::filesystem::path path_;
    bool is_swept_ = false;                 ///< Of what processes left there that were killed.
    std::optional<posix::TokenLock> lock_;  ///< That `alone` holds.
    FileMembers members_;
    // Held open for as long as it is the one that was read: see posix::Stamp.
    std::optional<posix::OpenFile> file_;
    std::optional<posix::Stamp> seen_;
};

class FileCursor : public Cursor {
   public:
    FileCursor(File& file, const Range& range) : file_(file), place_(range) {}

    std::optional<std::vector<Entry>> next(std::size_t limit) override { return file_.next_page(place_, limit); }

   private:
    File& file_;
    OrderedPlace place_;
};

std::unique_ptr<Cursor> File::scan(const Range& range) { return std::make_unique<FileCursor>(*this, range); }

}  // namespace

std::shared_ptr<Client> file(const std::filesystem::path& path) {
    return std::make_shared<File>(posix::fixed_path(path));
}

}  // namespace polystore
