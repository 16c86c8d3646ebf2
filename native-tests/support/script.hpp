#pragma once

#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "polystore/core/operations.hpp"
#include "polystore/expires.hpp"

/// The third driver: it answers from a script, and returns a transcript of the operation's questions.
namespace polystore::testing {

inline std::string_view name_of(Ask ask) {
    constexpr std::string_view kNames[] = {"nothing",  "read",   "put",    "remove", "remove_if",
                                           "make_key", "add",    "clock",  "page",   "sift",
                                           "sweep",    "change", "commit", "drain",  "close"};
    return kNames[static_cast<std::size_t>(ask)];
}

inline std::string_view name_of(Outcome outcome) {
    constexpr std::string_view kNames[] = {"done",   "value",       "absent", "yes",      "no",
                                           "closed", "unsupported", "renew",  "conflict", "seconds"};
    return kNames[static_cast<std::size_t>(outcome)];
}

inline std::string_view name_of(Verdict verdict) {
    constexpr std::string_view kNames[] = {"leave", "keep", "remove"};
    return kNames[static_cast<std::size_t>(verdict)];
}

/// Returns true if a question has a number.
inline bool has_number(Ask ask) { return ask == Ask::put || ask == Ask::add || ask == Ask::sweep; }

/// One answer of a script.
struct Reply {
    Answer answer;
    bool is_page = false;
    std::vector<double> expires = {};
    bool end = false;
    std::vector<double> lives = {};
};

inline Reply ok() { return {}; }
inline Reply found(double expires = kNever) { return {{true, expires}}; }
inline Reply missing() { return {{false, 0}}; }
inline Reply at(double now) { return {{true, now}}; }
inline Reply counted(double count) { return {{true, count}}; }
inline Reply page(std::vector<double> expires) { return {{}, true, std::move(expires), false}; }
/// The records at the keys of a change: the expiry of each, and the life of a value that is put there.
inline Reply keys(std::vector<double> expires, std::vector<double> lives, bool end = true) {
    return {{}, true, std::move(expires), end, std::move(lives)};
}
inline Reply end_of_pages() { return {{}, true, {}, true}; }

/// Answers an operation from a script, and returns its questions and its outcome:
///
///     play(start(Trait::list, {Method::set, 60, true}), {at(1000), ok()}) == "clock put(61000) -> done"
///
/// A page is shown with its verdicts. If the operation still waits after the script, the transcript ends in "...".
inline std::string play(Operation operation, std::vector<Reply> script) {
    std::ostringstream transcript;
    const auto tell = [&](std::string_view name, bool with_number) {
        transcript << name;
        if (with_number) transcript << '(' << operation.number() << ')';
    };
    std::vector<Verdict> verdicts;
    for (const Reply& reply : script) {
        const Ask ask = operation.ask();
        if (ask == Ask::nothing) return transcript.str() + "-> ended before its script did";
        if ((ask == Ask::page) != reply.is_page)
            return transcript.str() + std::string(name_of(ask)) + " off its script";
        tell(name_of(ask), has_number(ask));
        if (reply.is_page) {
            verdicts.assign(reply.expires.size(), Verdict::leave);
            std::vector<double> expires = reply.expires;
            operation.answer_page({expires, verdicts, reply.lives, reply.end});
            for (std::size_t i = 0; i < verdicts.size(); ++i) {
                transcript << (i == 0 ? ":" : ",") << name_of(verdicts[i]);
                if (!reply.lives.empty()) transcript << '(' << expires[i] << ')';
            }
        } else {
            operation.answer(reply.answer);
        }
        transcript << ' ';
    }
    if (operation.ask() != Ask::nothing) {
        tell(name_of(operation.ask()), has_number(operation.ask()));
        return transcript.str() + " ...";
    }
    transcript << "-> ";
    tell(name_of(operation.outcome()), operation.number() != 0);
    return transcript.str();
}

}  // namespace polystore::testing
