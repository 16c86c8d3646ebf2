#include "polystore/support/random_id.hpp"

#include <unistd.h>

#include <random>
#include <string_view>
#include <utility>
#include <vector>

#include "polystore/core/id.hpp"

namespace polystore {

void fill_with_random_bytes(std::span<std::uint8_t> bytes) {
    std::random_device device;
    static_assert(std::random_device::max() == 0xFFFFFFFF);
    for (std::size_t i = 0; i < bytes.size();) {
        unsigned int random = device();
        for (int k = 0; k < 4 && i < bytes.size(); ++k, random >>= 8U) bytes[i++] = static_cast<std::uint8_t>(random);
    }
}

std::string make_random_digits(std::size_t bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::vector<std::uint8_t> random(bytes);
    fill_with_random_bytes(random);
    std::string digits;
    for (const std::uint8_t byte : random) digits += {kDigits[byte >> 4U], kDigits[byte & 15U]};
    return digits;
}

std::string IdMaker::make() {
    const std::scoped_lock lock(mutex_);
    // After a fork both processes hold the same characters and would create the same keys.
    if (const std::int64_t process = getpid(); std::exchange(process_, process) != process) left_ = 0;
    std::string id(kIdLength, '\0');
    for (char& c : id) c = next_character();
    return id;
}

char IdMaker::next_character() {
    while (left_ == 0) {
        random_(characters_);
        left_ = make_id_characters(characters_);
    }
    return static_cast<char>(characters_[--left_]);
}

std::string make_random_id() {
    // The maker is never destroyed, so that a static object may still use a store when the process ends.
    static auto* const maker = new IdMaker(fill_with_random_bytes);
    return maker->make();
}

}  // namespace polystore
