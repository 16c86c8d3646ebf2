#include "polystore/posix/posix_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/code_of.hpp"
#include "support/file_size_limit.hpp"
#include "support/in_child.hpp"
#include "support/system_faults.hpp"
#include "support/temporary_folder.hpp"

using namespace polystore;
using namespace polystore::posix;
using namespace polystore::testing;

namespace fs = std::filesystem;

TEST_CASE("every errno of a full disk is ERR_QUOTA, and every other errno is ERR_CLIENT", "[posix_file]") {
    for (const int number : {ENOSPC, EDQUOT, EFBIG}) {
        CHECK(io_error("write", "/x", number).code() == ErrorCode::quota);
    }
    for (const int number : {EACCES, EROFS, EIO, ENOTDIR, ENOENT, EMFILE}) {
        CHECK(io_error("write", "/x", number).code() == ErrorCode::client);
    }
    CHECK_THAT(io_error("write", "/x", EACCES).what(), Catch::Equals("Cannot write /x: Permission denied."));
}

TEST_CASE("a full device is ERR_QUOTA", "[posix_file]") {
    const OpenFile full("/dev/full", O_WRONLY);
    CHECK_THAT(failure_of([&] { full.write_all("x"); }),
               Catch::StartsWith("ERR_QUOTA: Cannot write /dev/full: No space left on device."));
}

TEST_CASE("a text of any size is written and read as a whole", "[posix_file]") {
    const TemporaryFolder folder;
    for (const std::size_t size : {0U, 1U, 65536U, 65537U, 3000000U}) {
        const std::string text(size, 'x');
        replace_file(folder / "a", text);
        CHECK(read_file(folder / "a") == text);
    }
    CHECK(folder.names() == std::vector<std::string>{"a"});
}

TEST_CASE("a replaced file keeps its permissions", "[posix_file]") {
    const TemporaryFolder folder;
    const mode_t mask = umask(0027);
    replace_file(folder / "new", "1");
    umask(mask);
    CHECK(fs::status(folder / "new").permissions() == fs::perms(0640));
    fs::permissions(folder / "new", fs::perms(0604));
    replace_file(folder / "new", "2");
    CHECK(fs::status(folder / "new").permissions() == fs::perms(0604));
}

TEST_CASE("a failed replacement does not leave a temporary file", "[posix_file]") {
    const TemporaryFolder folder;
    fs::create_directory(folder / "a");
    CHECK(code_of([&] { replace_file(folder / "a", "x"); }) == "ERR_CLIENT");
    CHECK(folder.names() == std::vector<std::string>{"a"});
    CHECK(code_of([&] { replace_file(folder / "missing" / "a", "x"); }) == "ERR_CLIENT");
}

