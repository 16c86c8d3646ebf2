// A log of every version that was ever written must be read for ever.

#include <string>

#include "polystore/clients/log.hpp"
#include "polystore/store.hpp"
#include "support/catch.hpp"
#include "support/fake_clock.hpp"
#include "support/temporary_folder.hpp"

using namespace polystore;
using namespace polystore::testing;

namespace {

const std::filesystem::path kGolden = POLYSTORE_GOLDEN;

/// What the logs hold, as it came about.
void write(const Store& store) {
    store.set("text", "ä\"\n");
    store.set("removed", 1);
    store.set("number", 1.5);
    store.set("", Json::object());
    store.set(std::string("nul\0", 4), Json::array({true, nullptr}));
    store.set("replaced", "before");
    store.set("replaced", "after", {.expires = "1h"});
    store.del("removed");
}

}  // namespace

TEST_CASE("golden: version 1 is read", "[engine]") {
    const TemporaryFolder folder;
    std::filesystem::copy_file(kGolden / "version-1.kv", folder / "data.kv");
    const FakeClock clock;
    const Store store(log(folder / "data.kv", {.clock = clock}), {.clock = clock});
    CHECK(Json(store.all()) == Json::parse(R"({"text":"ä\"\n","number":1.5,"":{},"nul\u0000":[true,null],
                                               "replaced":"after"})"));
    FakeClock later = clock;
    later.advance(3'600'000);
    CHECK(store.get("replaced").is_null());
    CHECK(text_of(folder / "data.kv").size() > text_of(kGolden / "version-1.kv").size());
}

TEST_CASE("golden: version 1 is what is written", "[engine]") {
    const TemporaryFolder folder;
    write(Store(log(folder / "data.kv", {.clock = FakeClock()}), {.clock = FakeClock()}));
    CHECK(text_of(folder / "data.kv") == text_of(kGolden / "version-1.kv"));
}
