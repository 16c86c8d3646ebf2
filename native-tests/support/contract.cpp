#include "support/contract.hpp"

#include <regex.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

#include "polystore/store.hpp"

namespace polystore::testing {
namespace {

/// How many arguments a method takes, at least and at most, and the fields of the last one if that is optional.
struct Arity {
    std::size_t least;
    std::size_t most;
    std::set<std::string> fields = {};
};

const std::set<std::string> kOptions = {"prefix", "expires"};
const std::set<std::string> kUpdateOptions = {"prefix", "expires", "renew"};
const std::set<std::string> kRange = {"gt", "gte", "lt", "lte", "limit", "reverse"};
const std::set<std::string> kPage = {"gt", "gte", "lt", "lte", "limit", "reverse", "cursor"};
const std::map<std::string, Arity> kArities = {{"get", {1, 1}},
                                               {"set", {2, 3, kOptions}},
                                               {"add", {1, 2, kOptions}},
                                               {"has", {1, 1}},
                                               {"del", {1, 1}},
                                               {"ttl", {1, 1}},
                                               {"touch", {1, 2}},
                                               {"entry", {1, 1}},
                                               {"update", {2, 3, kUpdateOptions}},
                                               {"incr", {1, 3, kUpdateOptions}},
                                               {"setIfAbsent", {2, 3, kOptions}},
                                               {"cas", {3, 4, kUpdateOptions}},
                                               {"take", {1, 1}},
                                               {"batch", {1, 1}},
                                               {"getMany", {1, 1}},
                                               {"setMany", {1, 2, kOptions}},
                                               {"delMany", {1, 1}},
                                               {"hasMany", {1, 1}},
                                               {"keys", {0, 1, kRange}},
                                               {"values", {0, 1, kRange}},
                                               {"entries", {0, 1, kRange}},
                                               {"all", {0, 1, kRange}},
                                               {"size", {0, 1, kRange}},
                                               {"iterate", {0, 1, kRange}},
                                               {"clear", {0, 1, kRange}},
                                               {"page", {0, 1, kPage}},
                                               {"prune", {0, 0}},
                                               {"close", {0, 0}}};
const std::set<std::string> kExpectations = {"gives",       "gives_about", "gives_part", "gives_any_order",
                                             "gives_match", "fails",       "throws"};

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
    std::set<std::string> fields = kExpectations;
    fields.insert({"call", "args", "through", "as"});
    demand_fields(call, fields);
    const auto method = kArities.find(call.at("call"));
    demand(method != kArities.end(), "there is no method " + call.at("call").dump());
    const auto& [least, most, last] = method->second;
    const Json& args = args_of(call);
    demand(args.size() >= least && args.size() <= most, method->first + " does not take so many arguments");
    if (!last.empty() && args.size() == most) demand_fields(args.back(), last);
    for (const Json& derive : through_of(call)) {
        demand_fields(derive, derive.contains("expires") ? std::set<std::string>{"expires", "sliding"}
                                                         : std::set<std::string>{"prefix"});
        demand(!derive.empty(), "each part of through is a prefix or an expires");
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

template <typename Entries>
Json pairs_of(const Entries& entries) {
    Json pairs = Json::array();
    for (const auto& [key, value] : entries) pairs.push_back(Json::array({key, value}));
    return pairs;
}

UpdateOptions to_update_options(const Json& args, std::size_t position) {
    const SetOptions options = to_options(args, position);
    const bool renew = args.size() > position && args[position].value("renew", false);
    return {.expires = options.expires, .prefix = options.prefix, .renew = renew};
}

Range to_range(const Json& args) {
    Range range;
    if (args.empty()) return range;
    const Json& given = args[0];
    for (const auto& [name, bound] : std::map<std::string, std::optional<std::string> Range::*>{
             {"gt", &Range::gt}, {"gte", &Range::gte}, {"lt", &Range::lt}, {"lte", &Range::lte}}) {
        if (given.contains(name)) range.*bound = given.at(name).get<std::string>();
    }
    if (given.contains("limit")) range.limit = given.at("limit").get<std::size_t>();
    range.reverse = given.value("reverse", false);
    return range;
}

std::optional<std::string> to_text(const Json& json) {
    return json.is_null() ? std::nullopt : std::optional(json.get<std::string>());
}

/// An error of a function that a case gives to update(). It is not one of the library's.
struct FunctionError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Returns one of the functions of functions.js.
std::function<Json(Json)> to_function(const Json& json) {
    const auto name = json.at("function").get<std::string>();
    const Json argument = json.value("with", Json());
    if (name == "append") {
        return [=](Json array) {
            if (array.is_null()) array = Json::array();
            array.push_back(argument);
            return array;
        };
    }
    if (name == "increment") {
        return [=](Json object) {
            Json& member = object[argument.get<std::string>()];
            member = member.is_null() ? 1 : member.get<int>() + 1;
            return object;
        };
    }
    if (name == "return") return [=](const Json&) { return argument; };
    if (name == "same") return [](Json value) { return value; };
    if (name == "swap") return [](const Json& values) { return Json{values.at(1), values.at(0)}; };
    demand(name == "throw", "there is no function " + name);
    return [=](const Json&) -> Json { throw FunctionError(argument.get<std::string>()); };
}

Json update(const Store& store, const Json& args) {
    const std::function<Json(Json)> change = to_function(args.at(1));
    const UpdateOptions options = to_update_options(args, 2);
    if (args.at(0).is_string()) return store.update(args.at(0).get<std::string>(), change, options);
    const auto keys = args.at(0).get<std::vector<std::string>>();
    return store.update(
        keys, [&](const std::vector<Json>& values) { return change(values).get<std::vector<Json>>(); }, options);
}

Json batch(const Store& store, const Json& args) {
    std::vector<Write> writes;
    for (const Json& write : args.at(0)) {
        const auto key = write.at(1).get<std::string>();
        if (write.at(0) == "set") {
            const SetOptions options = to_options(write, 3);
            const bool renew = write.size() <= 3 || write.at(3).value("renew", true);
            writes.push_back(
                Write::set(key, write.at(2), {.expires = options.expires, .prefix = options.prefix, .renew = renew}));
        } else if (write.at(0) == "del") {
            writes.push_back(Write::del(key));
        } else if (write.at(0) == "check") {
            writes.push_back(Write::check(key, to_text(write.at(2))));
        } else {
            // A program in C++ with another write does not compile, so the library need not refuse it.
            throw Error(ErrorCode::options, "There is no write " + write.at(0).dump() + '.');
        }
    }
    return store.batch(writes);
}

Json entry(const Store& store, const std::string& key) {
    const std::optional<VersionedEntry> entry = store.entry(key);
    if (!entry) return nullptr;
    return {{"key", entry->key},
            {"value", entry->value},
            {"expires", entry->expires == kNever ? Json() : Json(entry->expires)},
            {"version", entry->version}};
}

Json page(const Store& store, const Json& args) {
    const auto cursor = args.empty() ? std::nullopt : to_text(args[0].value("cursor", Json()));
    const EntryPage page = store.page(to_range(args), cursor);
    return {{"entries", pairs_of(page.entries)}, {"cursor", page.cursor ? Json(*page.cursor) : Json()}};
}

std::vector<std::pair<std::string, Json>> to_entries(const Json& json) {
    std::vector<std::pair<std::string, Json>> entries;
    if (json.is_object()) {
        for (const auto& [key, value] : json.items()) entries.emplace_back(key, value);
    } else {
        for (const Json& pair : json) entries.emplace_back(pair.at(0).get<std::string>(), pair.at(1));
    }
    return entries;
}

Json make_call(const Store& store, const std::string& method, const Json& args) {
    const auto key = [&] { return args.at(0).get<std::string>(); };
    if (method == "get") return store.get(key());
    if (method == "set") return store.set(key(), args.at(1), to_options(args, 2));
    if (method == "add") return store.add(args.at(0), to_options(args, 1));
    if (method == "has") return store.has(key());
    if (method == "del") return store.del(key());
    if (method == "ttl") {
        const std::optional<double> seconds = store.ttl(key());
        return seconds ? Json(*seconds) : Json();
    }
    if (method == "touch") return args.size() > 1 ? store.touch(key(), to_expires(args.at(1))) : store.touch(key());
    if (method == "entry") return entry(store, key());
    if (method == "update") return update(store, args);
    if (method == "incr") {
        return store.incr(key(), args.size() > 1 ? args.at(1).get<double>() : 1, to_update_options(args, 2));
    }
    if (method == "setIfAbsent") return store.set_if_absent(key(), args.at(1), to_options(args, 2));
    if (method == "cas") return store.cas(key(), to_text(args.at(1)), args.at(2), to_update_options(args, 3));
    if (method == "take") return store.take(key());
    if (method == "batch") return batch(store, args);
    const auto keys = [&] { return args.at(0).get<std::vector<std::string>>(); };
    if (method == "getMany") return store.get_many(keys());
    if (method == "setMany") return store.set_many(to_entries(args.at(0)), to_options(args, 1));
    if (method == "delMany") return store.del_many(keys());
    if (method == "hasMany") return store.has_many(keys());
    const Range range = method == "prune" || method == "close" ? Range() : to_range(args);
    if (method == "keys") return store.keys(range);
    if (method == "values") return store.values(range);
    if (method == "entries") return pairs_of(store.entries(range));
    if (method == "all") return store.all(range);
    if (method == "size") return store.size(range);
    if (method == "iterate") return args.empty() ? pairs_of(store) : pairs_of(store.range(range));
    if (method == "page") return page(store, args);
    if (method == "prune") return store.prune();
    if (method == "clear") return store.clear(range), nullptr;
    if (method == "close") return store.close(), nullptr;
    throw std::invalid_argument("there is no method " + method);
}

/// The methods that compare and change in one step.
const std::set<std::string> kAtomic = {"entry", "update", "incr", "setIfAbsent", "cas", "take", "touch", "batch"};

std::size_t count_keys(const std::string& method, const Json& args) {
    std::set<Json> keys;
    if (method == "update" && args.at(0).is_array()) {
        for (const Json& key : args.at(0)) keys.insert(key);
    } else if (method == "batch") {
        for (const Json& write : args.at(0)) {
            const Json options = write.size() > 3 ? write.at(3) : Json::object();
            keys.insert(Json::array({options.value("prefix", Json()), write.at(1)}));
        }
    }
    return keys.size();
}

/// Returns true if the storage can make a call, as requirements.js says. If not, the call fails with ERR_UNSUPPORTED.
/// In C++, a client that manages expiry tells it, so ttl() can always be called.
bool can_make(const ClientTraits& traits, const Json& call) {
    const auto method = call.at("call").get<std::string>();
    const Json& through = through_of(call);
    const bool slides = method == "get" && std::any_of(through.begin(), through.end(), [](const Json& derivation) {
                            return derivation.contains("sliding");
                        });
    if (!slides && !kAtomic.contains(method)) return true;
    return traits.atomic != Atomic::none && (traits.many || count_keys(method, args_of(call)) < 2);
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
            } else if (!calls(step.contains("at_once") ? step.at("at_once") : Json::array({step}))) {
                return;
            }
        }
    }

