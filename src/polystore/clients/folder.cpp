#include "polystore/clients/folder.hpp"

#include <fcntl.h>

#include <algorithm>

#include "polystore/clients/file_name.hpp"
#include "polystore/clients/posix_file.hpp"

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
        const std::optional<std::string> text = posix::read_file(path_to(id));
        return text ? parse_record(*text) : std::nullopt;
    }

    void write(const std::string& id, const Record& record) override {
        const std::filesystem::path path = path_to(id);
        posix::make_folder(path_);
        const posix::OpenFile folder(path_, O_RDONLY | O_DIRECTORY);
        folder.lock_shared();
        posix::replace_file(path, to_text(record));
    }

    void erase(const std::string& id) override {
        if (!read(id)) return;
        posix::remove_file(path_to(id));
        posix::sync_folder(path_);
    }

    void evict(std::span<const Entry> entries) override {
        const std::optional<posix::OpenFile> folder = posix::OpenFile::if_there(path_);
        if (!folder) return;
        folder->lock();  // Nobody writes between the look and the removal.
        for (const Entry& entry : entries) {
            if (read(entry.id) == entry.record) posix::remove_file(path_to(entry.id));
        }
        folder->sync();
    }

    std::unique_ptr<Cursor> list(const std::string& prefix) override {
        std::vector<std::string> ids;
        for (const std::string& name : posix::names_in(path_)) {
            std::optional<std::string> id = to_key(name);
            if (id && id->starts_with(prefix)) ids.push_back(*std::move(id));
        }
        std::sort(ids.begin(), ids.end());
        return std::make_unique<FolderCursor>(*this, std::move(ids));
    }

   private:
    [[nodiscard]] std::filesystem::path path_to(const std::string& id) const { return path_ / to_file_name(id); }

    std::filesystem::path path_;
};

}  // namespace

std::shared_ptr<Client> folder(const std::filesystem::path& path) {
    return std::make_shared<Folder>(posix::fixed_path(path));
}

}  // namespace polystore
