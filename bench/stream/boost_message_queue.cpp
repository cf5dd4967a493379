// SPDX-License-Identifier: BSL-1.0
#include "transports/boost_message_queue.hpp"

#include "stream/question.hpp"

int main(int argc, char** argv) {
  return bench::run_forked(
      argc, argv,
      {bench::streaming::kQuestion, "boost_message_queue", bench::streaming::member<bench::boost_message_queue>,
       bench::host_of<bench::boost_message_queue>});
}
