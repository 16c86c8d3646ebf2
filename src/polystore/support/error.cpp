#include "polystore/error.hpp"

#include <cstddef>
#include <nlohmann/json.hpp>

namespace polystore {

std::string show(std::string_view text) {
    constexpr std::size_t kShown = 60;
    std::size_t length = text.size();
    if (length > kShown) {
        length = kShown;
        // Do not cut inside a character: bytes of the form 10xxxxxx continue one.
        while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0U) == 0x80U) --length;
    }
    const nlohmann::json shown = std::string(text.substr(0, length)) + (length < text.size() ? "…" : "");
    return shown.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace polystore
