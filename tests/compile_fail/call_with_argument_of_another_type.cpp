// SPDX-License-Identifier: BSL-1.0
#include <string>

#include "weir/session.hpp"

double area(double width);

double ask(const weir::worker& w, const std::string& text) {
#ifndef WEIR_MUST_COMPILE
  return w.fetch(area, text);
#else
  return w.fetch(area, std::stod(text));
#endif
}
