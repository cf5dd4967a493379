// SPDX-License-Identifier: BSL-1.0
#include <utility>
#include <vector>

#include "weir/session.hpp"

std::vector<double> scaled(weir::session& session, const std::vector<double>& all, double factor) {
#ifndef WEIR_MUST_COMPILE
  return session.map([factor](double x) { return factor * x; }, all);
#else
  std::vector<std::pair<double, double>> pairs;
  for (const double x : all) pairs.emplace_back(factor, x);
  return session.map([](std::pair<double, double> p) { return p.first * p.second; }, pairs);
#endif
}
