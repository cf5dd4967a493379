// SPDX-License-Identifier: BSL-1.0
#include <weir/weir.hpp>

#include <cstdlib>
#include <string>

namespace {

int greet(weir::channel<std::string> replies, const std::string& name) {
  replies.put("hello " + name);
  return weir::my_id();
}

}  // namespace

int main() {
  weir::session session;
  auto workers = session.add_workers(1);
  weir::channel<std::string> replies(1);
  const bool right_worker = workers[0].fetch(greet, replies, std::string("consumer")) == workers[0].id();
  const bool right_reply = replies.take() == "hello consumer";
  return right_worker && right_reply ? EXIT_SUCCESS : EXIT_FAILURE;
}
