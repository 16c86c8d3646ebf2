// Every version of the log that was ever released must stay readable.

#include <string>

#include "polystore/clients/log.hpp"
#include "polystore/engine/salvage.hpp"
#include "polystore/store.hpp"
#include "support/catch.hpp"
#include "support/engine.hpp"
#include "support/fake_clock.hpp"
#include "support/fault_env.hpp"
#include "support/temporary_folder.hpp"

using namespace polystore;
using namespace polystore::engine;
using namespace polystore::testing;

namespace {

const std::filesystem::path kGolden = POLYSTORE_GOLDEN;

/// Writes the contents that all golden logs have, in the same order.
void write(Engine& engine) {
    got(engine.apply({set("text", R"("ä\"\n")")}));
    got(engine.apply({set("removed", "1")}));
    got(engine.apply({set("number", "1.5")}));
    got(engine.flush());
    got(engine.apply({set("", "{}"), set(std::string("nul\0", 4), "[true,null]"), set("replaced", R"("before")")}));
    got(engine.apply({set("replaced", R"("after")", static_cast<std::int64_t>(FakeClock::kStart) + 3'600'000)}));
    got(engine.apply({erase("removed")}));
    got(engine.flush());
    engine.mark_synced();
}

}  // namespace

TEST_CASE("golden: every version can be read", "[engine]") {
    const std::string name = GENERATE("version-1.kv", "version-2.kv");
    const TemporaryFolder folder;
    std::filesystem::copy_file(kGolden / name, folder / "data.kv");
    const FakeClock clock;
    const Store store(log(folder / "data.kv", {.clock = clock}), {.clock = clock});
    CHECK(Json(store.all()) == Json::parse(R"({"text":"ä\"\n","number":1.5,"":{},"nul\u0000":[true,null],
                                               "replaced":"after"})"));
    FakeClock later = clock;
    later.advance(3'600'000);
    CHECK(store.get("replaced").is_null());
    // The log continues in the current version.
    store.set("new", 1);
    CHECK(text_of(folder / "data.kv").substr(8, 1) == "\2");
}

TEST_CASE("golden: every version can be salvaged", "[engine]") {
    const std::string name = GENERATE("version-1.kv", "version-2.kv");
    const bool has_header = GENERATE(true, false);
    std::string bytes = text_of(kGolden / name);
    if (!has_header) bytes[0] = '?';
    FaultEnv env;
    env.put(kPath, bytes);
    const Salvaged salvaged = got(salvage(env, kPath, "saved.kv"));
    CHECK(salvaged.records == 8);
    CHECK(salvaged.lost_bytes == 0);
    CHECK(ends_with_mark(env.text("saved.kv")));
    CHECK(contents(*opened(env, "saved.kv")).size() == 5);
}

TEST_CASE("golden: version 1 can be read without room to convert it, and loses nothing if a call fails", "[engine]") {
    const std::string bytes = text_of(kGolden / "version-1.kv");
    {
        FaultEnv env;
        env.put(kPath, bytes);
        env.limit(bytes.size() + 100);
        auto engine = opened(env);
        CHECK(contents(*engine).size() == 5);
        CHECK_THAT(failure_in(engine->apply({set("a", "1")})), Catch::StartsWith("ERR_QUOTA"));
        engine->mark_synced();
        engine.reset();
        CHECK(env.text(kPath) == bytes);
    }
    bool failed = true;
    for (int at = 0; failed; ++at) {
        INFO("call " << at);
        FaultEnv env;
        env.put(kPath, bytes);
        env.fail_after(at);
        static_cast<void>(Engine::open(env, kPath));
        failed = env.has_failed();
        env.crash();
        CHECK(contents(*opened(env)).size() == 5);
    }
}

TEST_CASE("golden: version 2 is written", "[engine]") {
    FaultEnv env;
    write(*opened(env));
    CHECK(env.text(kPath) == text_of(kGolden / "version-2.kv"));
}
