// SPDX-License-Identifier: BSL-1.0
#include <array>

#include "weir/channel.hpp"

struct image {
  int width;
  int height;
#ifdef WEIR_MUST_COMPILE
  std::array<unsigned char, 64> pixels;
#else
  const unsigned char* pixels;
#endif
  char name[32];
};

int main() {
  weir::channel<image> ch(1);
  ch.put({});
  return ch.take().width;
}
