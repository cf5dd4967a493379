// SPDX-License-Identifier: BSL-1.0
#include "weir/session.hpp"

int main() {
  weir::session session;
  session.spmd([](weir::team& team) { team.barrier(); });
#ifndef WEIR_MUST_COMPILE
  session.spmd([](int) {}, 1);
#endif
}
