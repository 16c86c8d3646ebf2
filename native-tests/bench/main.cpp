// npm run bench, the native part: the engine against LevelDB, RocksDB and the theoretical minimum.

#include <malloc.h>

#include <algorithm>
#include <barrier>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "bench/database.hpp"
#include "bench/measure.hpp"
#include "polystore/engine/crc32c.hpp"
#include "polystore/engine/engine.hpp"
#include "polystore/engine/posix_env.hpp"
#include "support/on_threads.hpp"
#include "support/temporary_folder.hpp"

namespace polystore::bench {
namespace {

using testing::TemporaryFolder;

constexpr int kKeys = 100'000;
constexpr std::size_t kKeyLength = 16;
constexpr std::size_t kValueLength = 100;

struct Pair {
    std::string key;
    std::string value;
};

std::string key_of(int number) {
    std::string digits = std::to_string(number);
    return std::string(kKeyLength - digits.size(), '0') + digits;
}

/// Returns `count` pairs in random order. The values are random letters, so that a peer cannot compress them.
std::vector<Pair> make_pairs(int count) {
    std::mt19937 random(1);
    std::vector<Pair> pairs;
    for (int i = 0; i < count; ++i) {
        Pair pair = {key_of(i), std::string(kValueLength, ' ')};
        for (char& letter : pair.value) letter = static_cast<char>('0' + random() % 64);
        pairs.push_back(std::move(pair));
    }
    std::shuffle(pairs.begin(), pairs.end(), random);
    return pairs;
}

using Open = std::unique_ptr<Database> (*)(const std::filesystem::path&);

/// A database with all pairs, opened again: settled, or as the pairs were put.
std::unique_ptr<Database> filled(Open open, const std::filesystem::path& path, const std::vector<Pair>& pairs,
                                 bool settled = true) {
    {
        const auto database = open(path);
        for (const auto& [key, value] : pairs) database->put(key, value);
        if (settled) database->settle();
    }
    return open(path);
}

Timed getting(Database& database, const std::vector<std::string>& keys) {
    return [&] {
        std::string value;
        return seconds([&] {
            for (const std::string& key : keys) {
                database.get(key, value);
                if (value.size() != kValueLength) throw std::runtime_error("a wrong value");
            }
        });
    };
}

Timed scanning(Database& database, const std::vector<std::string>& prefixes) {
    return [&] {
        return seconds([&] {
            std::size_t bytes = 0;
            for (const std::string& prefix : prefixes) bytes += database.scan(prefix);
            if (bytes != kKeys * (kKeyLength + kValueLength)) throw std::runtime_error("a wrong scan");
        });
    };
}

/// Each run writes to a new database.
Timed putting(Open open, const std::vector<Pair>& pairs) {
    return [=, &pairs] {
        const TemporaryFolder folder;
        const auto database = open(folder / "data");
        return seconds([&] {
            for (const auto& [key, value] : pairs) database->put(key, value);
        });
    };
}

Timed putting_synced(Open open, const std::vector<Pair>& pairs, int threads) {
    return [=, &pairs] {
        const TemporaryFolder folder;
        const auto database = open(folder / "data");
        return seconds([&] {
            testing::on_threads(threads, [&](int thread) {
                for (std::size_t i = static_cast<std::size_t>(thread); i < pairs.size();
                     i += static_cast<std::size_t>(threads)) {
                    database->put_synced(pairs[i].key, pairs[i].value);
                }
            });
        });
    };
}

/// Writes as many bytes as the pairs take in a log, with one sync for several pairs at a time, and nothing else.
/// Several threads wait for each sync.
Timed writing_synced(const std::vector<Pair>& pairs, std::size_t at_once, int threads) {
    return [=, &pairs] {
        const TemporaryFolder folder;
        auto file = engine::posix_env().create((folder / "data").string());
        if (!file.ok()) throw std::runtime_error(file.failure().message);
        const std::string records(at_once * (engine::kHeadSize + kKeyLength + kValueLength), 'x');
        std::uint64_t end = 0;
        std::barrier all(threads, [&]() noexcept {
            if (!(*file)->write(end, records).ok() || !(*file)->sync().ok()) std::abort();
            end += records.size();
        });
        return seconds([&] {
            testing::on_threads(threads, [&](int) {
                for (std::size_t i = 0; i < pairs.size() / at_once; ++i) all.arrive_and_wait();
            });
        });
    };
}

/// Reads the file and computes its checksum, and nothing else.
double read_and_check(const std::filesystem::path& path) {
    return seconds([&] {
        std::ifstream file(path, std::ios::binary);
        std::vector<char> buffer(std::size_t{1} << 18U);
        std::uint32_t check = 0;
        for (;;) {
            file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
            if (file.gcount() == 0) break;
            check = engine::crc32c({buffer.data(), static_cast<std::size_t>(file.gcount())}, check);
        }
        if (check == 0) throw std::runtime_error("an empty file");
    });
}

double open_engine(const std::filesystem::path& path) {
    std::unique_ptr<engine::Engine> engine;
    const double time = seconds([&] {
        auto opened = engine::Engine::open(engine::posix_env(), path.string());
        if (!opened.ok()) throw std::runtime_error(opened.failure().message);
        engine = std::move(*opened);
    });
    if (engine->size() != kKeys) throw std::runtime_error("a wrong size");
    return time;
}

/// The allocated bytes, including malloc's overhead.
std::size_t allocated() {
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/// The bytes per key that are allocated while the result of `make` exists, less `beside`.
template <typename Make>
double memory(Make make, std::size_t beside) {
    const std::size_t before = allocated();
    const auto made = make();
    return (static_cast<double>(allocated() - before) / kKeys) - static_cast<double>(beside);
}

std::unique_ptr<engine::Engine> put_all(const std::filesystem::path& path, const std::vector<Pair>& pairs,
                                        std::int64_t expires) {
    auto opened = engine::Engine::open(engine::posix_env(), path.string());
    if (!opened.ok()) throw std::runtime_error(opened.failure().message);
    for (const auto& [key, value] : pairs) {
        if (!(*opened)->apply({{key, engine::Stored{value, expires}}}).ok()) throw std::runtime_error("a put failed");
        if (expires != engine::kNoExpiry) ++expires;
    }
    return std::move(*opened);
}

std::vector<Row> memory_rows(const std::vector<Pair>& pairs) {
    const TemporaryFolder folder;
    const double map = memory(
        [&] {
            auto made = std::make_unique<std::unordered_map<std::string, std::string>>();
            for (const auto& [key, value] : pairs) made->emplace(key, value);
            return made;
        },
        kKeyLength + kValueLength);
    const auto row = [&](const std::string& name, double ours) {
        return Row{name, "B", ours, map, "std::unordered_map", 1};
    };
    // The values are in the file, so only the keys are counted in addition.
    const double put = memory([&] { return put_all(folder / "a", pairs, engine::kNoExpiry); }, kKeyLength);
    const double opened = memory(
        [&] { return std::move(*engine::Engine::open(engine::posix_env(), (folder / "a").string())); }, kKeyLength);
    const double expiring = memory([&] { return put_all(folder / "b", pairs, 1); }, kKeyLength);
    return {row("memory a key, beyond key and value", put), row("the same, once opened anew", opened),
            row("the same, of keys that expire", expiring)};
}

bool run() {
    const std::vector<Pair> pairs = make_pairs(kKeys);
    std::vector<std::string> keys;
    for (const Pair& pair : pairs) keys.push_back(pair.key);
    std::shuffle(keys.begin(), keys.end(), std::mt19937(2));
    std::vector<std::string> prefixes;  // Each prefix has a thousand keys.
    for (int i = 0; i < kKeys; i += 1000) prefixes.push_back(key_of(i).substr(0, kKeyLength - 3));
    const std::vector<std::string> all = {""};
    const std::vector<Pair> few(pairs.begin(), pairs.begin() + 8000);

    std::vector<Row> rows = memory_rows(pairs);  // First: freed memory would be reused.

    const TemporaryFolder folder;
    const auto ours = filled(open_polystore, folder / "polystore", pairs);
    const auto unsorted = filled(open_polystore, folder / "unsorted", pairs, false);
    const auto store = filled(open_store, folder / "store", pairs);
    const auto leveldb = filled(open_leveldb, folder / "leveldb", pairs);
    const auto rocksdb = filled(open_rocksdb, folder / "rocksdb", pairs);
    const std::string level = "LevelDB 1.23";
    const std::string rocks = "RocksDB 7.8";
    rows.push_back(race("get at random", kKeys, getting(*ours, keys), level, getting(*leveldb, keys), 3));
    rows.push_back(race("get at random", kKeys, getting(*ours, keys), rocks, getting(*rocksdb, keys), 3));
    // The peers sort entries as they arrive, and the engine sorts them during compaction.
    const auto scans = [&](Database& database, const std::string& state) {
        rows.push_back(
            race("scan of all, " + state, kKeys, scanning(database, all), level, scanning(*leveldb, all), 1));
        rows.push_back(race("scan of 1,000 by prefix, " + state, kKeys, scanning(database, prefixes), level,
                            scanning(*leveldb, prefixes), 1));
    };
    scans(*ours, "compacted");
    scans(*unsorted, "as put at random");
    rows.push_back(race("put", kKeys, putting(open_polystore, pairs), level, putting(open_leveldb, pairs), 1));
    rows.push_back(race("put, synced, by 16 threads", 8000, putting_synced(open_polystore, few, 16), level,
                        putting_synced(open_leveldb, few, 16), 2));
    // The limit of every log, if all threads share every sync.
    rows.push_back(race("the write and the sync of 16, and nothing else", 8000, writing_synced(few, 16, 1), level,
                        putting_synced(open_leveldb, few, 16), {}));
    rows.push_back(race("the same, for which 16 threads wait", 8000, writing_synced(few, 16, 16), level,
                        putting_synced(open_leveldb, few, 16), {}));
    std::filesystem::copy_file(folder / "unsorted", folder / "copy");
    rows.push_back(race(
        "open", 1, [&] { return open_engine(folder / "copy"); }, "reading and checksumming",
        [&] { return read_and_check(folder / "copy"); }, 1.0 / 3));
    rows.push_back(
        race("Store, JSON: get at random", kKeys, getting(*store, keys), level, getting(*leveldb, keys), {}));
    rows.push_back(race("Store, JSON: scan of all", kKeys, scanning(*store, all), level, scanning(*leveldb, all), {}));
    rows.push_back(
        race("Store, JSON: put", kKeys, putting(open_store, pairs), level, putting(open_leveldb, pairs), {}));
    return print("Native, 100,000 keys of 16 B, values of 100 B", rows);
}

}  // namespace
}  // namespace polystore::bench

int main() {
    try {
        static_cast<void>(polystore::bench::run());
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
