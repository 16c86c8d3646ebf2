#include "polystore/clients/folder.hpp"

#include <utility>

#include "polystore/clients/file_name.hpp"
#include "polystore/clients/folder_case.hpp"
#include "polystore/clients/folder_file.hpp"
#include "polystore/error.hpp"
#include "polystore/posix/posix_file.hpp"
#include "polystore/posix/temporary_file.hpp"
#include "polystore/posix/token_lock.hpp"
#include "polystore/support/page_builder.hpp"
#include "polystore/support/select.hpp"

namespace polystore {
namespace {

/// Keeps the ids, and reads the records page by page. A walk through the directory itself would skip files on some
/// systems (APFS) when others are removed meanwhile.
class FolderCursor : public Cursor {
   public:
    FolderCursor(Client& client, std::vector<std::string> ids) : client_(client), ids_(std::move(ids)) {}

    std::optional<std::vector<Entry>> next(std::size_t limit) override {
        if (next_ == ids_.size()) return std::nullopt;
        PageBuilder page(limit);
        while (next_ < ids_.size() && !page.is_full()) {
            const std::string& id = ids_[next_++];
            if (std::optional<Record> record = client_.read(id)) page.add({id, *std::move(record)});
        }
        return page.take();
    }

   private:
    Client& client_;
    std::vector<std::string> ids_;
    std::size_t next_ = 0;
};

/// The name of the lock that a process has while it makes commits with expectations. JavaScript takes the same one.
constexpr const char* kLock = ".polystore";

/// Only commits with expectations take a lock, and the renaming of all files (see folder_case.cpp). The others need
/// none to keep up with other processes, in C++ or JavaScript: a write puts a complete new file in the place of the old
/// one, which is one step to everybody, a removal is one step too, and a reader opens one file, which is complete. A
/// lock on each write would have to list the folder, whose files are the records.
///
/// So the lock keeps commits with expectations apart from each other, but not from writes without any. Therefore a
/// commit compares the record again at the last moment. A commit that removes moves the file aside before it compares:
/// so it examines a file that no process can replace any more.
class Folder : public Client {
   public:
    explicit Folder(std::filesystem::path path) : path_(std::move(path)) {}

    ClientTraits traits() const override { return {.keys = Keys::utf8, .atomic = Atomic::origin}; }

    std::optional<Record> read(const std::string& id) override {
        const std::string name = name_of(id);
        std::optional<Entry> entry = read_file(name);
        return entry && entry->id == id ? std::optional(std::move(entry->record)) : std::nullopt;
    }

    std::vector<CommitOutcome> commit(std::span<const Commit> commits) override {
        std::optional<posix::TokenLock> own;  // One for all of these commits, taken by the first one that needs it.
        std::optional<posix::TokenLock>& lock = lock_ ? lock_ : own;
        std::vector<CommitOutcome> outcomes = commit_each(commits, [&](const Commit& commit) {
            require_one_key(commit);
            const Expectation* const expected = commit.expected.empty() ? nullptr : &commit.expected.front();
            if (commit.changes.empty()) return !expected || read(expected->id) == expected->found;
            const Change& change = commit.changes.front();
            return change.record ? put(change.id, *change.record, expected, lock) : remove(change.id, expected, lock);
        });
        // One sync for all that were removed; each that was put has had its own.
        if (std::exchange(has_removed_, false)) posix::sync_folder(path_);
        return outcomes;
    }

    void alone(const std::function<void()>& attempt) override {
        if (lock_ || !posix::is_there(path_)) return attempt();
        posix::hold_during(attempt, posix::TokenLock::wait(posix::follow_links(path_) / kLock), lock_);
    }

    std::unique_ptr<Cursor> scan(const Range& range) override {
        std::vector<std::string> ids;
        for (const std::string& name : posix::names_in(path_)) {
            if (std::optional<std::string> id = id_of(name, range.prefix)) ids.push_back(*std::move(id));
        }
        select(ids, range, [](const std::string& id) -> const std::string& { return id; });
        return std::make_unique<FolderCursor>(*this, std::move(ids));
    }

   private:
    void require_one_key(const Commit& commit) const {
        const bool is_one = commit.expected.size() <= 1 && commit.changes.size() <= 1;
        if (is_one && (commit.expected.empty() || commit.changes.empty() ||
                       commit.expected.front().id == commit.changes.front().id)) {
            return;
        }
        throw Error(ErrorCode::unsupported,
                    "The folder " + path_.string() +
                        " has a file for each key, so it cannot change several keys as a whole. Change one key at a "
                        "time, or keep the data in a file() or a log().");
    }

