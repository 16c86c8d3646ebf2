#include "polystore/support/page_builder.hpp"

#include <string>

namespace polystore {

std::size_t size_of(const Json& value) {
    constexpr std::size_t kMember = 16;
    if (value.is_string()) return kMember + value.get_ref<const std::string&>().size();
    if (value.is_binary()) return kMember + value.get_binary().size();
    std::size_t size = kMember;
    if (value.is_object()) {
        for (const auto& [key, member] : value.get_ref<const Json::object_t&>()) size += key.size() + size_of(member);
    } else if (value.is_array()) {
        for (const Json& member : value) size += size_of(member);
    }
    return size;
}

}  // namespace polystore
