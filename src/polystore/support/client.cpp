#include "polystore/client.hpp"

#include "polystore/error.hpp"
#include "polystore/support/page_builder.hpp"
#include "polystore/support/select.hpp"

namespace polystore {
namespace {

[[noreturn]] void throw_missing(const std::string& method) {
    throw Error(ErrorCode::unsupported, "The client's traits() promise " + method + ", but it does not override it.");
}

class EntryCursor : public Cursor {
   public:
    explicit EntryCursor(std::vector<Entry> entries) : entries_(std::move(entries)) {}

    std::optional<std::vector<Entry>> next(std::size_t limit) override {
        if (next_ == entries_.size()) return std::nullopt;
        PageBuilder page(limit);
        while (next_ < entries_.size() && !page.is_full()) page.add(std::move(entries_[next_++]));
        return page.take();
    }

   private:
    std::vector<Entry> entries_;
    std::size_t next_ = 0;
};

}  // namespace

std::unique_ptr<Cursor> cursor_over(std::vector<Entry> entries, const Range& range) {
    select(entries, range, [](const Entry& entry) -> const std::string& { return entry.id; });
    return std::make_unique<EntryCursor>(std::move(entries));
}

std::size_t Client::sweep(const Range& /*range*/, std::optional<double> /*until*/) { throw_missing("sweep()"); }
std::string Client::add(const std::string& /*prefix*/, const Record& /*record*/) { throw_missing("add()"); }

}  // namespace polystore
