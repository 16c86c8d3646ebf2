#pragma once

// All of the C++ API: the store, and the clients that come with it.

#include "polystore/clients/file.hpp"    // IWYU pragma: export
#include "polystore/clients/folder.hpp"  // IWYU pragma: export
#include "polystore/clients/log.hpp"     // IWYU pragma: export
#include "polystore/clients/memory.hpp"  // IWYU pragma: export
#include "polystore/store.hpp"           // IWYU pragma: export
