// SPDX-License-Identifier: BSL-1.0
#include "weir/select.hpp"

int main() {
  weir::channel<int> ch(1);
#ifdef WEIR_MUST_COMPILE
  weir::select(weir::on_put(ch, 1));
#else
  weir::select(weir::on_put(ch, 1.5));
#endif
}
