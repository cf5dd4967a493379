// SPDX-License-Identifier: BSL-1.0
#include "weir/distributed_array.hpp"

double scaled(const weir::distributed_array<double>& d, double factor) {
#ifndef WEIR_MUST_COMPILE
  return d.map([factor](double x) { return factor * x; }).sum();
#else
  return d.map([](double x) { return 2 * x; }).sum() * factor;
#endif
}
