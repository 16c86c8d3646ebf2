#include "polystore/engine/salvage.hpp"

#include <algorithm>
#include <utility>

#include "polystore/engine/engine.hpp"
#include "polystore/engine/log_reader.hpp"

namespace polystore::engine {
namespace {

/// Returns the header of the log that a record at `offset` belongs to, if there is a record. Every head is valid for
/// some generation, so the check of the body decides.
Result<std::optional<Header>> header_by_record(File& file, std::uint32_t version, std::uint64_t offset,
                                               std::uint64_t size) {
    Header header = {version, 0};
    if (size - offset < header.head_size()) return std::optional<Header>();
    std::string buffer;
    Result<std::string_view> bytes = file.read(offset, header.head_size(), buffer);
    if (!bytes.ok()) return bytes.failure();
    const Head head = read_head(*bytes, header);
    const bool may_be_record = (head.kind == Kind::put || head.kind == Kind::erase) && head.body_size() > 0 &&
                               head.body_size() <= size - offset - header.head_size();
    if (!may_be_record) return std::optional<Header>();
    header.generation = generation_of(*bytes, header);
    LogReader reader(file, header, offset, size);
    Result<LogReader::Found> found = reader.next();
    if (!found.ok()) return found.failure();
    return *found == LogReader::Found::record ? std::optional(header) : std::nullopt;
}

/// The header tells which records belong to the log. If it is damaged, the first valid record tells instead.
Result<Header> find_header(File& file, std::uint64_t size) {
    std::string buffer;
    Result<std::string_view> bytes = file.read(0, kHeaderSize, buffer);
    if (!bytes.ok()) return bytes.failure();
    if (const std::optional<Header> header = decode_header(*bytes)) return *header;
    for (std::uint64_t offset = kHeaderSize; offset < size; ++offset) {
        for (std::uint32_t version = kVersion; version > 0; --version) {
            Result<std::optional<Header>> header = header_by_record(file, version, offset, size);
            if (!header.ok()) return header.failure();
            if (*header) return **header;
        }
    }
    return Failure{
        ErrorCode::corrupt,
        "The file has neither a whole header nor a whole record of a polystore log, so nothing can be salvaged."};
}

}  // namespace

Result<Salvaged> salvage(Env& env, const std::string& from, const std::string& to) {
    Result<std::shared_ptr<File>> opened = env.open(from);
    if (!opened.ok()) return opened.failure();
    const std::shared_ptr<File> file = *opened;
    if (!file) return Failure{ErrorCode::client, "There is no file " + from + ". Give the path of the damaged log."};
    Result<std::uint64_t> size = file->size();
    if (!size.ok()) return size.failure();
    if (*size < kHeaderSize) {
        return Failure{ErrorCode::corrupt, "The file " + from + " is too short to be a polystore log."};
    }
    Result<Header> header = find_header(*file, *size);
    if (!header.ok()) return header.failure();

    Result<std::shared_ptr<File>> taken = env.open(to);
    if (!taken.ok()) return taken.failure();
    if (*taken) return Failure{ErrorCode::client, "The file " + to + " exists already. Give the path of a new file."};
    // The new log has another name until it is complete, so that a part of it cannot be mistaken for the whole.
    const std::string unfinished = to + ".unfinished";
    if (Status removed = env.remove(unfinished); !removed.ok()) return removed.failure();
    Result<std::unique_ptr<Engine>> engine = Engine::open(env, unfinished);
    if (!engine.ok()) return engine.failure();

    Salvaged salvaged;
    std::uint64_t kept = 0;
    LogReader reader(*file, *header, kHeaderSize, *size);
    for (;;) {
        Result<LogReader::Found> found = reader.next();
        if (!found.ok()) return found.failure();
        if (*found == LogReader::Found::end) break;
        if (*found != LogReader::Found::record) {
            if (Status skipped = reader.skip_damage(); !skipped.ok()) return skipped.failure();
            continue;
        }
        const RecordView& record = reader.record();
        kept += header->head_size() + record.key.size() + record.value.size();
        if (record.kind == Kind::mark) continue;
        Change change = {std::string(record.key), std::nullopt};
        if (record.kind == Kind::put) change.stored = Stored{std::string(record.value), record.expires};
        if (Status applied = (*engine)->apply({std::move(change)}); !applied.ok()) return applied.failure();
        ++salvaged.records;
    }
    salvaged.lost_bytes = *size - kHeaderSize - kept;
    if (Status flushed = (*engine)->flush(); !flushed.ok()) return flushed.failure();
    (*engine)->mark_synced();
    engine->reset();
    if (Status named = env.replace(unfinished, to); !named.ok()) return named.failure();
    Result<std::shared_ptr<File>> saved = env.open(to);
    if (!saved.ok()) return saved.failure();
    if (Status synced = (*saved)->sync(); !synced.ok()) return synced.failure();
    return salvaged;
}

}  // namespace polystore::engine
