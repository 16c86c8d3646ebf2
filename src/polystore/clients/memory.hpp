#pragma once

#include <memory>

#include "polystore/client.hpp"

namespace polystore {

/// A client that keeps its records in memory, in order of their keys. It holds every key.
[[nodiscard]] std::shared_ptr<Client> memory();

}  // namespace polystore
