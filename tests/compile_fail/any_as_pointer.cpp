// SPDX-License-Identifier: BSL-1.0
#include "weir/any.hpp"

int main() {
  const weir::any five = 5;
#ifdef WEIR_MUST_COMPILE
  return five.as<int>();
#else
  return *five.as<const int*>();
#endif
}
