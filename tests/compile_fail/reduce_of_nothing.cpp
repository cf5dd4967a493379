// SPDX-License-Identifier: BSL-1.0
#include <functional>
#include <vector>

#include "weir/session.hpp"

void print(double x);
double same(double x);

double total(weir::session& session, const std::vector<double>& all) {
#ifndef WEIR_MUST_COMPILE
  return session.reduce(print, std::plus<>(), all);
#else
  return session.reduce(same, std::plus<>(), all);
#endif
}
