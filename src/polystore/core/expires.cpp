#include "polystore/expires.hpp"

#include <array>
#include <cmath>
#include <cstddef>
#include <optional>

namespace polystore {
namespace {

constexpr double kLatestDate = 8.64e15;

// This is longer than any sensible expiry. A longer text is rejected.
constexpr std::size_t kLongestText = 64;

constexpr double kMinute = 60;
constexpr double kHour = 60 * kMinute;
constexpr double kDay = 24 * kHour;
constexpr double kYear = 365.25 * kDay;

struct Unit {
    std::string_view name;
    double seconds;
};

constexpr Unit kUnits[] = {
    {"", 1},          {"ms", 0.001},       {"msec", 0.001},   {"millisecond", 0.001},
    {"s", 1},         {"sec", 1},          {"second", 1},     {"m", kMinute},
    {"min", kMinute}, {"minute", kMinute}, {"h", kHour},      {"hr", kHour},
    {"hour", kHour},  {"d", kDay},         {"day", kDay},     {"w", 7 * kDay},
    {"wk", 7 * kDay}, {"week", 7 * kDay},  {"b", kYear / 12}, {"month", kYear / 12},
    {"y", kYear},     {"yr", kYear},       {"year", kYear},
};

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::optional<double> unit_seconds(std::string_view name) {
    for (const Unit& unit : kUnits) {
        if (unit.name == name) return unit.seconds;
    }
    if (name.size() < 2 || name.back() != 's') return std::nullopt;
    name.remove_suffix(1);
    for (const Unit& unit : kUnits) {
        if (unit.name == name) return unit.seconds;
    }
    return std::nullopt;
}

/// Reads a text from left to right.
class Reader {
   public:
    explicit Reader(std::string_view text) : rest_(text) {}

    [[nodiscard]] std::string_view rest() const { return rest_; }

    bool take(char c) {
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }

    void skip_blanks() {
        while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
    }

    void drop_blanks_at_end() {
        while (!rest_.empty() && is_blank(rest_.back())) rest_.remove_suffix(1);
    }

    /// Appends the next digits to `number`, and returns their number.
    int take_digits(double& number) {
        int count = 0;
        for (; !rest_.empty() && is_digit(rest_.front()); rest_.remove_prefix(1), ++count) {
            number = number * 10 + (rest_.front() - '0');
        }
        return count;
    }

   private:
    std::string_view rest_;
};

// This is exact for the numbers that people write (up to 15 digits), and close enough for others: the result is rounded
// to a millisecond. The C library's strtod depends on the locale and would add 8 KB to the WebAssembly build.
double scale(double digits, double exponent) {
    double power = 1;
    for (double i = std::fabs(exponent); i > 0 && power < kNever; --i) power *= 10;
    if (digits == 0) return 0;
    return exponent < 0 ? digits / power : digits * power;
}

std::optional<double> take_number(Reader& reader) {
    const bool negative = reader.take('-');
    double digits = 0;
    int count = reader.take_digits(digits);
    int decimals = 0;
    if (reader.take('.')) {
        decimals = reader.take_digits(digits);
        count += decimals;
    }
    if (count == 0) return std::nullopt;
    double exponent = 0;
    if (reader.take('e')) {
        const bool minus = reader.take('-');
        if (!minus) reader.take('+');
        if (reader.take_digits(exponent) == 0) return std::nullopt;
        if (minus) exponent = -exponent;
    }
    const double number = scale(digits, exponent - decimals);
    return negative ? -number : number;
}

}  // namespace

double parse_expires(std::string_view text) noexcept {
    std::array<char, kLongestText> cleaned{};
    std::size_t length = 0;
    for (const char c : text) {
        if (c == ',' || c == '_') continue;
        if (length == cleaned.size()) return std::nan("");
        cleaned[length++] = lower(c);
    }
    Reader reader({cleaned.data(), length});
    reader.skip_blanks();
    reader.drop_blanks_at_end();
    const std::optional<double> number = take_number(reader);
    reader.skip_blanks();
    const std::optional<double> unit = unit_seconds(reader.rest());
    if (!number || !unit) return std::nan("");
    return to_milliseconds(*number * *unit) / 1000;
}

double to_milliseconds(double seconds) noexcept { return std::floor(seconds * 1000 + 0.5); }

double deadline(double now, double seconds) noexcept {
    const double instant = now + to_milliseconds(seconds);
    return instant <= kLatestDate ? instant : kNever;
}

}  // namespace polystore
