// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <system_error>
#include <tuple>

#include "support/board.hpp"
#include "support/contender.hpp"

/// A transport hands items from processes to processes. It is a class with these members:
///
///     class host      { explicit host(board&); };                  // made before the processes start; optional
///     class sender    { sender(board&, const place&);
///                       template <class Write> void send(std::size_t words, Write write); };
///     class receiver  { receiver(board&, const place&);
///                       template <class Read> void receive(std::size_t words, Read read); };
///     static void settled(board&);                                 // all have opened their ends: names can go; optional
///     void sender::connect(), receiver::connect();                 // called when all ends are there; optional
///
/// send() calls write(std::uint64_t*) once, with the best place that the transport has for `words` words: in shared memory
/// if a user of it would write there, otherwise in a buffer that is used again. receive() calls read(const std::uint64_t*)
/// likewise. With plan().spin they look again and again, where the transport can; otherwise they sleep.
namespace bench {

/// Where an end is: a queue leads from some of the processes to some of the others.
struct place {
  std::size_t queue = 0;
  std::size_t rank = 0;  // of the process whose end this is
  std::size_t first_other = 0;
  std::size_t others = 1;  // those at the other end are first_other, first_other + 1, …
};

/// Waits until all processes have their ends, calls run(), and waits until all have done so: what one has sent may still
/// be on its way, and some transports lose it when the end that it came from closes.
template <class Transport, class... Ends, class Run>
void together(board& b, std::size_t rank, std::tuple<Ends&...> ends, Run run) {
  b.arrive(0);
  if constexpr (requires { Transport::settled(b); }) {
    if (rank == 0) Transport::settled(b);
  }
  const auto connect = [](auto& end) {
    if constexpr (requires { end.connect(); }) end.connect();
  };
  std::apply([&](auto&... each) { (connect(each), ...); }, ends);
  b.arrive(1);
  run();
  b.arrive(2);
}

/// For transports that have no room for more.
inline void require_words(const board& b, std::size_t most) {
  if (b.plan().words() > most)
    throw std::invalid_argument("its items have at most " + std::to_string(8 * most) + " bytes");
}

[[noreturn]] inline void throw_errno(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace bench
