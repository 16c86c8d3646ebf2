#pragma once

// The one place that knows which Catch2 we have: with 3.x this is <catch2/catch_all.hpp>.
#define CATCH_CONFIG_FAST_COMPILE
#include <catch2/catch.hpp>
