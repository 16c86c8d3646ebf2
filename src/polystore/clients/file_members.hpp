#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "polystore/record.hpp"

/// The members of the JSON object in a file. Each keeps its text, so that an unchanged member is written back as it
/// was, with its blanks, its number notation, and numbers that C++ or JavaScript cannot hold.
namespace polystore {

class FileMember {
   public:
    /// Throws a `std::exception` that says where the text is not valid JSON.
    explicit FileMember(std::string text);
    explicit FileMember(const Record& record);

    [[nodiscard]] const std::string& text() const { return text_; }

    /// The record, or `std::nullopt` if this member is not one. If the record has a number outside the range of a
    /// double, its value is the stand-in `unreadable`.
    [[nodiscard]] const std::optional<Record>& record() const { return record_; }

   private:
    std::string text_;
    std::optional<Record> record_;
};

using FileMembers = std::map<std::string, FileMember>;

/// Returns the members of the object in `text`, or no members if the text is empty. Throws a `std::exception` that says
/// where the text is not JSON, or that it is not an object.
[[nodiscard]] FileMembers parse_members(std::string_view text);

/// Returns the text of an object with these members.
[[nodiscard]] std::string to_text(const FileMembers& members);

}  // namespace polystore
