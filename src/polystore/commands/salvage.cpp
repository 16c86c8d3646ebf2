// polystore_salvage <damaged> <new>: creates a new log from the intact records of a damaged one.

#include "polystore/engine/salvage.hpp"

#include <cstdio>

#include "polystore/engine/posix_env.hpp"

int main(int count, char** arguments) {
    if (count != 3) {
        std::fputs("Usage: polystore_salvage <damaged log> <new log>\n", stderr);
        return 2;
    }
    auto salvaged = polystore::engine::salvage(polystore::engine::posix_env(), arguments[1], arguments[2]);
    if (!salvaged.ok()) {
        std::fprintf(stderr, "%s\n", salvaged.failure().message.c_str());
        return 1;
    }
    std::printf("%zu records are whole, %llu bytes are lost.\n", salvaged->records,
                static_cast<unsigned long long>(salvaged->lost_bytes));
    return 0;
}
