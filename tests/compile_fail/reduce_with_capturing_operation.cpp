// SPDX-License-Identifier: BSL-1.0
#include <vector>

#include "weir/session.hpp"

double weighted(weir::session& session, const std::vector<double>& all, double weight) {
  const auto same = [](double x) { return x; };
#ifndef WEIR_MUST_COMPILE
  return session.reduce(
      same, [weight](double a, double b) { return a + weight * b; }, all);
#else
  return weight * session.reduce(
                      same, [](double a, double b) { return a + b; }, all);
#endif
}
