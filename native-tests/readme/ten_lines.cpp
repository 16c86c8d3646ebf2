#include <iostream>
#include <polystore/polystore.hpp>

int main() {
    polystore::Store store(polystore::file("cache.json"));
    store.set("greeting", "hello", {.expires = "1h"});
    for (const auto& [key, value] : store) {
        std::cout << key << " = " << value << '\n';
    }
}
