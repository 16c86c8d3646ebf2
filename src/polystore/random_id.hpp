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

/// Random bytes of the platform, fit for secrets, by way of `std::random_device`: with libstdc++ the processor's RDSEED
/// or RDRAND on x86, getentropy elsewhere on Linux; with libc++ getentropy or /dev/urandom on Linux, arc4random on
/// macOS and the BSDs.
void fill_with_random_bytes(std::span<std::uint8_t> bytes);

/// Makes the keys of `add`, from random bytes that it draws for many of them at once. Threads may share one.
class IdMaker {
   public:
    explicit IdMaker(RandomBytes random) : random_(std::move(random)) {}

    /// 24 characters of `[A-Za-z0-9]`: see id.hpp.
    [[nodiscard]] std::string make();

   private:
    char next_character();

    std::mutex mutex_;
    RandomBytes random_;
    std::array<std::uint8_t, 1024> characters_{};
    std::size_t left_ = 0;
    std::int64_t process_ = 0;
};

/// A key from the one maker of this process.
[[nodiscard]] std::string make_random_id();

}  // namespace polystore
