#include <chrono>
#include <iostream>
#include <polystore/polystore.hpp>

int main() {
    const polystore::Store store(polystore::memory());
    polystore::Watcher watcher = store.watch();  // from here on, no change is missed
    const auto listening = store.watch("b", [](const auto& change) { std::cout << "b is " << change.value << '\n'; });

    store.set("a", 1);
    store.del("a");
    store.set("b", 2);  // calls the listener before it returns: b is 2

    while (const auto change = watcher.next(std::chrono::milliseconds(10))) {
        const bool is_set = change->type == polystore::Watcher::Type::set;
        std::cout << (is_set ? "set " : "deleted ") << change->key << '\n';  // deleted a, set b
    }
}
