#pragma once

#include "polystore/engine/env.hpp"

namespace polystore::wasm {

/// The files of the caller that instantiated this module: js/engine/files.d.ts.
[[nodiscard]] engine::Env& js_env();

/// Returns the number by which JavaScript knows an open file of `js_env`.
[[nodiscard]] int number_of(engine::File& file);

}  // namespace polystore::wasm
