// What embind declares: the names of all that crosses as a number, the calls that are not hot, and where the scratch
// area lies. js/core.js is the only reader; no embind object reaches a user.

#include <emscripten/bind.h>

#include <string>

#include "polystore/expires.hpp"
#include "polystore/id.hpp"
#include "polystore/operations.hpp"
#include "scratch.hpp"

namespace {

using namespace polystore;
using wasm::scratch;
using wasm::Scratch;

double parse(const std::string& text) { return parse_expires(text); }

std::uintptr_t expires_address() { return reinterpret_cast<std::uintptr_t>(scratch.expires.data()); }
std::uintptr_t verdicts_address() { return reinterpret_cast<std::uintptr_t>(scratch.verdicts.data()); }
std::uintptr_t bytes_address() { return reinterpret_cast<std::uintptr_t>(scratch.bytes.data()); }

}  // namespace

EMSCRIPTEN_BINDINGS(polystore) {
    emscripten::enum_<Method>("Method")
        .value("get", Method::get)
        .value("set", Method::set)
        .value("add", Method::add)
        .value("has", Method::has)
        .value("del", Method::del)
        .value("list", Method::list)
        .value("clear", Method::clear)
        .value("prune", Method::prune)
        .value("close", Method::close);

    emscripten::enum_<Ask>("Ask")
        .value("nothing", Ask::nothing)
        .value("read", Ask::read)
        .value("has", Ask::has)
        .value("write", Ask::write)
        .value("erase", Ask::erase)
        .value("evict", Ask::evict)
        .value("make_key", Ask::make_key)
        .value("add", Ask::add)
        .value("clock", Ask::clock)
        .value("page", Ask::page)
        .value("sift", Ask::sift)
        .value("clear", Ask::clear)
        .value("prune", Ask::prune)
        .value("drain", Ask::drain)
        .value("close", Ask::close);

    emscripten::enum_<Outcome>("Outcome")
        .value("done", Outcome::done)
        .value("value", Outcome::value)
        .value("absent", Outcome::absent)
        .value("yes", Outcome::yes)
        .value("no", Outcome::no)
        .value("closed", Outcome::closed)
        .value("unsupported", Outcome::unsupported);

    emscripten::enum_<Verdict>("Verdict")
        .value("leave", Verdict::leave)
        .value("keep", Verdict::keep)
        .value("evict", Verdict::evict);

    emscripten::enum_<Trait>("Trait")
        .value("manages_expiry", Trait::manages_expiry)
        .value("has", Trait::has)
        .value("add", Trait::add)
        .value("list", Trait::list)
        .value("clear", Trait::clear)
        .value("prune", Trait::prune)
        .value("closed", Trait::closed);

    emscripten::function("parse_expires", &parse);
    emscripten::function("expires_address", &expires_address);
    emscripten::function("verdicts_address", &verdicts_address);
    emscripten::function("bytes_address", &bytes_address);
    emscripten::constant("page_length", Scratch::kPageLength);
    emscripten::constant("bytes_length", Scratch::kBytesLength);
    emscripten::constant("id_length", kIdLength);
}
