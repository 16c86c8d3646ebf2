#include "polystore/clients/posix_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/code_of.hpp"
#include "support/temporary_folder.hpp"

using namespace polystore;
using namespace polystore::posix;
using namespace polystore::testing;

namespace fs = std::filesystem;

TEST_CASE("a disk that is full is a quota, whatever says so, and all else is the client", "[posix_file]") {
    for (const int number : {ENOSPC, EDQUOT, EFBIG}) {
        CHECK(io_error("write", "/x", number).code() == ErrorCode::quota);
    }
    for (const int number : {EACCES, EROFS, EIO, ENOTDIR, ENOENT, EMFILE}) {
        CHECK(io_error("write", "/x", number).code() == ErrorCode::client);
    }
    CHECK_THAT(io_error("write", "/x", EACCES).what(), Catch::Equals("Cannot write /x: Permission denied."));
}

TEST_CASE("a device that is full is a quota", "[posix_file]") {
    const OpenFile full("/dev/full", O_WRONLY);
    CHECK_THAT(failure_of([&] { full.write_all("x"); }),
               Catch::StartsWith("ERR_QUOTA: Cannot write /dev/full: No space left on device."));
}

TEST_CASE("a text of any size is written and read whole", "[posix_file]") {
    const TemporaryFolder folder;
    for (const std::size_t size : {0U, 1U, 65536U, 65537U, 3000000U}) {
        const std::string text(size, 'x');
        replace_file(folder / "a", text);
        CHECK(read_file(folder / "a") == text);
    }
    CHECK(folder.names() == std::vector<std::string>{"a"});
}

TEST_CASE("a file that is replaced keeps its permissions", "[posix_file]") {
    const TemporaryFolder folder;
    const mode_t mask = umask(0027);
    replace_file(folder / "new", "1");
    umask(mask);
    CHECK(fs::status(folder / "new").permissions() == fs::perms(0640));
    fs::permissions(folder / "new", fs::perms(0604));
    replace_file(folder / "new", "2");
    CHECK(fs::status(folder / "new").permissions() == fs::perms(0604));
}

TEST_CASE("a temporary file that was left behind is in nobody's way", "[posix_file]") {
    const TemporaryFolder folder;
    replace_file(folder / "a", "1");
    const std::string prefix = ".polystore-" + std::to_string(getpid()) + "-";
    for (int i = 0; i < 1000; ++i) put(folder / (prefix + std::to_string(i) + ".tmp"), "left");
    replace_file(folder / "a", "2");
    CHECK(read_file(folder / "a") == "2");
    CHECK(folder.names().size() == 1001);
}

TEST_CASE("what cannot be replaced leaves no temporary file", "[posix_file]") {
    const TemporaryFolder folder;
    fs::create_directory(folder / "a");
    CHECK(code_of([&] { replace_file(folder / "a", "x"); }) == "ERR_CLIENT");
    CHECK(folder.names() == std::vector<std::string>{"a"});
    CHECK(code_of([&] { replace_file(folder / "missing" / "a", "x"); }) == "ERR_CLIENT");
}

TEST_CASE("what is not there is none, and what is no file is none either", "[posix_file]") {
    const TemporaryFolder folder;
    CHECK_FALSE(read_file(folder / "a").has_value());
    CHECK_FALSE(stamp_of(folder / "a").has_value());
    CHECK_FALSE(OpenFile::if_there(folder / "a").has_value());
    CHECK(names_in(folder / "a").empty());
    remove_file(folder / "a");
    fs::create_directory(folder / "b");
    REQUIRE(mkfifo((folder / "c").c_str(), 0600) == 0);
    CHECK_FALSE(read_file(folder / "b").has_value());
    CHECK_FALSE(read_file(folder / "c").has_value());
}

TEST_CASE("a file that is there is not made anew", "[posix_file]") {
    const TemporaryFolder folder;
    CHECK(OpenFile::if_new(folder / "a").has_value());
    CHECK_FALSE(OpenFile::if_new(folder / "a").has_value());
}

TEST_CASE("while a file is held open, what takes its place has another stamp", "[posix_file]") {
    const TemporaryFolder folder;
    OpenFile held = replace_file(folder / "a", "same size");
    for (int i = 0; i < 100; ++i) {
        const Stamp stamp = held.stamp();
        CHECK(stamp_of(folder / "a") == stamp);
        replace_file(folder / "a", "SAME SIZE");
        CHECK_FALSE(stamp_of(folder / "a") == stamp);
        held = *OpenFile::if_there(folder / "a");
    }
}

TEST_CASE("a path is fixed when it is given, and leads through links", "[posix_file]") {
    const TemporaryFolder folder;
    put(folder / "real", "");
    fs::create_symlink(folder / "real", folder / "link");
    CHECK(fixed_path(folder / "link") == fs::canonical(folder / "real"));
    CHECK(fixed_path("not/there") == fs::current_path() / "not/there");
    fs::create_symlink("loop", folder / "loop");
    CHECK(code_of([&] { return fixed_path(folder / "loop"); }) == "ERR_CLIENT");
}
