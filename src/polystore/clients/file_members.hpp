#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "polystore/record.hpp"

/// The members of the JSON object in a file. Each keeps its text, so that one that is not changed is written as it was:
/// numbers that C++ or JavaScript cannot hold, their notation, and blanks.
namespace polystore {

class FileMember {
   public:
    /// Throws a `std::exception` that says where the text is not JSON.
    explicit FileMember(std::string text);
    explicit FileMember(const Record& record);

    [[nodiscard]] const std::string& text() const { return text_; }

    /// Whether this is a record, and not another's.
    [[nodiscard]] bool is_record() const { return record_.has_value(); }

    /// The record, if this is one. Throws `Error` ERR_CORRUPT, which names `id`, if it has a number beyond what a
    /// double holds.
    [[nodiscard]] const std::optional<Record>& record(const std::string& id) const;

    /// Whether this is `record`.
    [[nodiscard]] bool is_now(const Record& record) const { return !holds_huge_number_ && record_ == record; }

   private:
    std::string text_;
    std::optional<Record> record_;  ///< With a 0 in the place of each number that is too large.
    bool holds_huge_number_ = false;
};

using FileMembers = std::map<std::string, FileMember>;

/// The members of the object that `text` is; none if it is empty. Throws a `std::exception` that says where it is not
/// JSON, or that it is not an object.
[[nodiscard]] FileMembers parse_members(std::string_view text);

/// The text of an object with these members.
[[nodiscard]] std::string to_text(const FileMembers& members);

}  // namespace polystore
