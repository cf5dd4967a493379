// SPDX-License-Identifier: BSL-1.0
#include <string>

#include "weir/channel.hpp"

struct customer {
  std::string name;
  int orders = 0;
#ifdef WEIR_MUST_COMPILE
  template <class Archive>
  void serialize(Archive& archive) {
    archive(name, orders);
  }
#endif
};

int main() {
  weir::channel<customer> ch(1);
  ch.put({"Ann", 3});
  return ch.take().orders;
}
