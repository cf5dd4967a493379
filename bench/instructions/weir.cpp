// SPDX-License-Identifier: BSL-1.0
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "weir/channel.hpp"

/// Question: how many instructions and cache misses does a put and its take cost, in one process?
/// Method: count.py runs this under callgrind with two numbers of pairs; the difference is the cost of the pairs.
///
/// instructions_weir number|take_into|take_view PAIRS [BYTES]. Exits with 1 on a wrong item.
namespace {

constexpr std::size_t kCapacity = 64;

int numbers(long pairs) {
  weir::channel<std::int64_t> channel(kCapacity);
  for (long i = 0; i < pairs; ++i) {
    channel.put(i);
    if (channel.take() != i) return 1;
  }
  return 0;
}

int vectors(long pairs, std::size_t bytes, bool in_place) {
  // Valgrind has less address space than a channel would set aside.
  weir::channel<std::vector<std::int64_t>> channel(kCapacity, {.max_item_bytes = bytes});
  std::vector<std::int64_t> item(bytes / sizeof(std::int64_t)), into(item.size());
  for (long i = 0; i < pairs; ++i) {
    item.front() = i;
    channel.put(item);
    if (in_place) {
      if (channel.take_view()[0] != i) return 1;
    } else {
      channel.take_into(into);
      if (into.front() != i) return 1;
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr int kUsage = 2, kDecimal = 10;
  if (argc < 3) return kUsage;
  const std::string what = argv[1];
  const long pairs = std::strtol(argv[2], nullptr, kDecimal);
  if (what == "number") return numbers(pairs);
  return argc < 4 ? kUsage : vectors(pairs, std::strtoul(argv[3], nullptr, kDecimal), what == "take_view");
}
