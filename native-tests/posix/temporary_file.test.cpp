#include "polystore/posix/temporary_file.hpp"

#include <filesystem>
#include <string>
#include <vector>

#include "polystore/clients/file.hpp"
#include "polystore/clients/folder.hpp"
#include "polystore/store.hpp"
#include "support/catch.hpp"
#include "support/in_child.hpp"
#include "support/temporary_folder.hpp"

using namespace polystore;
using namespace polystore::testing;
using polystore::posix::remove_abandoned;
using polystore::posix::temporary_name;
using namespace std::chrono_literals;

namespace fs = std::filesystem;

TEST_CASE("only temporary files of killed processes are removed", "[temporary_file]") {
    const TemporaryFolder folder;
    const std::string dead = in_child([] { return temporary_name(); });
    const std::string alive = temporary_name();
    CHECK(alive != temporary_name());
    const std::string machine = "0123456789abcdef";
    const std::string elsewhere = ".polystore-" + machine + "-1-1-0123456789abcdef.tmp";
    const std::string old = ".polystore-" + machine + "-1-2-0123456789abcdef.tmp";
    const std::vector<std::string> others = {".polystore-1-1.tmp", "x" + dead, dead + ".json",
                                             ".polystore-ignores-case"};
    for (const std::string& name : {dead, alive, elsewhere, old}) put(folder / name, "");
    for (const std::string& name : others) put(folder / name, "");
    fs::last_write_time(folder / old, fs::file_time_type::clock::now() - 25h);
    for (const std::string& name : others) fs::last_write_time(folder / name, fs::file_time_type::clock::now() - 25h);
    remove_abandoned(folder.path());
    CHECK_FALSE(fs::exists(folder / dead));
    CHECK_FALSE(fs::exists(folder / old));
    CHECK(folder.names().size() == 2 + others.size());
    CHECK(fs::exists(folder / alive));
    remove_abandoned(folder / "missing");
}

TEST_CASE("a File and a Folder remove abandoned temporary files when they write", "[temporary_file]") {
    const TemporaryFolder folder;
    const std::string dead = in_child([] { return temporary_name(); });
    put(folder / dead, "{");
    const Store reading(file(folder / "a.json"));
    CHECK(reading.keys().empty());
    CHECK(fs::exists(folder / dead));
    reading.set("a", 1);
    CHECK_FALSE(fs::exists(folder / dead));
    put(folder / dead, "{");
    Store(polystore::folder(folder.path())).set("b", 1);
    CHECK(folder.names() == std::vector<std::string>{"a.json", "b.json"});
}
