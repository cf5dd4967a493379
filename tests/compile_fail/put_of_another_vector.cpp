// SPDX-License-Identifier: BSL-1.0
#include <span>
#include <vector>

#include "weir/channel.hpp"

int main() {
  weir::channel<std::vector<double>> ch(1);
#ifdef WEIR_MUST_COMPILE
  const std::vector<double> values{1, 2};
#else
  const std::vector<float> values{1, 2};
#endif
  ch.put(std::span(values));
}
