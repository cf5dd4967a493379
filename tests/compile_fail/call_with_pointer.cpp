// SPDX-License-Identifier: BSL-1.0
#include "weir/session.hpp"

int first(const int* values);

int ask(const weir::worker& w, const int* values) {
#ifndef WEIR_MUST_COMPILE
  return w.fetch(first, values);
#else
  return w.fetch([](int value) { return value; }, *values);
#endif
}
