// polystore_log <log> <key> <text>: prints the contents of a log as JSON, and then sets a key.

#include <cstdio>
#include <nlohmann/json.hpp>

#include "polystore/polystore.hpp"

int main(int count, char** arguments) {
    if (count != 4) return 2;
    const polystore::Store store(polystore::log(arguments[1]));
    nlohmann::json all = nlohmann::json::object();
    for (const auto& [key, value] : store.entries()) all[key] = value;
    std::printf("%s\n", all.dump().c_str());
    store.set(arguments[2], arguments[3]);
    return 0;
}
