#include "polystore/clients/folder.hpp"

#include <fcntl.h>

#include <utility>

#include "polystore/clients/file_name.hpp"
#include "polystore/clients/folder_case.hpp"
#include "polystore/clients/folder_file.hpp"
#include "polystore/clients/posix_file.hpp"
#include "polystore/clients/temporary_file.hpp"
#include "polystore/error.hpp"
#include "polystore/page_builder.hpp"
#include "polystore/select.hpp"

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
        std::vector<CommitOutcome> outcomes = commit_each(commits, [&](const Commit& commit) {
            require_one_key(commit);
            const Expectation* const expected = commit.expected.empty() ? nullptr : &commit.expected.front();
            if (commit.changes.empty()) return !expected || read(expected->id) == expected->found;
            const Change& change = commit.changes.front();
            return change.record ? put(change.id, *change.record, expected) : remove(change.id, expected);
        });
        // One sync for all that were removed; each that was put has had its own.
        if (std::exchange(has_removed_, false)) posix::sync_folder(path_);
        return outcomes;
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
    bool put(const std::string& id, const Record& record, const Expectation* expected) {
        static_cast<void>(name_of(id));  // Throws before a folder is made in vain.
        const std::filesystem::path path = posix::follow_links(path_);
        posix::make_folder(path);
        if (!std::exchange(is_swept_, true)) remove_abandoned(path);
        if (!case_) case_ = settle_case(path);
        const std::string name = name_of(id);
        const posix::OpenFile folder(path, O_RDONLY | O_DIRECTORY);
        if (expected) {
            folder.lock();  // Nobody writes between the look and the change.
            if (read(id) != expected->found) return false;
        } else {
            folder.lock_shared();
        }
        const std::filesystem::path file = posix::follow_links(path / name);
        if (file.parent_path() != path) posix::make_folder(file.parent_path());
        posix::replace_file(file, to_file_text(name, id, record));
        return true;
    }

    /// Returns false, having done nothing, if the record is not as expected.
    bool remove(const std::string& id, const Expectation* expected) {
        const std::optional<posix::OpenFile> folder = posix::OpenFile::if_there(path_);
        if (expected && folder) folder->lock();  // Nobody writes between the look and the removal.
        const std::optional<Record> record = read(id);
        if (expected && record != expected->found) return false;
        if (!record) return true;
        posix::remove_file(path_ / name_of(id));
        has_removed_ = true;
        return true;
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
    bool has_removed_ = false;            ///< Since the folder was last synced.
    bool is_swept_ = false;               ///< Of what processes left there that were killed.
    std::optional<posix::Stamp> folder_;  ///< That `case_` was found in.
    std::optional<Case> case_;
};

}  // namespace

std::shared_ptr<Client> folder(const std::filesystem::path& path) {
    return std::make_shared<Folder>(posix::fixed_path(path));
}

}  // namespace polystore
