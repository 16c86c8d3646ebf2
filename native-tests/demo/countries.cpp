// Caches the countries of the world in memory, in a file, in a folder and in a log. Checks that they are there, under a
// prefix and again after a restart. `npm start` runs this; it exits with 1 if anything is missing.

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iomanip>
#include <iostream>
#include <memory>
#include <polystore/polystore.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using polystore::Client;
using polystore::Json;
using polystore::Store;

constexpr const char* kRegion = "europe:";

struct Country {
    std::string key;
    Json value;
};

struct Storage {
    std::string name;
    std::function<std::shared_ptr<Client>()> open;
    /// True if its contents outlive the client.
    bool lasts;
};

struct Row {
    std::string storage;
    std::size_t cached = 0;
    std::size_t in_region = 0;
    std::string restarted = "–";
    double microseconds_a_set = 0;
};

std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

/// The keys are `<region>:<code>`, both in lower case.
std::vector<Country> read_countries(const std::string& path) {
    std::vector<Country> countries;
    std::ifstream file(path);
    if (!file) throw std::runtime_error("cannot read " + path);
    for (const Json& country : Json::parse(file)) {
        const auto& capitals = country.at("capital");
        countries.push_back(
            {lower(country.at("region").get<std::string>() + ":" + country.at("cca2").get<std::string>()),
             {{"name", country.at("name").at("common")},
              {"capital", capitals.empty() ? Json() : capitals.front()},
              {"area", country.at("area")}}});
    }
    return countries;
}

std::size_t count_there(const Store& store, const std::vector<Country>& countries) {
    return static_cast<std::size_t>(std::count_if(countries.begin(), countries.end(), [&](const Country& country) {
        return store.get(country.key) == country.value;
    }));
}

Row fill(const Storage& storage, const std::vector<Country>& countries) {
    Row row{.storage = storage.name};
    {
        const Store store = Store(storage.open()).expires("1h");
        const auto start = std::chrono::steady_clock::now();
        for (const Country& country : countries) store.set(country.key, country.value);
        const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
        row.microseconds_a_set = took.count() / static_cast<double>(countries.size());
        row.cached = count_there(store, countries);
        row.in_region = store.prefix(kRegion).keys().size();
    }
    if (storage.lasts) row.restarted = std::to_string(count_there(Store(storage.open()), countries));
    return row;
}

void print(const std::vector<Row>& rows) {
    std::cout << "  storage  │  cached  │  " << kRegion << "  │  after a restart  │  µs a set\n"
              << "  ─────────┼──────────┼───────────┼───────────────────┼───────────\n";
    for (const Row& row : rows) {
        // A dash is three bytes wide for setw, and one column on the screen.
        const int width = row.restarted == "–" ? 17 : 15;
        std::cout << "  " << std::left << std::setw(7) << row.storage << std::right << "  │  " << std::setw(6)
                  << row.cached << "  │  " << std::setw(7) << row.in_region << "  │  " << std::setw(width)
                  << row.restarted << "  │  " << std::setw(8) << std::fixed << std::setprecision(1)
                  << row.microseconds_a_set << '\n';
    }
}

int run(const std::string& countries_path, const fs::path& folder) {
    const std::vector<Country> countries = read_countries(countries_path);
    const auto expected_in_region = static_cast<std::size_t>(std::count_if(
        countries.begin(), countries.end(), [](const Country& country) { return country.key.starts_with(kRegion); }));
    const std::vector<Storage> storages = {
        {"memory", polystore::memory, false},
        {"file", [&] { return polystore::file(folder / "countries.json"); }, true},
        {"folder", [&] { return polystore::folder(folder / "countries"); }, true},
        {"log", [&] { return polystore::log(folder / "countries.kv"); }, true},
    };

    std::cout << "polystore in C++: " << countries.size() << " countries, each cached for an hour\n\n";
    std::vector<Row> rows;
    bool complete = true;
    for (const Storage& storage : storages) {
        const Row row = fill(storage, countries);
        complete = complete && row.cached == countries.size() && row.in_region == expected_in_region &&
                   (!storage.lasts || row.restarted == std::to_string(countries.size()));
        rows.push_back(row);
    }
    print(rows);

    std::cout << "\n  the first of " << kRegion << " in the log\n";
    int shown = 0;
    for (const auto& [code, country] : Store(storages.back().open(), {.prefix = kRegion})) {
        std::cout << "    " << code << "  " << country.at("name").get<std::string>() << ", "
                  << country.at("capital").get<std::string>() << '\n';
        if (++shown == 3) break;
    }
    std::cout << '\n'
              << (complete ? "Everything is there.\n" : "Something is missing: look in " + folder.string() + "\n");
    return complete ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: polystore_demo <countries.json> <folder>\n";
        return 2;
    }
    try {
        return run(argv[1], argv[2]);
    } catch (const std::exception& error) {
        std::cerr << "polystore_demo: " << error.what() << '\n';
        return 1;
    }
}
