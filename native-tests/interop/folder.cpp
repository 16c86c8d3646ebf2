// Reads a JSON object, puts its members into the folder in the argument, and prints the contents of the folder. The
// tests of JavaScript compare them.

#include <iostream>
#include <polystore/polystore.hpp>

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    const polystore::Store store(polystore::folder(argv[1]));
    const polystore::Json entries = polystore::Json::parse(std::cin);
    for (const auto& [key, value] : entries.items()) store.set(key, value);
    std::cout << polystore::Json(store.all()) << '\n';
}
