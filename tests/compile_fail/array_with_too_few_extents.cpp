// SPDX-License-Identifier: BSL-1.0
#include "weir/array.hpp"

int main() {
#ifdef WEIR_MUST_COMPILE
  const weir::array<int, 2> a({3, 4});
  return a(0, 1);
#else
  const weir::array<int, 2> a({3, 4});
  return a(0);
#endif
}
