// polystore_interop_counter <file or folder> <calls>: adds 1 to the number at "count" in a File, or, if the path ends
// with a slash, in a Folder, with each call, and prints a line when that is acknowledged. web-tests/counter/count.js is
// the same in JavaScript.

#include <iostream>
#include <polystore/polystore.hpp>
#include <string>

int main(int count, char** arguments) {
    if (count != 3) return 2;
    const std::string path = arguments[1];
    const polystore::Store store(path.ends_with('/') ? polystore::folder(path) : polystore::file(path));
    const auto add_one = [](const polystore::Json& value) {
        return polystore::Json(value.is_null() ? 1 : value.get<int>() + 1);
    };
    for (int i = 0; i < std::stoi(arguments[2]); ++i) {
        if (i % 2 == 0) {
            store.incr("count");
        } else {
            store.update("count", add_one);
        }
        std::cout << std::endl;
    }
}
