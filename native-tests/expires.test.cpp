#include "polystore/expires.hpp"

#include <cmath>
#include <string>
#include <vector>

#include "support/catch.hpp"

using polystore::deadline;
using polystore::kNever;
using polystore::parse_expires;
using polystore::to_milliseconds;

namespace {

struct Parsed {
    std::string text;
    double seconds;
};

void check_all(const std::vector<Parsed>& table) {
    for (const auto& [text, seconds] : table) {
        INFO('"' << text << '"');
        CHECK(parse_expires(text) == seconds);
    }
}

void check_none(const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
        INFO('"' << text << '"');
        CHECK(std::isnan(parse_expires(text)));
    }
}

}  // namespace

TEST_CASE("every unit, in every spelling", "[expires]") {
    const std::vector<std::pair<std::vector<std::string>, double>> units = {
        {{"ms", "msec", "millisecond"}, 0.001},
        {{"", "s", "sec", "second"}, 1},
        {{"m", "min", "minute"}, 60},
        {{"h", "hr", "hour"}, 3600},
        {{"d", "day"}, 86400},
        {{"w", "wk", "week"}, 604800},
        {{"b", "month"}, 2629800},
        {{"y", "yr", "year"}, 31557600},
    };
    for (const auto& [names, seconds] : units) {
        for (const std::string& name : names) {
            std::string shouted = name;
            for (char& c : shouted) c = static_cast<char>(std::toupper(c));
            check_all({{"2" + name, 2 * seconds}, {"2 " + name, 2 * seconds}, {"\t2 \n" + shouted + " ", 2 * seconds}});
            if (name.size() > 1 || name == "h")
                check_all({{"2" + name + "s", 2 * seconds}, {"2" + shouted + "S", 2 * seconds}});
        }
    }
}

TEST_CASE("every notation of a number", "[expires]") {
    check_all({
        {"5", 5},
        {" 5 ", 5},
        {"05s", 5},
        {"5.s", 5},
        {".5s", 0.5},
        {"0.5s", 0.5},
        {"5.25s", 5.25},
        {"1,000s", 1000},
        {"1_000 s", 1000},
        {"1,5s", 15},
        {"_5_s_", 5},
        {"5 m,in", 300},
        {"1e3s", 1000},
        {"1E3s", 1000},
        {"1e+3s", 1000},
        {"1e-3s", 0.001},
        {"1.5e3ms", 1.5},
        {"15e-1 s", 1.5},
        {"5.e1s", 50},
        {".5e1s", 5},
        {"0s", 0},
        {"0e999s", 0},
        {"0.0004s", 0},
        {"1e-400s", 0},
        {"-5s", -5},
        {"-.5s", -0.5},
        {"-1e2s", -100},
        {"-0s", 0},
        {"0.1s", 0.1},
        {"0.3s", 0.3},
        {"1.1min", 66},
        {"1.005s", 1.005},
        {"9999999999999s", 9999999999999},
        {"5M", 300},
        {"00000000000000000000000000000000000000000000000000000001s", 1},
    });
}

TEST_CASE("an expiry is rounded to the millisecond", "[expires]") {
    check_all({{"0.4ms", 0},
               {"0.49999ms", 0},
               {"0.5ms", 0.001},
               {"0.9ms", 0.001},
               {"1.4ms", 0.001},
               {"1.5ms", 0.002},
               {"-0.4ms", 0},
               {"-0.6ms", -0.001},
               {"1.2345s", 1.235},
               {"0.0005s", 0.001}});
    CHECK(to_milliseconds(0.0005) == 1);
    CHECK(to_milliseconds(0.0004) == 0);
    CHECK(to_milliseconds(-1) == -1000);
    CHECK(to_milliseconds(kNever) == kNever);
}

TEST_CASE("a number that is too large for any date is never", "[expires]") {
    check_all({{"1e400s", kNever}, {"-1e400s", -kNever}, {"1e99999999999999999999 years", kNever}});
    CHECK(parse_expires("1e300s") == Approx(1e300));
}

TEST_CASE("a text that does not follow the grammar is NaN", "[expires]") {
    check_none({"",       " ",       "s",     "ms",          "potato",  "never",  "null",     "5potato",
                "abc10s", "10s foo", "1d12h", "1h 30m",      "1.5.5s",  "1..5s",  "--5s",     "- 5s",
                "+5s",    "5-s",     "5e",    "5es",         "5e+s",    "5e1.5s", "1e1e1s",   "1 000s",
                "5 s s",  "2dayss",  "1mo",   "1 fortnight", "5 mss s", "0x10s",  "Infinity", "-Infinity",
                "NaN",    "inf",     "nan",   ".s",          ".",       "-",      "-.s",      "e5s",
                ",",      "_",       "5 µs",  "5\u00a0s",    "٥s",      "5秒",    "5 ſ",      "5ſ"});
    check_none({std::string("5\0s", 3), std::string("5s\0", 3), std::string("\0", 1)});
}

TEST_CASE("names of members of JavaScript's functions and objects are not units", "[expires]") {
    check_none({"5 constructor", "5 length", "5 name", "5 call", "5 apply", "5 prototype", "5 __proto__", "5 toString",
                "5 valueOf", "5 hasOwnProperty"});
}

TEST_CASE("a text longer than 64 characters is rejected", "[expires]") {
    const std::string longest(63, '0');
    check_all({{longest + "1", 1}, {longest + "1" + std::string(1000, '_'), 1}});
    check_none({longest + "1s", std::string(100000, '5'), std::string(100000, ' ') + "5s"});
}

TEST_CASE("a deadline is an instant, in milliseconds", "[expires]") {
    CHECK(deadline(1000, 5) == 6000);
    CHECK(deadline(1000, 0.0005) == 1001);
    CHECK(deadline(1000.5, 1) == 2000.5);
    CHECK(deadline(1000, -1) == 0);
}

TEST_CASE("a deadline later than the latest date of JavaScript is never", "[expires]") {
    CHECK(deadline(0, kNever) == kNever);
    CHECK(deadline(0, 8.64e12) == 8.64e15);
    CHECK(deadline(1, 8.64e12) == kNever);
    CHECK(deadline(1.7e12, 1e300) == kNever);
}
