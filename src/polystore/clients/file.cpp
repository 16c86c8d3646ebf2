// The file is held in memory as its members, which are what the file at `path_` said when it had the stamp `seen_`.
// Whenever that may no longer be so, `forget()` makes the next `load()` read it anew.

#include "polystore/clients/file.hpp"

#include <fcntl.h>

#include <exception>
#include <utility>

#include "polystore/clients/file_members.hpp"
#include "polystore/clients/ordered_page.hpp"
#include "polystore/clients/posix_file.hpp"
#include "polystore/clients/temporary_file.hpp"
#include "polystore/error.hpp"
#include "polystore/utf8.hpp"

namespace polystore {
namespace {

/// Opens the file, or makes an empty one, and keeps others from writing to it for as long as the result lives.
posix::OpenFile lock_file(const std::filesystem::path& path) {
    for (;;) {
        posix::OpenFile file(path, O_RDONLY | O_CREAT);
        file.lock();
        // Whoever had the lock until now has put another file in the place of the one that it is on.
        if (file.stamp() == posix::stamp_of(path)) return file;
    }
}

class File : public Client {
   public:
    explicit File(std::filesystem::path path) : path_(std::move(path)) {}

    Traits traits() const override { return Trait::list | Trait::sweeps_all; }

    std::optional<Record> read(const std::string& id) override {
        check_key(id);
        load();
        const auto found = members_.find(id);
        return found == members_.end() ? std::nullopt : found->second.record(id);
    }

    void write(const std::string& id, const Record& record) override {
        check_key(id);
        edit([&] {
            members_.insert_or_assign(id, FileMember(record));
            return true;
        });
    }

    void erase(const std::string& id) override {
        check_key(id);
        load();
        if (!has_record(id)) return;  // Nothing to write, and no file to make.
        edit([&] { return has_record(id) && members_.erase(id) > 0; });
    }

    void evict(std::span<const Entry> entries) override {
        edit([&] {
            const std::size_t size = members_.size();
            for (const Entry& entry : entries) {
                const auto found = members_.find(entry.id);
                if (found != members_.end() && found->second.is_now(entry.record)) members_.erase(found);
            }
            return members_.size() != size;
        });
    }

    void clear(const std::string& prefix) override {
        load();
        if (members_.empty()) return;
        edit([&] {
            return std::erase_if(members_, [&](const auto& member) {
                return member.first.starts_with(prefix) && member.second.is_record();
            });
        });
    }

    std::unique_ptr<Cursor> list(const std::string& prefix) override;

    void close() override { forget(); }

    /// The next page of a walk: see `next_page`.
    std::optional<std::vector<Entry>> page(const std::string& prefix, std::string& place, std::size_t limit) {
        load();
        return next_page(members_, prefix, place, limit,
                         [](const std::string& id, const FileMember& member) { return member.record(id); });
    }

   private:
    [[nodiscard]] bool has_record(const std::string& id) const {
        const auto found = members_.find(id);
        return found != members_.end() && found->second.is_record();
    }

    static void check_key(const std::string& id) {
        if (is_utf8(id)) return;
        throw Error(ErrorCode::key, "The key " + show(id) + " is not UTF-8, so a JSON file cannot hold it.");
    }

    void forget() {
        file_.reset();
        members_.clear();
    }

    /// Makes `members_` what the file says now.
    void load() { load(path_, false); }

    void load(const std::filesystem::path& path, bool is_locked) {
        const std::optional<posix::Stamp> stamp = posix::stamp_of(path);
        if (file_ && stamp == seen_) return;
        forget();
        std::optional<posix::OpenFile> file = posix::OpenFile::if_there(path);
        if (!file) return;
        // Taken before the text, so that what is written while we read is not missed the next time.
        seen_ = file->stamp();
        try {
            members_ = parse(file->read_all());
            file_ = std::move(file);
        } catch (const Error&) {
            if (is_locked) throw;
            // It may have been read while another process wrote it in place.
            file->lock_shared();
            load(path, true);
        }
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
        if (!std::exchange(is_swept_, true)) remove_abandoned(path.parent_path());
        const posix::OpenFile lock = lock_file(path);
        load(path, true);
        try {
            if (!change()) return;
            file_ = posix::replace_file(path, to_text(members_));
            seen_ = file_->stamp();
        } catch (...) {
            forget();
            throw;
        }
    }

    std::filesystem::path path_;
    bool is_swept_ = false;  ///< Of what processes left there that were killed.
    FileMembers members_;
    // Held open for as long as it is the one that was read: see posix::Stamp.
    std::optional<posix::OpenFile> file_;
    std::optional<posix::Stamp> seen_;
};

class FileCursor : public Cursor {
   public:
    FileCursor(File& file, const std::string& prefix) : file_(file), prefix_(prefix), place_(prefix) {}

    std::optional<std::vector<Entry>> next(std::size_t limit) override { return file_.page(prefix_, place_, limit); }

   private:
    File& file_;
    std::string prefix_;
    std::string place_;
};

std::unique_ptr<Cursor> File::list(const std::string& prefix) { return std::make_unique<FileCursor>(*this, prefix); }

}  // namespace

std::shared_ptr<Client> file(const std::filesystem::path& path) {
    return std::make_shared<File>(posix::fixed_path(path));
}

}  // namespace polystore
