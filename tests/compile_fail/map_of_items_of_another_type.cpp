// SPDX-License-Identifier: BSL-1.0
#include <string>
#include <vector>

#include "weir/session.hpp"

double area(double width);

std::vector<double> areas(weir::session& session, const std::vector<std::string>& texts) {
#ifndef WEIR_MUST_COMPILE
  return session.map(area, texts);
#else
  std::vector<double> widths;
  for (const std::string& text : texts) widths.push_back(std::stod(text));
  return session.map(area, widths);
#endif
}
