// polystore_interop_writer <file or folder> <name> <count>: sets the keys "<name>:0", "<name>:1" and so on in a File,
// or, if the path ends with a slash, in a Folder, and prints the number of each key once it is stored.
//
// Before each set it asks for a key that expires at once and that every writer sets, so that the writers also remove
// expired records that others are about to replace.

#include <iostream>
#include <polystore/polystore.hpp>
#include <string>

int main(int count, char** arguments) {
    if (count != 4) return 2;
    const std::string path = arguments[1];
    const std::string name = arguments[2];
    const polystore::Store store(path.ends_with('/') ? polystore::folder(path) : polystore::file(path));
    for (int i = 0; i < std::stoi(arguments[3]); ++i) {
        const std::string number = std::to_string(i);
        static_cast<void>(store.get("shared:" + number));
        store.set("shared:" + number, name);
        store.set(name + ":" + number, std::string(static_cast<std::size_t>(i % 100), 'x'));
        std::cout << number << std::endl;
    }
}
