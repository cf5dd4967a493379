// SPDX-License-Identifier: BSL-1.0
#include "storm_roles.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include "weir/channel.hpp"
#include "weir/future.hpp"
#include "weir/worker.hpp"

namespace weir::tests {
namespace {

using namespace std::chrono_literals;
using item = std::vector<std::int32_t>;

constexpr std::size_t kLongItem = 12'000;

/// Most lie in the slot; every eighth takes a block.
std::size_t length_of(std::int32_t number) {
  const auto kind = static_cast<std::size_t>(number) % 8;
  return kind == 0 ? kLongItem : 2 + 40 * kind;
}

template <class Sequence>
std::int32_t number_in(const Sequence& found) {
  if (found.size() == 0) return -1;
  const std::int32_t first = *found.begin();
  if (first == kEndOfItems) return first;
  const bool whole = first >= 0 && found.size() == length_of(first) &&
                     std::all_of(found.begin(), found.end(), [first](std::int32_t each) { return each == first; });
  return whole ? first : -1;
}

bool note_number(storm_ledger& notes, std::int32_t number) {
  if (number == kEndOfItems) return false;
  if (number < 0) {
    ++notes.torn;
  } else {
    ++notes.taken[static_cast<std::size_t>(number)];
    ++notes.takes;
  }
  return true;
}

int put_all_the_time(channel<item>& ch, storm_ledger& notes, life& own) {
  while (notes.over == 0) {
    const std::uint32_t number = notes.next_item++;
    if (number >= kMostItems) return 0;
    const item made(length_of(static_cast<std::int32_t>(number)), static_cast<std::int32_t>(number));
    notes.put[number] = put_state::begun;
    notes.timed(own, [&] { ch.put(made); });
    notes.put[number] = put_state::returned;
    ++notes.puts;
  }
  return 0;
}

int take_all_the_time(channel<item>& ch, storm_ledger& notes, life& own) {
  for (;;) {
    own.taking = 1;
    const item got = notes.timed(own, [&] { return ch.take(); });
    const bool more = note_number(notes, number_in(got));
    own.taking = 0;
    if (!more) return 0;
  }
}

int view_all_the_time(channel<item>& ch, storm_ledger& notes, life& own) {
  for (int i = 0;; ++i) {
    auto view = notes.timed(own, [&] { return ch.take_view_for(60s); });
    if (!view) return 1;
    const std::int32_t number = number_in(*view);
    own.views = number + 1;
    if (i % 16 == 0) std::this_thread::sleep_for(1ms);
    if (number_in(*view) != number) ++notes.torn;  // while we looked
    view.reset();
    const bool more = note_number(notes, number);
    own.views = 0;
    if (!more) return 0;
  }
}

std::string text_of(std::uint32_t call, std::size_t bytes) {
  std::string text = std::to_string(call);
  text.resize(std::max(bytes, text.size()), '.');
  return text;
}

}  // namespace

bool note_taken(storm_ledger& notes, const item& found) { return note_number(notes, number_in(found)); }

storm_ledger& map_storm_ledger(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || ::ftruncate(fd, sizeof(storm_ledger)) != 0) throw std::runtime_error("cannot make " + path);
  void* const at = ::mmap(nullptr, sizeof(storm_ledger), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  if (at == MAP_FAILED) throw std::runtime_error("cannot map " + path);
  return *static_cast<storm_ledger*>(at);
}

int play(storm_role role, const std::string& name, storm_ledger& notes, life& own) {
  auto ch = channel<item>::open(name);
  switch (role) {
    case storm_role::putter: return put_all_the_time(ch, notes, own);
    case storm_role::taker: return take_all_the_time(ch, notes, own);
    case storm_role::viewer: return view_all_the_time(ch, notes, own);
  }
  return 2;
}

std::string serve(std::uint32_t call, const std::string& ledger, std::size_t bytes) {
  static storm_ledger& notes = map_storm_ledger(ledger);
  ++notes.run.at(call);
  return text_of(call, bytes);
}

void keep_calling(const std::string& ledger, std::uint32_t own_life) {
  storm_ledger& notes = map_storm_ledger(ledger);
  const life& own = notes.lives.at(own_life);
  std::mt19937 dice(own_life);
  while (notes.over == 0) {
    const process_id to = notes.callees[dice() % notes.callees.size()];
    const std::uint32_t call = notes.next_call++;
    if (call >= kMostCalls) return;
    const std::size_t bytes = dice() % 4 == 0 ? 100'000 : 10;
    try {
      const std::string got = notes.timed(own, [&] { return worker(to).fetch(&serve, call, ledger, bytes); });
      if (got != text_of(call, bytes)) ++notes.wrong_answers;
      notes.ended[call] = call_end::returned;
      ++notes.calls;
    } catch (const worker_died&) {
      notes.ended[call] = call_end::failed;
      ++notes.failed_calls;
      std::this_thread::sleep_for(1ms);  // until there is another
    }
  }
}

}  // namespace weir::tests