    /// Returns false, having done nothing, if the record is not as expected.
    bool put(const std::string& id, const Record& record, const Expectation* expected,
             std::optional<posix::TokenLock>& lock) {
        static_cast<void>(name_of(id));  // Throws before a folder is made in vain.
        const std::filesystem::path path = posix::follow_links(path_);
        posix::make_folder(path);
        if (!std::exchange(is_swept_, true)) posix::remove_abandoned(path);
        if (!case_) case_ = settle_case(path);
        const std::string name = name_of(id);
        const std::filesystem::path file = posix::follow_links(path / name);
        if (file.parent_path() != path) posix::make_folder(file.parent_path());
        const std::string text = to_file_text(name, id, record);
        if (!expected) {
            posix::replace_file(file, text);
            return true;
        }
        if (!lock || lock->path() != path / kLock) lock = posix::TokenLock::wait(path / kLock);
        const auto is_expected = [&] {
            lock->check();
            return read(id) == expected->found;
        };
        return is_expected() && posix::replace_file_if(file, text, is_expected);
    }

    /// Returns false, having done nothing, if the record is not as expected.
    bool remove(const std::string& id, const Expectation* expected, std::optional<posix::TokenLock>& lock) {
        if (!expected) {
            if (!read(id)) return true;
            posix::remove_file(path_ / name_of(id));
            has_removed_ = true;
            return true;
        }
        if (!posix::is_there(path_)) return !expected->found;
        const std::filesystem::path lock_path = posix::follow_links(path_) / kLock;
        if (!lock || lock->path() != lock_path) lock = posix::TokenLock::wait(lock_path);
        lock->check();
        const std::optional<Record> record = read(id);
        if (record != expected->found) return false;
        if (!record) return true;
        const bool is_removed = remove_if(id, *record);
        has_removed_ = has_removed_ || is_removed;
        return is_removed;
    }

    /// Removes a record if it is still this one.
    bool remove_if(const std::string& id, const Record& record) {
        const std::string name = name_of(id);
        const std::filesystem::path aside = path_ / posix::temporary_name();
        if (!posix::rename_if_there(path_ / name, aside)) return false;
        try {
            const std::optional<std::string> text = posix::read_file(aside);
            const std::optional<Entry> moved = text ? parse_file(name, *text, letter_case()) : std::nullopt;
            if (moved && moved->id == id && moved->record == record) {
                posix::remove_file(aside);
                return true;
            }
        } catch (...) {
            posix::put_back(aside, path_ / name);
            throw;
        }
        posix::put_back(aside, path_ / name);
        return false;
    }

    /// The naming scheme of this folder. If it is undecided, the folder has no record yet.
    [[nodiscard]] Case letter_case() {
        const std::optional<posix::Stamp> folder = posix::stamp_of(path_);
        const bool is_same = folder && folder_ && folder->device == folder_->device && folder->inode == folder_->inode;
        if (!is_same) case_.reset();  // A link leads elsewhere by now.
        folder_ = folder;
        if (!case_) case_ = find_case(path_);
        return case_.value_or(Case::counts);
    }

    [[nodiscard]] std::string name_of(const std::string& id) { return to_file_name(id, letter_case()); }

    [[nodiscard]] std::optional<Entry> read_file(const std::string& name) {
        const std::optional<std::string> text = posix::read_file(path_ / name);
        return text ? parse_file(name, *text, letter_case()) : std::nullopt;
    }

    /// The key of a file, if that may begin with `prefix`.
    [[nodiscard]] std::optional<std::string> id_of(const std::string& name, const std::string& prefix) {
        std::optional<std::string> key = to_key(name);
        if (!key || !is_long(name)) return key;
        if (!key->starts_with(prefix) && !prefix.starts_with(*key)) return std::nullopt;
        std::optional<Entry> entry = read_file(name);
        return entry ? std::optional(std::move(entry->id)) : std::nullopt;
    }

    std::filesystem::path path_;
    bool has_removed_ = false;              ///< Since the folder was last synced.
    bool is_swept_ = false;                 ///< Of what processes left there that were killed.
    std::optional<posix::TokenLock> lock_;  ///< That `alone` holds.
    std::optional<posix::Stamp> folder_;    ///< That `case_` was found in.
    std::optional<Case> case_;
};

}  // namespace

std::shared_ptr<Client> folder(const std::filesystem::path& path) {
    return std::make_shared<Folder>(posix::fixed_path(path));
}

}  // namespace polystore
