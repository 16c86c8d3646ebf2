#include "support/contract.hpp"

#include <regex.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

#include "polystore/store.hpp"

namespace polystore::testing {
namespace {

const std::map<std::string, std::pair<std::size_t, std::size_t>> kArities = {
    {"get", {1, 1}},   {"set", {2, 3}},    {"add", {1, 2}},     {"has", {1, 1}}, {"del", {1, 1}},
    {"keys", {0, 0}},  {"values", {0, 0}}, {"entries", {0, 0}}, {"all", {0, 0}}, {"clear", {0, 0}},
    {"prune", {0, 0}}, {"close", {0, 0}},  {"iterate", {0, 0}}};
const std::set<std::string> kExpectations = {"gives", "gives_any_order", "gives_match", "fails"};

void demand(bool condition, const std::string& complaint) {
    if (!condition) throw std::invalid_argument(complaint);
}

void demand_fields(const Json& object, const std::set<std::string>& known) {
    demand(object.is_object(), "this is no object: " + object.dump());
    for (const auto& [name, member] : object.items()) demand(known.contains(name), "unknown field \"" + name + '"');
}

const Json& member_or(const Json& object, const char* name, const Json& otherwise) {
    const auto found = object.find(name);
    return found == object.end() ? otherwise : *found;
}

const Json& args_of(const Json& call) {
    static const Json kNone = Json::array();
    return member_or(call, "args", kNone);
}

const Json& through_of(const Json& call) {
    static const Json kNone = Json::array();
    return member_or(call, "through", kNone);
}

bool expects_something(const Json& step) {
    if (const auto calls = step.find("at_once"); calls != step.end()) {
        return std::any_of(calls->begin(), calls->end(), expects_something);
    }
    return std::any_of(kExpectations.begin(), kExpectations.end(),
                       [&](const auto& name) { return step.contains(name); });
}

void check_call(const Json& call) {
    demand_fields(call, {"call", "args", "through", "as", "gives", "gives_any_order", "gives_match", "fails"});
    const auto method = kArities.find(call.at("call"));
    demand(method != kArities.end(), "there is no method " + call.at("call").dump());
    const auto [least, most] = method->second;
    const Json& args = args_of(call);
    demand(args.size() >= least && args.size() <= most, method->first + " does not take so many arguments");
    if (most > least && args.size() == most) demand_fields(args.back(), {"prefix", "expires"});
    for (const Json& derive : through_of(call)) {
        demand_fields(derive, {"prefix", "expires"});
        demand(derive.size() == 1, "each part of through is a prefix or an expires");
    }
    const auto expectations = std::count_if(kExpectations.begin(), kExpectations.end(),
                                            [&](const std::string& name) { return call.contains(name); });
    demand(expectations <= 1, method->first + " expects more than one thing");
}

void check_step(const Json& step) {
    if (step.contains("call")) return check_call(step);
    demand_fields(step, {"advance", "reopen", "at_once"});
    demand(step.size() == 1, "what kind of step is " + step.dump() + '?');
    if (step.contains("advance")) demand(step.at("advance").is_number_integer(), "advance takes milliseconds");
    if (step.contains("reopen")) demand(step.at("reopen") == true, "reopen takes true");
    if (step.contains("at_once")) {
        for (const Json& call : step.at("at_once")) check_call(call);
    }
}

std::string shown(const Json& json) {
    const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
    return text.size() > 400 ? text.substr(0, 300) + "... (" + std::to_string(text.size()) + " bytes)" : text;
}

/// Returns true if the whole text matches. This uses the C library, because <regex> adds half a minute to compilation.
bool matches(const std::string& text, const std::string& pattern) {
    regex_t regex{};
    demand(regcomp(&regex, ("^(" + pattern + ")$").c_str(), REG_EXTENDED | REG_NOSUB) == 0,
           "what pattern is " + pattern);
    const bool matched = regexec(&regex, text.c_str(), 0, nullptr, 0) == 0;
    regfree(&regex);
    return matched;
}

Json sorted(Json array) {
    if (array.is_array()) std::sort(array.begin(), array.end());
    return array;
}

Expires to_expires(const Json& json) {
    if (json.is_null()) return std::nullopt;
    if (json.is_string()) return json.get<std::string>();
    demand(json.is_number(), "C++ has no expires like " + json.dump());
    return json.get<double>();
}

SetOptions to_options(const Json& args, std::size_t position) {
    SetOptions options;
    if (args.size() <= position) return options;
    const Json& given = args[position];
    if (given.contains("expires")) options.expires = to_expires(given.at("expires"));
    if (given.contains("prefix")) options.prefix = given.at("prefix").get<std::string>();
    return options;
}

Json iterate(const Store& store) {
    Json pairs = Json::array();
    for (const auto& [key, value] : store) pairs.push_back(Json::array({key, value}));
    return pairs;
}

Json entries(const Store& store) {
    Json pairs = Json::array();
    for (const auto& [key, value] : store.entries()) pairs.push_back(Json::array({key, value}));
    return pairs;
}

Json make_call(const Store& store, const std::string& method, const Json& args) {
    const auto key = [&] { return args.at(0).get<std::string>(); };
    if (method == "get") return store.get(key());
    if (method == "set") return store.set(key(), args.at(1), to_options(args, 2));
    if (method == "add") return store.add(args.at(0), to_options(args, 1));
    if (method == "has") return store.has(key());
    if (method == "del") return store.del(key());
    if (method == "keys") return store.keys();
    if (method == "values") return store.values();
    if (method == "entries") return entries(store);
    if (method == "all") return store.all();
    if (method == "iterate") return iterate(store);
    if (method == "prune") return store.prune();
    if (method == "clear") return store.clear(), nullptr;
    if (method == "close") return store.close(), nullptr;
    throw std::invalid_argument("there is no method " + method);
}

/// The outcome of a call: a result, or the code and the message of an error.
struct Got {
    Json result;
    std::string code;
    std::string message;
};

class Run {
   public:
    explicit Run(const Subject& subject) : subject_(subject), clock_(subject.clock) { reopen(); }

