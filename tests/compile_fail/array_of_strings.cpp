// SPDX-License-Identifier: BSL-1.0
#include <string>

#include "weir/array.hpp"

#ifdef WEIR_MUST_COMPILE
using element = char;
#else
using element = std::string;
#endif

int main() {
  const weir::array<element, 2> a({3, 4});
  return static_cast<int>(a.size());
}
