// The project's contract, run on every native client. Each case is a section, so a failure names the case and the
// client.

#include "support/contract.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "polystore/clients/file.hpp"
#include "polystore/clients/folder.hpp"
#include "polystore/clients/log.hpp"
#include "polystore/clients/memory.hpp"
#include "support/catch.hpp"
#include "support/custom_clients.hpp"
#include "support/temporary_folder.hpp"

using namespace polystore;
using namespace polystore::testing;

namespace {

const std::vector<Json>& cases() {
    static const std::vector<Json> kCases = [] {
        std::vector<Json> all = read_cases(POLYSTORE_CONTRACT_CASES);
        const auto folder = std::filesystem::path(POLYSTORE_CONTRACT_CASES).parent_path();
        for (Json& test_case : read_cases((folder / "changes.json").string())) all.push_back(std::move(test_case));
        return all;
    }();
    return kCases;
}

const Json& each_case() { return cases()[GENERATE(range(std::size_t{0}, cases().size()))]; }

void hold(const Json& test_case, const Subject& subject) {
    DYNAMIC_SECTION(subject.name << ": " << test_case.at("name").get<std::string>()) {
        const std::string complaint = run_case(test_case, subject);
        INFO(complaint);
        CHECK(complaint.empty());
    }
}

/// Returns the same client every time, because its records are nowhere else.
auto always(std::shared_ptr<Client> client) {
    return [client = std::move(client)] { return client; };
}

}  // namespace

TEST_CASE("contract: memory", "[contract]") { hold(each_case(), {"memory", always(memory())}); }

TEST_CASE("contract: file", "[contract]") {
    const TemporaryFolder folder;
    hold(each_case(), {"file", [&] { return polystore::file(folder / "store.json"); }});
}

TEST_CASE("contract: folder", "[contract]") {
    const TemporaryFolder parent;
    hold(each_case(), {"folder", [&] { return polystore::folder(parent / "store"); }});
}

TEST_CASE("contract: log", "[contract]") {
    const TemporaryFolder folder;
    const FakeClock clock;
    hold(each_case(), {"log", [&] { return polystore::log(folder / "data.kv", {.clock = clock}); }, clock});
}

TEST_CASE("contract: a custom client", "[contract]") {
    hold(each_case(), {"a plain client", always(std::make_shared<PlainClient>())});
}

TEST_CASE("contract: a custom client that manages expiry", "[contract]") {
    const FakeClock clock;
    hold(each_case(), {"a managing client", always(std::make_shared<ManagingClient>(clock)), clock});
}

TEST_CASE("contract: the runner detects wrong results", "[contract]") {
    const auto complaint = [](const char* steps) {
        return run_case({{"name", "x"}, {"steps", Json::parse(steps)}}, {"memory", always(memory())});
    };
    CHECK(complaint(R"([{"call":"set","args":["a",1],"gives":"a"},{"call":"get","args":["a"],"gives":1}])").empty());
    CHECK_THAT(complaint(R"([{"call":"set","args":["a",1]},{"call":"get","args":["a"],"gives":2}])"),
               Catch::Contains("case \"x\", step 2, on memory") && Catch::Contains("expected: 2\n  got:      1"));
    CHECK_FALSE(complaint(R"([{"call":"keys","gives":["a"]}])").empty());
    CHECK_FALSE(complaint(R"([{"call":"keys","gives_any_order":["a"]}])").empty());
    CHECK_FALSE(complaint(R"([{"call":"add","args":[1],"gives_match":"[a-z]"}])").empty());
    CHECK_FALSE(complaint(R"([{"call":"get","args":["a"],"fails":"ERR_CLOSED"}])").empty());
    CHECK_FALSE(complaint(R"([{"call":"close"},{"call":"get","args":["a"],"gives":null}])").empty());
    CHECK_FALSE(complaint(R"([{"call":"get","args":[{"$":"never kept"}],"gives":null}])").empty());
    CHECK_FALSE(run_case({{"name", "x"}, {"awkward", "it"}, {"steps", {{{"call", "set"}, {"args", {"a", 1}}}}}},
                         {.name = "memory", .open = always(memory()), .refuses = {{"it", "ERR_KEY"}}})
                    .empty());
}

TEST_CASE("contract: an invalid case is an error", "[contract]") {
    const auto refuses = [](const char* test_case) {
        try {
            check_case(Json::parse(test_case));
            return false;
        } catch (const std::exception&) {
            return true;
        }
    };
    CHECK_FALSE(refuses(R"({"name":"x","steps":[{"call":"get","args":["a"],"gives":1}]})"));
    CHECK(refuses(R"({"name":"x","steps":[]})"));
    CHECK(refuses(R"({"steps":[{"call":"get","args":["a"],"gives":1}]})"));
    CHECK(refuses(R"({"name":"x","steps":[{"call":"get","args":["a"]}]})"));
    CHECK(refuses(R"({"name":"x","more":1,"steps":[{"call":"get","args":["a"],"gives":1}]})"));
    CHECK(refuses(R"({"name":"x","steps":[{"call":"got","args":["a"],"gives":1}]})"));
    CHECK(refuses(R"({"name":"x","steps":[{"call":"get","args":[],"gives":1}]})"));
    CHECK(refuses(R"({"name":"x","steps":[{"call":"get","args":["a"],"give":1}]})"));
    CHECK(refuses(R"({"name":"x","steps":[{"call":"get","args":["a"],"gives":1,"fails":"ERR_KEY"}]})"));
    CHECK(refuses(R"({"name":"x","steps":[{"call":"set","args":["a",1,{"expire":1}],"gives":"a"}]})"));
    CHECK(refuses(R"({"name":"x","steps":[{"wait":1},{"call":"keys","gives":[]}]})"));
    CHECK_THROWS(read_cases("/nowhere/cases.json"));
    const TemporaryFolder folder;
    put(folder / "cases.json", "[]");
    CHECK_THROWS_WITH(read_cases((folder / "cases.json").string()), Catch::EndsWith("holds no case"));
}
