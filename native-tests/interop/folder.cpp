// Puts the members of the JSON object that it reads into the folder that its argument names, and writes all that is
// there then: what the tests of the JavaScript side compare with.

#include <iostream>
#include <polystore/polystore.hpp>

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    const polystore::Store store(polystore::folder(argv[1]));
    const polystore::Json entries = polystore::Json::parse(std::cin);
    for (const auto& [key, value] : entries.items()) store.set(key, value);
    std::cout << polystore::Json(store.all()) << '\n';
}
