// SPDX-License-Identifier: BSL-1.0
#include <vector>

#include "weir/session.hpp"

auto numbers(weir::session& session, const std::vector<int>& items) {
#ifndef WEIR_MUST_COMPILE
  return session.map([](int i) { return new int(i); }, items);
#else
  return session.map([](int i) { return i; }, items);
#endif
}
