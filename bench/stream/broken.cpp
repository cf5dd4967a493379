// SPDX-License-Identifier: BSL-1.0
//
// Not a contender: a transport that damages, loses or repeats an item (--way wrong, missing, doubled), for the test that
// the answer check finds it.
#include <cstdint>
#include <string_view>
#include <vector>

#include "stream/question.hpp"
#include "transports/raw_ring.hpp"

namespace {

class broken {
 public:
  class sender {
   public:
    sender(bench::board& b, const bench::place& at) : way_(b.plan().way_name()), ring_(b, at) {}
    template <class Write>
    void send(std::size_t words, Write write) {
      constexpr std::uint64_t kVictim = 5000;
      const bool now = ++sent_ == kVictim;
      if (now && way_ == "missing") {
        std::vector<std::uint64_t> lost(words);
        return write(lost.data());
      }
      if (now && way_ == "doubled") ring_.send(words, write);
      ring_.send(words, [&](std::uint64_t* words_sent) {
        write(words_sent);
        if (now && way_ == "wrong") words_sent[words / 2] ^= 1;
      });
    }

   private:
    std::string_view way_;
    bench::raw_ring::sender ring_;
    std::uint64_t sent_ = 0;
  };
  using receiver = bench::raw_ring::receiver;
};

}  // namespace

int main(int argc, char** argv) {
  return bench::run_forked(argc, argv, {bench::streaming::kQuestion, "broken", bench::streaming::member<broken>});
}
