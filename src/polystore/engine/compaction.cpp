#include "polystore/engine/compaction.hpp"

#include "polystore/engine/log_reader.hpp"
#include "polystore/engine/maintenance.hpp"
#include "polystore/engine/memory.hpp"

namespace polystore::engine {

Compaction::Compaction(Env& env, std::string path, OpenLog old_log, Index index, std::uint64_t end)
    : env_(env),
      path_(std::move(path)),
      old_log_(std::move(old_log)),
      entries_(std::make_unique<Scan>(old_log_, std::move(index), Range{})),
      old_end_(end) {}

Result<std::unique_ptr<Compaction>> Compaction::begin(Env& env, std::string path, OpenLog old_log, Index index,
                                                      std::uint64_t end) {
    std::unique_ptr<Compaction> compaction(
        new Compaction(env, std::move(path), std::move(old_log), std::move(index), end));
    Result<std::shared_ptr<File>> file = env.create(compaction->path_);
    if (!file.ok()) return file.failure();
    compaction->new_log_ = {*file, {.generation = compaction->old_log_.header.generation + 1}};
    compaction->buffer_ = encode_header(compaction->new_log_.header.generation);
    return compaction;
}

Compaction::~Compaction() {
    if (finished_) return;
    new_log_.file.reset();
    // A file that cannot be removed is overwritten by the next compaction.
    if_memory_allows([&] { static_cast<void>(env_.remove(path_)); });
}

Status Compaction::step(std::size_t bytes, std::uint64_t end) {
    return entries_ ? copy_entries(bytes) : copy_batches(bytes, end);
}

Status Compaction::copy_entries(std::size_t bytes) {
    std::string value_buffer;
    for (std::size_t count = 0; buffer_.size() < bytes && count < kCompactedAtOnce; ++count) {
        if (!entries_->next()) {
            entries_.reset();
            new_index_ = new_entries_.finish();
            break;
        }
        Result<std::string_view> value = entries_->read(value_buffer);
        if (!value.ok()) return value.failure();
        const Place place = {new_end_ + buffer_.size(), entries_->expires(), static_cast<std::uint32_t>(value->size())};
        // `unsynced` can be 0: the new log only replaces the old one after all entries are synced.
        copy({Kind::put, entries_->key(), *value, place.expires}, false, 0);
        new_entries_.add(entries_->key(), place);
    }
    return write();
}

Status Compaction::copy_batches(std::size_t bytes, std::uint64_t end) {
    LogReader reader(*old_log_.file, old_log_.header, old_end_, end);
    while (buffer_.size() < bytes || reader.follows()) {
        Result<LogReader::Found> found = reader.next();
        if (!found.ok()) return found.failure();
        if (*found == LogReader::Found::end) break;
        if (*found != LogReader::Found::record) {
            return Failure{ErrorCode::corrupt,
                           "The log was damaged while it was open, at offset " + std::to_string(reader.offset()) + "."};
        }
        const RecordView& record = reader.record();
        if (record.kind == Kind::mark) continue;
        if (record.kind == Kind::put) {
            new_index_.put(record.key, {new_end_ + buffer_.size(), record.expires,
                                        static_cast<std::uint32_t>(record.value.size())});
        } else {
            new_index_.erase(record.key);
        }
        copy(record, reader.follows(), new_end_ + buffer_.size() - synced_.new_end);
    }
    old_end_ = reader.offset();
    return write();
}

void Compaction::copy(const RecordView& record, bool follows, std::uint64_t unsynced) {
    encode_record(record, follows, new_log_.header.generation, unsynced, buffer_);
    last_unsynced_ = unsynced;
}

Status Compaction::write() {
    if (Status written = new_log_.file->write(new_end_, buffer_); !written.ok()) return written;
    new_end_ += buffer_.size();
    buffer_.clear();
    return Done{};
}

std::shared_ptr<File> Compaction::begin_sync() {
    syncing_ = {entries_ ? 0 : old_end_, new_end_};
    return new_log_.file;
}

Status Compaction::finish(const std::string& path) {
    Status replaced = env_.replace(path_, path);
    finished_ = replaced.ok();
    return replaced;
}

}  // namespace polystore::engine
