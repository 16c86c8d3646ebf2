#include "polystore/clients/folder.hpp"

#include <fcntl.h>

#include <algorithm>

#include "polystore/clients/file_name.hpp"
#include "polystore/clients/folder_case.hpp"
#include "polystore/clients/folder_file.hpp"
#include "polystore/clients/posix_file.hpp"
#include "polystore/clients/temporary_file.hpp"

namespace polystore {
namespace {

/// Keeps the ids, and reads the records page by page. A walk through the directory itself would skip files on some
/// systems (APFS) when others are removed meanwhile.
class FolderCursor : public Cursor {
   public:
    FolderCursor(Client& client, std::vector<std::string> ids) : client_(client), ids_(std::move(ids)) {}

    std::optional<std::vector<Entry>> next(std::size_t limit) override {
        if (next_ == ids_.size()) return std::nullopt;
        std::vector<Entry> page;
        const std::size_t end = next_ + std::min(limit, ids_.size() - next_);
        for (; next_ < end; ++next_) {
            if (auto record = client_.read(ids_[next_])) page.push_back({ids_[next_], *std::move(record)});
        }
        return page;
    }

   private:
    Client& client_;
    std::vector<std::string> ids_;
    std::size_t next_ = 0;
};

class Folder : public Client {
   public:
    explicit Folder(std::filesystem::path path) : path_(std::move(path)) {}

    std::optional<Record> read(const std::string& id) override {
        const std::string name = name_of(id);
        std::optional<Entry> entry = read_file(name);
        return entry && entry->id == id ? std::optional(std::move(entry->record)) : std::nullopt;
    }

    void write(const std::string& id, const Record& record) override {
        static_cast<void>(name_of(id));  // Which throws before a folder is made in vain.
        const std::filesystem::path path = posix::follow_links(path_);
        posix::make_folder(path);
        if (!std::exchange(is_swept_, true)) remove_abandoned(path);
        if (!case_) case_ = settle_case(path);
        const std::string name = name_of(id);
        const posix::OpenFile folder(path, O_RDONLY | O_DIRECTORY);
        folder.lock_shared();
        const std::filesystem::path file = posix::follow_links(path / name);
        if (file.parent_path() != path) posix::make_folder(file.parent_path());
        posix::replace_file(file, to_file_text(name, id, record));
    }

    void erase(const std::string& id) override {
        if (!read(id)) return;
        posix::remove_file(path_ / name_of(id));
        posix::sync_folder(path_);
    }

    void evict(std::span<const Entry> entries) override {
        const std::optional<posix::OpenFile> folder = posix::OpenFile::if_there(path_);
        if (!folder) return;
        folder->lock();  // Nobody writes between the look and the removal.
        for (const Entry& entry : entries) {
            if (read(entry.id) == entry.record) posix::remove_file(path_ / name_of(entry.id));
        }
        posix::sync_folder(path_);
    }

    std::unique_ptr<Cursor> list(const std::string& prefix) override {
        std::vector<std::string> ids;
        for (const std::string& name : posix::names_in(path_)) {
            std::optional<std::string> id = id_of(name, prefix);
            if (id && id->starts_with(prefix)) ids.push_back(*std::move(id));
        }
        std::sort(ids.begin(), ids.end());
        return std::make_unique<FolderCursor>(*this, std::move(ids));
    }

   private:
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
    bool is_swept_ = false;               ///< Of what processes left there that were killed.
    std::optional<posix::Stamp> folder_;  ///< That `case_` was found in.
    std::optional<Case> case_;
};

}  // namespace

std::shared_ptr<Client> folder(const std::filesystem::path& path) {
    return std::make_shared<Folder>(posix::fixed_path(path));
}

}  // namespace polystore
