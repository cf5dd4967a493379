// SPDX-License-Identifier: BSL-1.0
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "weir/channel.hpp"

#ifdef WEIR_MUST_COMPILE
using element = std::string;
#else
using element = std::shared_ptr<std::string>;
#endif

int main() {
  using item = std::map<int, std::vector<element>>;
  weir::channel<item> ch(1);
  ch.put(item());
  return static_cast<int>(ch.take().size());
}