TEST_CASE("a missing file has no text, and neither has a path that is not a regular file", "[posix_file]") {
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

TEST_CASE("an existing file is not created again", "[posix_file]") {
    const TemporaryFolder folder;
    CHECK(OpenFile::if_new(folder / "a").has_value());
    CHECK_FALSE(OpenFile::if_new(folder / "a").has_value());
}

TEST_CASE("while a file is held open, its replacement has another stamp", "[posix_file]") {
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

TEST_CASE("links are followed step by step, whether or not their targets exist", "[posix_file]") {
    const TemporaryFolder temporary;
    const fs::path folder = fs::canonical(temporary.path());
    put(folder / "real", "");
    fs::create_directories(folder / "releases/1");
    fs::create_directory_symlink("releases/1", folder / "current");
    fs::create_symlink("../../real", folder / "releases/1/up");
    fs::create_symlink(folder / "real", folder / "absolute");
    fs::create_symlink("current/up", folder / "twice");
    fs::create_symlink("current/missing/../new/file", folder / "dangling");
    fs::create_symlink("loop", folder / "loop");
    CHECK(follow_links(folder / "current" / "a.json") == folder / "releases/1/a.json");
    CHECK(follow_links(folder / "current" / ".." / "a.json") == folder / "releases/a.json");
    for (const char* name : {"current/up", "absolute", "twice", "real", "./real", "not/../real"}) {
        CHECK(follow_links(folder / name) == folder / "real");
    }
    CHECK(follow_links(folder / "dangling") == folder / "releases/1/new/file");
    CHECK(follow_links(folder / "not" / "there") == folder / "not/there");
    CHECK(follow_links("/") == "/");
    CHECK_THAT(failure_of([&] { return follow_links(folder / "loop"); }),
               Catch::StartsWith("ERR_CLIENT: Cannot find ") && Catch::Contains("/loop: "));
    CHECK(code_of([&] { return follow_links(folder / "real" / "below"); }) == "ERR_CLIENT");
}

TEST_CASE("a fixed path is absolute, and stays a link", "[posix_file]") {
    CHECK(fixed_path("not/there") == fs::current_path() / "not/there");
    const TemporaryFolder folder;
    fs::create_symlink("real", folder / "link");
    CHECK(fixed_path(folder / "link") == folder / "link");
}

TEST_CASE("a folder that does not support syncing is not an error", "[posix_file]") {
    CHECK(failure_of([] { sync_folder("/proc/self"); }).empty());  // Linux returns EINVAL there.
    const TemporaryFolder folder;
    for (const int number : {EINVAL, ENOTSUP, ENOSYS}) {
        const SystemFaults faults({.sync_of_folders = number});
        CHECK(failure_of([&] { replace_file(folder / "a", "1"); }).empty());
        CHECK(failure_of([&] { make_folder(folder / std::to_string(number) / "b"); }).empty());
    }
    const SystemFaults faults({.sync_of_folders = EIO});
    CHECK(code_of([&] { replace_file(folder / "a", "2"); }) == "ERR_CLIENT");
    CHECK(code_of([&] { make_folder(folder / "new"); }) == "ERR_CLIENT");
}

TEST_CASE("a file that cannot be replaced by a rename is written in place", "[posix_file]") {
    const TemporaryFolder folder;
    const SystemFaults faults({.rename = EBUSY});  // This errno occurs for a file that is a mount point.
    CHECK(code_of([&] { replace_file(folder / "a", "new"); }) == "ERR_CLIENT");
    CHECK(folder.names().empty());
    for (const std::string& text : {std::string(), std::string("old"), std::string(100000, 'x')}) {
        for (const std::string& next : {std::string("longer, and whole"), std::string("s"), std::string()}) {
            put(folder / "a", text);
            const OpenFile written = replace_file(folder / "a", next);
            CHECK(written.stamp() == stamp_of(folder / "a"));
            CHECK(text_of(folder / "a") == next);
        }
    }
    put(folder / "a", "old");
    {
        const FileSizeLimit limit(1024);
        CHECK(code_of([&] { replace_file(folder / "a", std::string(5000, 'x')); }) == "ERR_QUOTA");
    }
    CHECK(text_of(folder / "a") == "old");
    CHECK(folder.names() == std::vector<std::string>{"a"});
}

TEST_CASE("a writable file in a read-only folder is written in place", "[posix_file]") {
    const TemporaryFolder folder;
    put(folder / "a", "old");
    put(folder / "b", "old");
    fs::permissions(folder / "a", fs::perms(0666));
    fs::permissions(folder / "b", fs::perms(0444));
    fs::permissions(folder.path(), fs::perms(0555));
    const auto replacing = [&](const char* name) {
        return as_ordinary_user([&] { return code_of([&] { replace_file(folder / name, "new"); }); });
    };
    CHECK(replacing("a").empty());
    CHECK(replacing("b") == "ERR_CLIENT");
    CHECK(replacing("c") == "ERR_CLIENT");
    CHECK(text_of(folder / "a") == "new");
    CHECK(text_of(folder / "b") == "old");
    fs::permissions(folder.path(), fs::perms(0755));
    CHECK(folder.names() == std::vector<std::string>{"a", "b"});
}
