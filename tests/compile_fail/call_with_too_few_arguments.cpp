// SPDX-License-Identifier: BSL-1.0
#include "weir/session.hpp"

double area(double width, double height);

double ask(const weir::worker& w) {
#ifndef WEIR_MUST_COMPILE
  return w.fetch(area, 1.0);
#else
  return w.fetch(area, 1.0, 2.0);
#endif
}
