#pragma once

// The whole C++ API: the store and the library's clients.

#include "polystore/clients/file.hpp"    // IWYU pragma: export
#include "polystore/clients/folder.hpp"  // IWYU pragma: export
#include "polystore/clients/log.hpp"     // IWYU pragma: export
#include "polystore/clients/memory.hpp"  // IWYU pragma: export
#include "polystore/store.hpp"           // IWYU pragma: export
