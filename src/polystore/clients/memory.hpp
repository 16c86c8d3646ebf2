#pragma once

#include <memory>

#include "polystore/client.hpp"

namespace polystore {

/// Returns a client that keeps its records in memory, in the order of their keys. It can hold every key.
[[nodiscard]] std::shared_ptr<Client> memory();

}  // namespace polystore
