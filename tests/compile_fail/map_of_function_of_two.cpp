// SPDX-License-Identifier: BSL-1.0
#include <utility>
#include <vector>

#include "weir/session.hpp"

std::vector<double> areas(weir::session& session, const std::vector<std::pair<double, double>>& sides) {
#ifndef WEIR_MUST_COMPILE
  return session.map([](double a, double b) { return a * b; }, sides);
#else
  return session.map([](std::pair<double, double> side) { return side.first * side.second; }, sides);
#endif
}
