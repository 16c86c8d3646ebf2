#pragma once

// Only this file depends on the version of Catch2. With 3.x it would include <catch2/catch_all.hpp>.
#define CATCH_CONFIG_FAST_COMPILE
#include <catch2/catch.hpp>
