// SPDX-License-Identifier: BSL-1.0
#include <functional>
#include <string>

#include "weir/session.hpp"

int main() {
  weir::session session;
  session.spmd([](weir::team& team) { team.all_reduce(1, std::plus<>()); });
#ifndef WEIR_MUST_COMPILE
  session.spmd([](weir::team& team) { team.all_reduce(std::string(), std::minus<>()); });
#endif
}
