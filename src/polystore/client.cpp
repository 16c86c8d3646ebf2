#include "polystore/client.hpp"

#include "polystore/error.hpp"

namespace polystore {
namespace {

[[noreturn]] void throw_missing(const std::string& method) {
    throw Error(ErrorCode::unsupported, "The client's traits() promise " + method + ", but it does not override it.");
}

}  // namespace

void Client::evict(std::span<const Entry> entries) {
    for (const Entry& entry : entries) {
        if (read(entry.id) == entry.record) erase(entry.id);
    }
}

std::string Client::add(const std::string& /*prefix*/, const Record& /*record*/) { throw_missing("add()"); }
void Client::clear(const std::string& /*prefix*/) { throw_missing("clear()"); }
std::size_t Client::prune(const std::string& /*prefix*/) { throw_missing("prune()"); }

}  // namespace polystore
