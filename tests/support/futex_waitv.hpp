// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "sync/sleep_on_any.hpp"

namespace weir::tests {

/// Each test of such a fixture runs with futex_waitv, and as on a kernel without it.
class WithAndWithoutFutexWaitv : public testing::TestWithParam<bool> {
 protected:
  WithAndWithoutFutexWaitv() { sync::allow_futex_waitv(GetParam()); }
  ~WithAndWithoutFutexWaitv() override { sync::allow_futex_waitv(true); }
};
inline std::string name_of_waitv(const testing::TestParamInfo<bool>& given) {
  return given.param ? "futex_waitv" : "naps";
}

}  // namespace weir::tests
