// SPDX-License-Identifier: BSL-1.0
#include <memory>

#include "weir/session.hpp"

void ask(const weir::worker& w) {
#ifndef WEIR_MUST_COMPILE
  w.call([] { return std::make_unique<int>(1); });
#else
  w.call([] { return 1; });
#endif
}
