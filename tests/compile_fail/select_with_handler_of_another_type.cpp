// SPDX-License-Identifier: BSL-1.0
#include "weir/select.hpp"

int main() {
  weir::channel<int> ch(1);
#ifdef WEIR_MUST_COMPILE
  weir::select(weir::on_take(ch, [](int) {}));
#else
  weir::select(weir::on_take(ch, [](const char*) {}));
#endif
}
