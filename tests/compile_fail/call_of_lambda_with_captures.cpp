// SPDX-License-Identifier: BSL-1.0
#include "weir/session.hpp"

double scaled(const weir::worker& w, double factor) {
#ifndef WEIR_MUST_COMPILE
  return w.fetch([factor](double x) { return factor * x; }, 2.0);
#else
  return w.fetch([](double f, double x) { return f * x; }, factor, 2.0);
#endif
}
