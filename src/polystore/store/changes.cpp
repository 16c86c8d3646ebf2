// The methods of Store that change values depending on what is there.

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "polystore/store/driver.hpp"
#include "polystore/support/sha256.hpp"

namespace polystore {
namespace {

/// The largest integer up to which all integers are exact in JavaScript.
constexpr double kMaxInteger = 9007199254740991;

/// Returns the version of a value, or `std::nullopt` if there is none.
std::optional<std::string> version_of(const Json& value) {
    if (value.is_null()) return std::nullopt;
    return sha256(value.dump());
}

/// Runs the user's own function. What it throws reaches the user unchanged.
template <typename Function>
auto calling_user(Function function) {
    try {
        return function();
    } catch (...) {
        throw Thrown{std::current_exception()};
    }
}

Json sum(const Json& value, double by, const std::string& id) {
    const double result = value.is_null() ? by : value.is_number() ? value.get<double>() + by : std::nan("");
    if (std::abs(result) > kMaxInteger || std::isnan(result)) {
        throw Error(ErrorCode::value, "incr(" + show(id) + ") failed: the value is " + show(value.dump()) +
                                          (value.is_number() ? "; the sum is too large to be exact."
                                                             : "; incr needs a number, or no value.") +
                                          " Nothing was changed.");
    }
    if (result == std::trunc(result)) return static_cast<std::int64_t>(result);
    return result;
}

}  // namespace

Changing Store::changing(std::string_view method, std::string_view key, const Expires& expires,
                         const std::optional<std::string>& prefix) const {
    Changing changing{.method = std::string(method)};
    changing.parts.push_back({.id = prefix.value_or(options_.prefix).append(key), .life = life(expires)});
    return changing;
}

/// Returns true if anything was changed.
bool Store::change(Changing& changing, bool renew) const {
    Call call{Method::change};
    call.renews = renew;
    call.has_several_keys = changing.parts.size() > 1;
    try {
        return perform(call, {}, {}, nullptr, &changing).outcome == Outcome::yes;
    } catch (const Thrown& thrown) {
        std::rethrow_exception(thrown.error);
    }
}

Atomic Store::atomic() const { return connection_->traits().atomic; }

std::optional<double> Store::ttl(std::string_view key) const {
    const Result result = perform({Method::ttl}, key);
    return result.outcome == Outcome::seconds ? std::optional(result.number) : std::nullopt;
}

bool Store::touch(std::string_view key, Expires expires) const {
    Changing touching = changing("touch", key, expires);
    touching.is_touch = true;
    touching.choose = [](std::vector<Part>& parts) {
        return Chosen{parts[0].value.is_null() ? std::nullopt : std::optional(parts[0].value)};
    };
    change(touching, true);
    return !touching.parts[0].value.is_null();
}

std::optional<VersionedEntry> Store::entry(std::string_view key) const {
    Changing reading = changing("entry", key);
    reading.choose = [](std::vector<Part>& /*parts*/) { return Chosen{std::nullopt}; };
    change(reading);
    Part& part = reading.parts[0];
    if (part.value.is_null()) return std::nullopt;
    std::string version = *version_of(part.value);
    return VersionedEntry{std::string(key), std::move(part.value), part.found->expires, std::move(version)};
}

Json Store::update_one(std::string_view key, const std::function<Json(Json)>& change_value,
                       const UpdateOptions& options) const {
    Changing updating = changing("update", key, options.expires, options.prefix);
    updating.choose = [&](std::vector<Part>& parts) {
        Json value = calling_user([&] { return change_value(parts[0].value); });
        check_value(value);
        return Chosen{std::move(value)};
    };
    change(updating, options.renew);
    return std::move(updating.parts[0].result);
}

std::vector<Json> Store::update(const KeyList& keys,
                                const std::function<std::vector<Json>(std::vector<Json>)>& change_values,
                                const UpdateOptions& options) const {
    Changing updating{.method = "update"};
    std::set<std::string_view> seen;
    for (const std::string_view key : keys) {
        if (!seen.insert(key).second) {
            throw Error(ErrorCode::key,
                        "update() was called with the key " + show(key) + " twice. Pass each key once.");
        }
        updating.parts.push_back(changing("update", key, options.expires, options.prefix).parts[0]);
    }
    updating.choose = [&](std::vector<Part>& parts) {
        std::vector<Json> values;
        for (const Part& part : parts) values.push_back(part.value);
        std::vector<Json> chosen = calling_user([&] { return change_values(std::move(values)); });
        if (chosen.size() != parts.size()) {
            throw Error(ErrorCode::value, "The function of update() returned " + std::to_string(chosen.size()) +
                                              " values; it must return " + std::to_string(parts.size()) + ".");
        }
        for (const Json& value : chosen) check_value(value);
        return Chosen(std::make_move_iterator(chosen.begin()), std::make_move_iterator(chosen.end()));
    };
    change(updating, options.renew);
    std::vector<Json> results;
    for (Part& part : updating.parts) results.push_back(std::move(part.result));
    return results;
}

double Store::incr(std::string_view key, double by, const UpdateOptions& options) const {
    if (!std::isfinite(by)) {
        throw Error(ErrorCode::value, "incr() was called with " + std::to_string(by) + "; it must be a finite number.");
    }
    Changing adding = changing("incr", key, options.expires, options.prefix);
    double result = 0;
    adding.choose = [&](std::vector<Part>& parts) {
        const Json value = sum(parts[0].value, by, parts[0].id);
        result = value.get<double>();
        return Chosen{value};
    };
    change(adding, options.renew);
    return result;
}

bool Store::set_if_absent(std::string_view key, Json value, const SetOptions& options) const {
    check_value(value);
    if (value.is_null()) {
        throw Error(ErrorCode::value, "set_if_absent(" + show(key) + ") was called with null; it must be a value.");
    }
    Changing setting = changing("set_if_absent", key, options.expires, options.prefix);
    setting.choose = [&](std::vector<Part>& parts) {
        return Chosen{parts[0].value.is_null() ? std::optional(value) : std::nullopt};
    };
    change(setting);
    return setting.parts[0].value.is_null() && !setting.parts[0].result.is_null();
}

bool Store::cas(std::string_view key, const std::optional<std::string>& version, Json value,
                const UpdateOptions& options) const {
    check_value(value);
    Changing setting = changing("cas", key, options.expires, options.prefix);
    bool is_made = false;
    setting.choose = [&](std::vector<Part>& parts) {
        is_made = version_of(parts[0].value) == version;
        return Chosen{is_made ? std::optional(value) : std::nullopt};
    };
    change(setting, options.renew);
    return is_made;
}

Json Store::take(std::string_view key) const {
    Changing taking = changing("take", key);
    taking.choose = [](std::vector<Part>& /*parts*/) { return Chosen{Json()}; };
    change(taking);
    return std::move(taking.parts[0].value);
}

Write Write::set(std::string key, Json value, WriteOptions options) {
    Write write;
    write.key_ = std::move(key);
    write.value_ = std::move(value);
    write.options_ = std::move(options);
    return write;
}

Write Write::del(std::string key) { return set(std::move(key), {}); }

Write Write::check(std::string key, std::optional<std::string> version) {
    Write write;
    write.key_ = std::move(key);
    write.is_check_ = true;
    write.version_ = std::move(version);
    return write;
}

bool Store::batch(const std::vector<Write>& writes) const {
    Changing making{.method = "batch"};
    std::map<std::string, std::size_t> places;
    std::vector<std::vector<std::optional<std::string>>> checks;
    Chosen values;
    for (const Write& write : writes) {
        if (write.value_) check_value(*write.value_);
        const Part part = changing("batch", write.key_, write.options_.expires, write.options_.prefix).parts[0];
        const auto [place, is_new] = places.try_emplace(part.id, making.parts.size());
        const std::size_t i = place->second;
        if (is_new) {
            making.parts.push_back(part);
            making.parts[i].is_unread = true;
            checks.emplace_back();
            values.emplace_back();
        }
        if (write.is_check_) {
            making.parts[i].is_unread = false;
            checks[i].push_back(write.version_);
        } else {
            making.parts[i].life = part.life;
            making.parts[i].keeps_expiry = !write.options_.renew;
            if (!write.options_.renew) making.parts[i].is_unread = false;
            values[i] = write.value_;
        }
    }
    bool holds = true;
    making.choose = [&](std::vector<Part>& parts) {
        holds = true;
        for (std::size_t i = 0; i < parts.size(); ++i) {
            for (const std::optional<std::string>& version : checks[i]) {
                holds = holds && version == version_of(parts[i].value);
            }
        }
        return holds ? values : Chosen(parts.size());
    };
    change(making, true);
    return holds;
}

std::optional<std::string> Store::get_text(std::string_view key) const {
    const Json value = get(key);
    return value.is_null() ? std::nullopt : std::optional(value.dump());
}

std::string Store::set_text(std::string_view key, std::string_view text, const SetOptions& options) const {
    Json value;
    try {
        value = parse_json(text);
    } catch (const std::bad_alloc&) {
        throw;
    } catch (const std::exception& error) {
        throw Error(ErrorCode::value,
                    "The text for " + show(key) + " is not JSON, so nothing was written: " + error.what());
    }
    return set(key, std::move(value), options);
}

std::vector<Json> Store::get_many(const KeyList& keys) const {
    std::vector<Json> values;
    values.reserve(keys.size());
    for (const std::string_view key : keys) values.push_back(get(key));
    return values;
}

std::vector<std::string> Store::set_all(std::vector<std::pair<std::string, Json>> entries,
                                        const SetOptions& options) const {
    const std::string& prefix = options.prefix ? *options.prefix : options_.prefix;
    for (const auto& [key, value] : entries) {
        check_value(value);
        connection_->check_key(prefix + key);
    }
    std::vector<std::string> keys;
    keys.reserve(entries.size());
    for (auto& [key, value] : entries) keys.push_back(set(key, std::move(value), options));
    return keys;
}

std::vector<std::string> Store::del_many(const KeyList& keys) const {
    for (const std::string_view key : keys) connection_->check_key(options_.prefix + std::string(key));
    std::vector<std::string> deleted;
    deleted.reserve(keys.size());
    for (const std::string_view key : keys) deleted.push_back(del(key));
    return deleted;
}

std::vector<bool> Store::has_many(const KeyList& keys) const {
    std::vector<bool> present;
    present.reserve(keys.size());
    for (const std::string_view key : keys) present.push_back(has(key));
    return present;
}

namespace {

/// The number of entries in a page without a limit.
constexpr std::size_t kEntriesOfPage = 100;

Json json_of(const std::optional<std::string>& bound) { return bound ? Json(*bound) : Json(); }

/// What a cursor belongs to: the prefix and the range, the same as in JavaScript.
Json name_of_cursor(const std::string& prefix, const Range& range) {
    return {prefix + range.prefix, json_of(range.gt),  json_of(range.gte),
            json_of(range.lt),     json_of(range.lte), range.reverse};
}

}  // namespace

EntryPage Store::page(const Range& range, const std::optional<std::string>& cursor) const {
    const std::size_t limit = range.limit == Range().limit ? kEntriesOfPage : range.limit;
    if (limit == 0) throw Error(ErrorCode::options, "limit is 0; a page must have at least one entry.");
    const Json name = name_of_cursor(options_.prefix, range);
    Range rest = range;
    rest.limit = limit + 1;  // One more tells whether this page is the last.
    if (cursor) {
        Json parts = Json::parse(*cursor, nullptr, false);
        const bool is_cursor = parts.is_array() && parts.size() == name.size() + 1 && parts.back().is_string();
        const std::string last = is_cursor ? parts.back().get<std::string>() : std::string();
        if (is_cursor) parts.erase(parts.size() - 1);
        if (!is_cursor || parts != name) {
            throw Error(ErrorCode::options, "cursor is " + show(*cursor) +
                                                "; it must be the cursor of a page with the same prefix and range.");
        }
        (range.reverse ? rest.lte : rest.gte).reset();
        (range.reverse ? rest.lt : rest.gt) = last;
    }
    EntryPage page{.entries = entries(rest), .cursor = {}};
    if (page.entries.size() <= limit) return page;
    page.entries.pop_back();
    Json next = name;
    next.push_back(page.entries.back().first);
    page.cursor = next.dump();
    return page;
}

}  // namespace polystore
