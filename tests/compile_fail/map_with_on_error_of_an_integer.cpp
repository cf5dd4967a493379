// SPDX-License-Identifier: BSL-1.0
#include "weir/map_options.hpp"

weir::map_options options() {
#ifndef WEIR_MUST_COMPILE
  return {.on_error = [](int error) { return error; }};
#else
  return {.on_error = [](const weir::map_failure& failure) { return failure.attempts; }};
#endif
}
