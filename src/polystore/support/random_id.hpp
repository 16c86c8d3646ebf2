#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <string>

namespace polystore {

/// Fills a buffer with random bytes.
using RandomBytes = std::function<void(std::span<std::uint8_t>)>;

/// Fills `bytes` from the platform's source of random bytes, which is fit for secrets, through `std::random_device`.
/// With libstdc++ that is the processor's RDSEED or RDRAND on x86, and getentropy elsewhere on Linux. With libc++ it is
/// getentropy or /dev/urandom on Linux, and arc4random on macOS and the BSDs.
void fill_with_random_bytes(std::span<std::uint8_t> bytes);

/// Returns random hexadecimal digits in lower case, two for each byte, for the name of a lock or a temporary file.
[[nodiscard]] std::string make_random_digits(std::size_t bytes);

/// Creates the keys of `add` from random bytes, which it draws for many keys at once. Threads may share one maker.
class IdMaker {
   public:
    explicit IdMaker(RandomBytes random) : random_(std::move(random)) {}

    /// Returns 24 characters of `[A-Za-z0-9]`: see id.hpp.
    [[nodiscard]] std::string make();

   private:
    char next_character();

    std::mutex mutex_;
    RandomBytes random_;
    std::array<std::uint8_t, 1024> characters_{};
    std::size_t left_ = 0;
    std::int64_t process_ = 0;
};

/// Returns a key from the one maker of this process.
[[nodiscard]] std::string make_random_id();

}  // namespace polystore
