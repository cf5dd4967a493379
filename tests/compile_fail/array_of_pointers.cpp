// SPDX-License-Identifier: BSL-1.0
#include "weir/array.hpp"

#ifdef WEIR_MUST_COMPILE
using element = double;
#else
using element = double*;
#endif

int main() {
  const weir::array<element> a(3);
  return static_cast<int>(a.size());
}
