// SPDX-License-Identifier: BSL-1.0
#include <functional>
#include <string>
#include <vector>

#include "weir/session.hpp"

std::string text(double x);
double length(double a, double b);

auto joined(weir::session& session, const std::vector<double>& all) {
#ifndef WEIR_MUST_COMPILE
  return session.reduce(text, length, all);
#else
  return session.reduce(text, std::plus<>(), all);
#endif
}
