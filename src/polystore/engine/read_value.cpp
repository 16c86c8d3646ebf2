#include "polystore/engine/read_value.hpp"

namespace polystore::engine {
namespace {

std::size_t size_of(const OpenLog& log, std::string_view key, const Place& place) {
    return log.header.head_size() + key.size() + place.value_length;
}

}  // namespace

void expect_value(const OpenLog& log, std::string_view key, const Place& place) {
    log.file->expect(place.offset, size_of(log, key, place));
}

Result<std::string_view> read_value(const OpenLog& log, std::string_view key, const Place& place, std::string& buffer) {
    const std::size_t size = size_of(log, key, place);
    Result<std::string_view> bytes = log.file->read(place.offset, size, buffer);
    if (!bytes.ok()) return bytes;
    // The index knows every field of the head except the body's check, which itself reveals damage.
    const Head head = read_head(*bytes, log.header);
    const std::string_view body = bytes->substr(log.header.head_size());
    if (head.body_size() == body.size() && is_whole(head, body)) {
        const RecordView record = record_of(head, body);
        if (record.key == key) return record.value;
    }
    return Failure{ErrorCode::corrupt, "The record at offset " + std::to_string(place.offset) +
                                           " was damaged while the log was open. Close the store and salvage the log."};
}

}  // namespace polystore::engine
