#pragma once

#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>

/// What goes wrong, as every public call reports it.
namespace polystore {

/// The kind of an error. It never changes; a message may.
enum class ErrorCode : std::uint8_t {
    client,   ///< The storage failed, or was used wrongly: a missing folder, a permission, a client's own exception.
    closed,   ///< The store was closed.
    corrupt,  ///< What is stored is not what it should be. It was left as it is.
    expires,  ///< An expiry that cannot be understood.
    key,      ///< A key that this storage cannot hold.
    quota,    ///< The storage is full, or what is to be written is too large for it.
    unsupported,  ///< The client cannot do that.
    value,        ///< A value that JSON cannot hold.
};

/// The stable text of a code, the same as in JavaScript: "ERR_CLIENT", "ERR_CLOSED" and so on.
[[nodiscard]] constexpr std::string_view name_of(ErrorCode code) noexcept {
    switch (code) {
        case ErrorCode::client: return "ERR_CLIENT";
        case ErrorCode::closed: return "ERR_CLOSED";
        case ErrorCode::corrupt: return "ERR_CORRUPT";
        case ErrorCode::expires: return "ERR_EXPIRES";
        case ErrorCode::key: return "ERR_KEY";
        case ErrorCode::quota: return "ERR_QUOTA";
        case ErrorCode::unsupported: return "ERR_UNSUPPORTED";
        case ErrorCode::value: return "ERR_VALUE";
    }
    std::terminate();
}

/// The one exception that public calls throw; memory that runs out is ERR_QUOTA, or `std::bad_alloc` where there is
/// none for an `Error` either. Its message says what is wrong, with what, and what to do about it. Where a client threw
/// something else, that is nested in it: see `std::rethrow_if_nested`.
class Error : public std::runtime_error {
   public:
    Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}

    [[nodiscard]] ErrorCode code() const noexcept { return code_; }

   private:
    ErrorCode code_;
};

/// A text as a message shows it: in quotes, on one line, shortened, and UTF-8 whatever it was before.
[[nodiscard]] std::string show(std::string_view text);

}  // namespace polystore
