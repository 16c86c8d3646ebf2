#pragma once

#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>

/// The errors that every public call reports.
namespace polystore {

/// The kind of an error. Codes are stable; messages may change.
enum class ErrorCode : std::uint8_t {
    client,       ///< The storage failed or was misused: a missing folder, a permission, a client's own exception.
    closed,       ///< The store was closed.
    conflict,     ///< Other writers changed the value in each of 100 attempts. Nothing was changed.
    corrupt,      ///< The stored data is not valid. It was left unchanged.
    expires,      ///< The expiry cannot be parsed.
    key,          ///< The storage cannot hold this key.
    options,      ///< An option, for example a cursor, has a wrong value.
    quota,        ///< The storage is full, or the data to write is too large for it.
    unsupported,  ///< The client does not support this method.
    value,        ///< JSON cannot hold this value.
};

/// The stable text of a code, the same as in JavaScript: "ERR_CLIENT", "ERR_CLOSED" and so on.
[[nodiscard]] constexpr std::string_view name_of(ErrorCode code) noexcept {
    switch (code) {
        case ErrorCode::client: return "ERR_CLIENT";
        case ErrorCode::closed: return "ERR_CLOSED";
        case ErrorCode::conflict: return "ERR_CONFLICT";
        case ErrorCode::corrupt: return "ERR_CORRUPT";
        case ErrorCode::expires: return "ERR_EXPIRES";
        case ErrorCode::key: return "ERR_KEY";
        case ErrorCode::options: return "ERR_OPTIONS";
        case ErrorCode::quota: return "ERR_QUOTA";
        case ErrorCode::unsupported: return "ERR_UNSUPPORTED";
        case ErrorCode::value: return "ERR_VALUE";
    }
    std::terminate();
}

/// The one exception type that public calls throw, except for `std::bad_alloc` if there is no memory even for an
/// `Error`. Running out of memory otherwise is ERR_QUOTA. The message says what happened, with which value, and what to
/// do. If a client threw another exception, it is nested in this one: see `std::rethrow_if_nested`.
class Error : public std::runtime_error {
   public:
    Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}

    [[nodiscard]] ErrorCode code() const noexcept { return code_; }

   private:
    ErrorCode code_;
};

/// Formats a text for a message: in quotes, on one line, shortened, and as valid UTF-8 even if `text` is not.
[[nodiscard]] std::string show(std::string_view text);

}  // namespace polystore
