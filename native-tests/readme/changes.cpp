// Changes that are not lost, and ranges.

#include <iostream>
#include <polystore/polystore.hpp>

using polystore::Json;
using polystore::Store;
using polystore::Write;

int main() {
    const Store store(polystore::memory());

    std::cout << store.incr("visits") << '\n';  // 1
    const Json cart = store.update("cart", [](Json value) {
        if (value.is_null()) value = Json::array();
        value.push_back("apple");
        return value;
    });
    std::cout << cart << '\n';  // ["apple"]

    // All of this, or nothing: the cart is ordered if nobody has changed it since it was read.
    if (const auto read = store.entry("cart")) {
        const bool is_made = store.batch({
            Write::check("cart", read->version),
            Write::set("order:1", read->value, {.expires = "30 days"}),
            Write::del("cart"),
        });
        std::cout << is_made << ' ' << store.has("cart") << '\n';  // 1 0
    }

    store.set_many({{"log:1", "a"}, {"log:2", "b"}, {"log:3", "c"}});
    for (const auto& [key, value] : store.prefix("log:").range({.gte = "2", .reverse = true})) {
        std::cout << key << " = " << value << '\n';  // 3 = "c", 2 = "b"
    }

    try {
        store.incr("cart", 1, {.expires = "soon"});
    } catch (const polystore::Error& error) {
        std::cout << name_of(error.code()) << '\n';  // ERR_EXPIRES
    }
}
