// SPDX-License-Identifier: BSL-1.0
#include <gtest/gtest.h>

#include "weir/session.hpp"

int main(int argc, char** argv) {
  weir::serve_if_worker();
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
