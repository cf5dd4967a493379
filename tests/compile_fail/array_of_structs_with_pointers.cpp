// SPDX-License-Identifier: BSL-1.0
#include "weir/array.hpp"

struct node {
  int value;
#ifndef WEIR_MUST_COMPILE
  node* next;
#endif
};

int main() {
  const weir::array<node> a(3);
  return a(0).value;
}
