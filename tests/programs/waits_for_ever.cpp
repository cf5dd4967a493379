// SPDX-License-Identifier: BSL-1.0
// Two workers that each fill the channel that the other is to empty first, and a control process that waits for them.
#include <cstdio>

#include "weir/weir.hpp"

namespace {

void put_then_take(weir::channel<int> to, weir::channel<int> from) {
  to.put(1);
  to.put(2);
  from.take();
}

}  // namespace

int main() {
  weir::session session;
  const auto workers = session.add_workers(2);
  weir::channel<int> a(1);
  weir::channel<int> b(1);
  std::printf("%s\n%s\n%s\n", session.realm().c_str(), a.name().c_str(), b.name().c_str());
  std::fflush(stdout);
  const auto first = workers[0].call(put_then_take, a, b);
  const auto second = workers[1].call(put_then_take, b, a);
  first.get();
  second.get();
}
