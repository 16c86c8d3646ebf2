#include "polystore/clients/file_members.hpp"

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <utility>

#include "polystore/support/any_json.hpp"
#include "polystore/value.hpp"

namespace polystore {
namespace {

/// Cuts text that should be an object into the texts of its members, without parsing those.
class Cutter {
   public:
    explicit Cutter(std::string_view text) : text_(text) {}

    [[nodiscard]] bool is_at_end() {
        while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
        return at_ == text_.size();
    }

    /// Returns the next character that is not blank, or '\0' at the end.
    [[nodiscard]] char peek() { return is_at_end() ? '\0' : text_[at_]; }

    char take() {
        const char next = peek();
        ++at_;
        return next;
    }

    /// Returns the text up to the end of a key or a member: the character `end`, or the end of the object.
    [[nodiscard]] std::string_view take_until(char end) {
        static_cast<void>(peek());
        const std::size_t begin = at_;
        std::size_t depth = 0;
        bool in_string = false;
        for (; at_ < text_.size(); ++at_) {
            const char c = text_[at_];
            if (c == '"') in_string = !in_string;
            if (in_string) {
                if (c == '\\') ++at_;
                continue;
            }
            if (depth == 0 && (c == end || c == '}' || c == ']')) break;
            if (c == '{' || c == '[') ++depth;
            if (c == '}' || c == ']') --depth;
        }
        at_ = std::min(at_, text_.size());
        std::size_t last = at_;
        while (last > begin && is_blank(text_[last - 1])) --last;
        return text_.substr(begin, last - begin);
    }

   private:
    static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

FileMember::FileMember(std::string text) : text_(std::move(text)) {
    const ParsedJson parsed = parse_any_json(text_);
    record_ = to_record(parsed.json);
    if (record_ && parsed.has_huge_numbers) record_->value = unreadable(text_);
}

FileMember::FileMember(const Record& record) : text_(polystore::to_text(record)), record_(record) {
    // A member is indented by two spaces more than a record alone in a file. JSON strings hold no line breaks.
    for (std::size_t i = 0; (i = text_.find('\n', i)) != std::string::npos; i += 3) text_.insert(i + 1, "  ");
}

namespace {

FileMembers cut(std::string_view text) {
    FileMembers members;
    Cutter cutter(text);
    if (cutter.take() != '{') throw std::invalid_argument("the outermost thing in it is not an object");
    char next = cutter.peek() == '}' ? cutter.take() : ',';
    while (next == ',') {
        const Json key = Json::parse(cutter.take_until(':'));
        if (!key.is_string() || cutter.take() != ':') throw std::invalid_argument("a member of it has no key");
        FileMember member{std::string(cutter.take_until(','))};
        members.insert_or_assign(key.get<std::string>(), std::move(member));
        next = cutter.take();
    }
    if (next != '}' || !cutter.is_at_end()) throw std::invalid_argument("the object in it does not end with the file");
    return members;
}

}  // namespace

FileMembers parse_members(std::string_view text) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (text.empty()) return {};
    try {
        return cut(text.starts_with(kByteOrderMark) ? text.substr(kByteOrderMark.size()) : text);
    } catch (const std::exception&) {
        static_cast<void>(parse_any_json(text));  // Throws the position in the whole text.
        throw;
    }
}

std::string to_text(const FileMembers& members) {
    std::string text = "{";
    for (const auto& [key, member] : members) {
        text += text.size() == 1 ? "\n  " : ",\n  ";
        text += Json(key).dump() + ": " + member.text();
    }
    return text + (members.empty() ? "}" : "\n}");
}

}  // namespace polystore