    void all(const Json& test_case) {
        const Json& steps = test_case.at("steps");
        const auto refusal = subject_.refuses.find(test_case.value("awkward", ""));
        if (refusal != subject_.refuses.end()) return refused(steps.at(0), refusal->second);
        for (const Json& step : steps) {
            ++step_;
            if (step.contains("advance")) {
                clock_.advance(step.at("advance").get<double>());
            } else if (step.contains("reopen")) {
                reopen();
            } else if (step.contains("at_once")) {
                for (const Json& call : step.at("at_once")) check(call, make(call));
            } else {
                check(step, make(step));
            }
        }
    }

    [[nodiscard]] int step() const { return step_; }

   private:
    void reopen() { store_.emplace(subject_.open(), StoreOptions{.clock = clock_}); }

    /// The storage must refuse the first step, or some calls of it, and must only hold what it accepted.
    void refused(const Json& step, const std::string& code) {
        step_ = 1;
        Json taken = Json::array();
        bool any = false;
        for (const Json& call : step.contains("at_once") ? step.at("at_once") : Json::array({step})) {
            const Got got = make(call);
            if (got.code.empty()) {
                taken.push_back(got.result);
            } else {
                any = true;
                if (got.code != code) broken(call, "a refusal with " + code, got);
            }
        }
        const Json keys = store_->keys();
        if (!any) broken(step, "a refusal with " + code, {});
        if (sorted(keys) != sorted(taken))
            broken({{"call", "keys"}}, shown(taken) + " after a refusal", {keys, "", ""});
    }

    Got make(const Json& call) {
        try {
            Store store = *store_;
            for (const Json& derive : filled(through_of(call))) {
                store = derive.contains("prefix") ? store.prefix(derive.at("prefix").get<std::string>())
                                                  : store.expires(to_expires(derive.at("expires")));
            }
            return {make_call(store, call.at("call"), filled(args_of(call))), "", ""};
        } catch (const Error& error) {
            return {nullptr, std::string(name_of(error.code())), error.what()};
        }
    }

    void check(const Json& call, const Got& got) {
        if (call.contains("fails")) {
            if (got.code != call.at("fails"))
                broken(call, "a failure with " + call.at("fails").get<std::string>(), got);
            return;
        }
        if (!got.code.empty()) broken(call, "no failure", got);
        if (call.contains("as")) kept_[call.at("as")] = got.result;
        if (call.contains("gives")) {
            const Json expected = filled(call.at("gives"));
            if (got.result != expected) broken(call, shown(expected), got);
        }
        if (call.contains("gives_any_order")) {
            const Json expected = filled(call.at("gives_any_order"));
            if (sorted(got.result) != sorted(expected)) broken(call, shown(expected) + " in any order", got);
        }
        if (call.contains("gives_match")) {
            const auto pattern = call.at("gives_match").get<std::string>();
            if (!got.result.is_string() || !matches(got.result, pattern)) broken(call, '/' + pattern + '/', got);
        }
    }

    /// Returns a copy in which every `$` and `repeat` is replaced by the value that it stands for.
    [[nodiscard]] Json filled(const Json& json) const {
        if (json.is_object() && json.contains("$")) return kept_.at(json.at("$"));
        if (json.is_object() && json.contains("repeat")) {
            std::string text;
            for (int i = 0; i < json.at("times"); ++i) text += json.at("repeat").get_ref<const std::string&>();
            return text;
        }
        Json copy = json;
        if (json.is_structured()) {
            for (Json& member : copy) member = filled(member);
        }
        return copy;
    }

    [[noreturn]] static void broken(const Json& call, const std::string& expected, const Got& got) {
        throw std::runtime_error(shown(call) + "\n  expected: " + expected + "\n  got:      " +
                                 (got.code.empty() ? shown(got.result) : got.code + ": " + got.message));
    }

    const Subject& subject_;
    FakeClock clock_;
    std::optional<Store> store_;
    std::map<std::string, Json> kept_;
    int step_ = 0;
};

}  // namespace

void check_case(const Json& test_case) {
    demand_fields(test_case, {"name", "awkward", "steps"});
    demand(test_case.contains("name") && test_case.contains("steps"), "a case has a name and steps");
    demand(!test_case.at("steps").empty(), "there are no steps");
    for (const Json& step : test_case.at("steps")) check_step(step);
    demand(std::any_of(test_case.at("steps").begin(), test_case.at("steps").end(), expects_something),
           "nothing is expected of any step, so it cannot fail");
}

std::vector<Json> read_cases(const std::string& path) {
    std::ifstream file(path);
    demand(file.good(), "there is no file " + path);
    std::vector<Json> cases = Json::parse(file);
    demand(!cases.empty(), path + " holds no case");
    for (const Json& test_case : cases) {
        try {
            check_case(test_case);
        } catch (const std::exception& error) {
            throw std::invalid_argument("case " + shown(test_case) + ": " + error.what());
        }
    }
    return cases;
}

std::string run_case(const Json& test_case, const Subject& subject) {
    Run run(subject);
    try {
        run.all(test_case);
        return "";
    } catch (const std::exception& error) {
        return "case \"" + test_case.at("name").get<std::string>() + "\", step " + std::to_string(run.step()) +
               ", on " + subject.name + ": " + error.what();
    }
}

}  // namespace polystore::testing