    [[nodiscard]] int step() const { return step_; }

   private:
    void reopen() {
        const std::shared_ptr<Client> client = subject_.open();
        traits_ = client->traits();
        store_.emplace(client, StoreOptions{.clock = clock_});
    }

    /// Makes and checks calls. Returns false if the storage cannot make one of them, and has refused it.
    bool calls(const Json& calls) {
        bool are_made = true;
        for (const Json& call : calls) {
            const Got got = make(call);
            if (can_make(traits_, call)) {
                check(call, got);
                continue;
            }
            const bool fails_as_said = call.contains("fails") && got.code == call.at("fails");
            if (got.code != "ERR_UNSUPPORTED" && !fails_as_said) broken(call, "a failure with ERR_UNSUPPORTED", got);
            are_made = false;
        }
        return are_made;
    }

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
                                                  : store.expires(to_expires(derive.at("expires")),
                                                                  {.sliding = derive.value("sliding", false)});
            }
            return {make_call(store, call.at("call"), filled(args_of(call))), "", ""};
        } catch (const Error& error) {
            return {nullptr, std::string(name_of(error.code())), error.what()};
        } catch (const FunctionError& error) {
            return {nullptr, kOfFunction, error.what()};
        }
    }

    void check(const Json& call, const Got& got) {
        if (call.contains("fails")) {
            if (got.code != call.at("fails"))
                broken(call, "a failure with " + call.at("fails").get<std::string>(), got);
            return;
        }
        if (call.contains("throws")) {
            if (got.code != kOfFunction || got.message != call.at("throws")) broken(call, "the function's error", got);
            return;
        }
        if (!got.code.empty()) broken(call, "no failure", got);
        if (call.contains("as")) kept_[call.at("as")] = got.result;
        if (call.contains("gives")) {
            const Json expected = filled(call.at("gives"));
            if (got.result != expected) broken(call, shown(expected), got);
        }
        if (call.contains("gives_about")) {
            const auto expected = call.at("gives_about").get<double>();
            const bool is_near = got.result.is_number() && std::abs(got.result.get<double>() - expected) <= 0.01;
            if (!is_near) broken(call, "about " + std::to_string(expected), got);
        }
        if (call.contains("gives_part")) {
            const Json expected = filled(call.at("gives_part"));
            for (const auto& [name, member] : expected.items()) {
                if (!got.result.is_object() || got.result.value(name, Json("missing")) != member) {
                    broken(call, "an object with the members of " + shown(expected), got);
                }
            }
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

    /// Returns a copy in which every object that stands for a value is replaced by that value.
    [[nodiscard]] Json filled(const Json& json) const {
        if (json.is_object() && json.contains("$")) {
            const Json& kept = kept_.at(json.at("$"));
            return json.contains("member") ? kept.at(json.at("member").get<std::string>()) : kept;
        }
        if (json.is_object() && json.contains("from_now")) return clock_() + json.at("from_now").get<double>();
        if (json.is_object() && json.contains("infinity")) return kNever;
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

    /// The code that stands for an error of a function that the case gave.
    inline static const std::string kOfFunction = "an error of the function";

    const Subject& subject_;
    FakeClock clock_;
    ClientTraits traits_;
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
