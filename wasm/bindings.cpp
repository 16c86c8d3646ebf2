// The declarations of embind: the names of all enumerations that cross as numbers, the calls outside the hot path, and
// the addresses of the scratch area. js/core/core_instance.js receives them. Users never see an embind object.

#include <emscripten/bind.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "polystore/core/id.hpp"
#include "polystore/core/operations.hpp"
#include "polystore/expires.hpp"
#include "scratch.hpp"

namespace {

using namespace polystore;
using wasm::scratch;
using wasm::Scratch;

/// Parses the first `length` bytes of the scratch area. embind's own strings would add 1.3 KB (brotli) to every page.
double parse(std::size_t length) {
    return parse_expires(std::string_view(reinterpret_cast<const char*>(scratch.bytes.data()), length));
}

std::uintptr_t address(const void* memory) { return reinterpret_cast<std::uintptr_t>(memory); }

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
        .value("close", Method::close)
        .value("change", Method::change)
        .value("ttl", Method::ttl)
        .value("size", Method::size);

    emscripten::enum_<Ask>("Ask")
        .value("nothing", Ask::nothing)
        .value("read", Ask::read)
        .value("put", Ask::put)
        .value("remove", Ask::remove)
        .value("remove_if", Ask::remove_if)
        .value("make_key", Ask::make_key)
        .value("add", Ask::add)
        .value("clock", Ask::clock)
        .value("page", Ask::page)
        .value("sift", Ask::sift)
        .value("sweep", Ask::sweep)
        .value("change", Ask::change)
        .value("commit", Ask::commit)
        .value("drain", Ask::drain)
        .value("close", Ask::close);

    emscripten::enum_<Outcome>("Outcome")
        .value("done", Outcome::done)
        .value("value", Outcome::value)
        .value("absent", Outcome::absent)
        .value("yes", Outcome::yes)
        .value("no", Outcome::no)
        .value("closed", Outcome::closed)
        .value("unsupported", Outcome::unsupported)
        .value("renew", Outcome::renew)
        .value("conflict", Outcome::conflict)
        .value("seconds", Outcome::seconds);

    emscripten::enum_<Verdict>("Verdict")
        .value("leave", Verdict::leave)
        .value("keep", Verdict::keep)
        .value("remove", Verdict::remove);

    emscripten::enum_<Trait>("Trait")
        .value("manages_expiry", Trait::manages_expiry)
        .value("add", Trait::add)
        .value("list", Trait::list)
        .value("sweeps_all", Trait::sweeps_all)
        .value("sweeps_expired", Trait::sweeps_expired)
        .value("closed", Trait::closed)
        .value("compares", Trait::compares)
        .value("transactions", Trait::transactions);

    emscripten::function("parse_expires", &parse);
    emscripten::constant("expires_address", address(scratch.expires.data()));
    emscripten::constant("verdicts_address", address(scratch.verdicts.data()));
    emscripten::constant("lives_address", address(scratch.lives.data()));
    emscripten::constant("bytes_address", address(scratch.bytes.data()));
    emscripten::constant("page_length", Scratch::kPageLength);
    emscripten::constant("bytes_length", Scratch::kBytesLength);
    emscripten::constant("id_length", kIdLength);
    emscripten::constant("ask_bits", kAskBits);
}
