// Changes logs at random, both like libFuzzer and record by record, and then corrects their checks. A fuzzer alone
// would not get past the checks, so the contents of records would stay untested.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "polystore/engine/crc32c.hpp"
#include "polystore/engine/log_format.hpp"

using namespace polystore::engine;

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace {

template <typename T>
T number_at(const std::string& log, std::size_t offset) {
    T number = 0;
    std::memcpy(&number, log.data() + offset, sizeof(number));
    return number;
}

std::size_t head_size(const std::string& log) { return Header{number_at<std::uint32_t>(log, 8), 0}.head_size(); }

/// Returns the offsets of the consecutive records after the header, the last of which may be truncated, and their end.
std::vector<std::size_t> borders(const std::string& log) {
    std::vector<std::size_t> borders;
    std::size_t at = kHeaderSize;
    while (at < log.size() && log.size() - at >= head_size(log)) {
        borders.push_back(at);
        at += head_size(log) + number_at<std::uint32_t>(log, at + 12) +
              std::size_t{number_at<std::uint32_t>(log, at + 16)};
    }
    borders.push_back(std::min(at, log.size()));
    return borders;
}

/// Removes a record, copies one to another place, or moves the boundary of a batch to it.
void change_records(std::string& log, std::mt19937& random) {
    const std::vector<std::size_t> all = borders(log);
    if (all.size() < 2) return;
    const std::size_t i = random() % (all.size() - 1);
    const std::size_t size = all[i + 1] - all[i];
    switch (random() % 3) {
        case 0: log.erase(all[i], size); break;
        case 1: log.insert(all[random() % all.size()], log.substr(all[i], size)); break;
        default: log[all[i] + 9] = static_cast<char>(log[all[i] + 9] ^ 1);
    }
}

/// Writes the check of `bytes` at `offset`.
void put_check(std::string& log, std::size_t offset, std::string_view bytes, std::uint32_t before = 0) {
    const std::uint32_t check = crc32c(bytes, before);
    std::memcpy(log.data() + offset, &check, sizeof(check));
}

/// Corrects the header except for its numbers, and corrects every check.
void repair(std::string& log) {
    if (log.size() < kHeaderSize) return;
    log.replace(0, 8, "polystor");
    const std::string_view view = log;
    put_check(log, 20, view.substr(0, 20));
    const auto generation = number_at<std::uint64_t>(log, 12);
    const auto seed = static_cast<std::uint32_t>(generation ^ (generation >> 32U));
    const std::vector<std::size_t> all = borders(log);
    const std::size_t head = head_size(log);
    for (std::size_t i = 0; i + 1 < all.size(); ++i) {
        put_check(log, all[i] + 4, view.substr(all[i] + head, all[i + 1] - all[i] - head));
        put_check(log, all[i], view.substr(all[i] + 4, head - 4), seed);
    }
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed) {
    std::mt19937 random(seed);
    std::string log(reinterpret_cast<char*>(data), size);
    if (random() % 4 == 0) {
        change_records(log, random);
    } else {
        log.assign(reinterpret_cast<char*>(data), LLVMFuzzerMutate(data, size, most));
    }
    log.resize(std::min(log.size(), most));
    if (random() % 8 != 0) repair(log);
    // Damages a single byte, so that everything else stays valid.
    if (random() % 8 == 0 && !log.empty()) log[random() % log.size()] = static_cast<char>(random());
    std::copy(log.begin(), log.end(), data);
    return log.size();
}
