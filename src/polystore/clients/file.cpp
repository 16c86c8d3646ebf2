// The file is held in memory as one JSON object, `document_`, which is what the file at `path_` said when it had the
// stamp `seen_`. Whenever that may no longer be so, `forget()` makes the next `load()` read it anew.

#include "polystore/clients/file.hpp"

#include <fcntl.h>

#include <exception>

#include "polystore/clients/ordered_page.hpp"
#include "polystore/clients/posix_file.hpp"
#include "polystore/error.hpp"
#include "polystore/utf8.hpp"

namespace polystore {
namespace {

using Members = Json::object_t;

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

    Traits traits() const override { return Trait::list | Trait::clear; }

    std::optional<Record> read(const std::string& id) override {
        check_key(id);
        load();
        const auto found = members().find(id);
        return found == members().end() ? std::nullopt : to_record(found->second);
    }

    void write(const std::string& id, const Record& record) override {
        check_key(id);
        edit([&] {
            members().insert_or_assign(id, to_json(record));
            return true;
        });
    }

    void erase(const std::string& id) override {
        if (!read(id)) return;  // Nothing to write, and no file to make.
        edit([&] {
            return std::erase_if(members(), [&](const auto& m) { return m.first == id && is_record(m.second); });
        });
    }

    void evict(std::span<const Entry> entries) override {
        edit([&] {
            const std::size_t size = members().size();
            for (const Entry& entry : entries) {
                const auto found = members().find(entry.id);
                if (found != members().end() && to_record(found->second) == entry.record) members().erase(found);
            }
            return members().size() != size;
        });
    }

    void clear(const std::string& prefix) override {
        load();
        if (members().empty()) return;
        edit([&] {
            return std::erase_if(members(), [&](const auto& member) {
                return member.first.starts_with(prefix) && is_record(member.second);
            });
        });
    }

    std::unique_ptr<Cursor> list(const std::string& prefix) override;

    void close() override { forget(); }

    /// The next page of a walk: see `next_page`.
    std::optional<std::vector<Entry>> page(const std::string& prefix, std::string& place, std::size_t limit) {
        load();
        return next_page(members(), prefix, place, limit, to_record);
    }

   private:
    Members& members() { return document_.get_ref<Members&>(); }

    static void check_key(const std::string& id) {
        if (is_utf8(id)) return;
        throw Error(ErrorCode::key, "The key " + show(id) + " is not UTF-8, so a JSON file cannot hold it.");
    }

    void forget() {
        file_.reset();
        document_ = Json::object();
    }

    /// Makes `document_` what the file says now.
    void load() {
        const std::optional<posix::Stamp> stamp = posix::stamp_of(path_);
        if (file_ && stamp == seen_) return;
        forget();
        std::optional<posix::OpenFile> file = posix::OpenFile::if_there(path_);
        if (!file) return;
        // Taken before the text, so that what is written while we read is not missed the next time.
        seen_ = file->stamp();
        document_ = parse(file->read_all());
        file_ = std::move(file);
    }

    Json parse(std::string_view text) const {
        std::string reason = "the outermost thing in it is not an object";
        try {
            Json document = text.empty() ? Json::object() : parse_json(text);
            if (document.is_object()) return document;
        } catch (const std::exception& error) {
            reason = error.what();
        }
        throw Error(ErrorCode::corrupt, "The file " + path_.string() + " is not a store: " + reason +
                                            ". It was left as it is; repair it, or move it away.");
    }

    /// Lets `change` loose on what the file says, and writes that if `change` says that it did something.
    template <typename Change>
    void edit(Change change) {
        posix::make_folder(path_.parent_path());
        const posix::OpenFile lock = lock_file(path_);
        load();
        try {
            if (!change()) return;
            file_ = posix::replace_file(path_, document_.dump(2));
            seen_ = file_->stamp();
        } catch (...) {
            forget();
            throw;
        }
    }

    std::filesystem::path path_;
    Json document_ = Json::object();
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
