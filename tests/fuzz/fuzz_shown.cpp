// SPDX-License-Identifier: BSL-1.0
// Values as the inspector shows them, by a type's name that may be anything, and the files of `weir dump`: bytes of any
// kind become text, or are refused.
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "fuzz/input.hpp"
#include "inspect/dump_file.hpp"
#include "inspect/value_reader.hpp"
#include "weir/error.hpp"

namespace weir::fuzz {
namespace {

using detail::item_kind;

/// What names of types are made of.
constexpr std::array<std::string_view, 40> kWords{"std::vector<",
                                                  "std::map<",
                                                  "std::pair<",
                                                  "std::tuple<",
                                                  "std::optional<",
                                                  "std::variant<",
                                                  "std::array<",
                                                  "std::bitset<",
                                                  "std::complex<",
                                                  "std::chrono::duration<",
                                                  "std::ratio<",
                                                  "std::set<",
                                                  "std::string",
                                                  "std::monostate",
                                                  "std::basic_string<",
                                                  "weir::any",
                                                  "weir::channel<",
                                                  "weir::array<",
                                                  "weir::worker",
                                                  "int",
                                                  "unsigned long",
                                                  "double",
                                                  "float",
                                                  "long double",
                                                  "bool",
                                                  "char",
                                                  "char16_t",
                                                  "char32_t",
                                                  "__int128",
                                                  "point",
                                                  ", ",
                                                  ">",
                                                  ">>",
                                                  "1",
                                                  "3",
                                                  "1000000000000",
                                                  "(",
                                                  "const ",
                                                  "std::chrono::time_point<std::chrono::system_clock",
                                                  "std::deque<"};

std::string type_name(input& from) {
  std::string name;
  for (std::uint32_t left = from.byte() % 16U; left > 0; --left) {
    const std::uint8_t word = from.byte();
    if (word < kWords.size()) {
      name += kWords[word];
    } else {
      name += static_cast<char>(word);
    }
  }
  return name;
}

void show(input from) {
  const auto kind = static_cast<item_kind>(from.byte() % 7U);
  const bool has_references = from.byte() % 4 == 0;
  const std::size_t element_bytes = from.byte() % 32U;
  const inspect::value_reader reader(type_name(from), kind, element_bytes);
  const inspect::value found = read_item(reader, from.rest(), has_references);
  const std::string text = text_of(found);
  constexpr std::size_t kMuch = std::size_t{16} << 20U;
  if (text.empty() || text.size() > kMuch) std::abort();
  static_cast<void>(damage_in(found));
}

void read_dump(input from) {
  const int file = ::memfd_create("dump", MFD_CLOEXEC);
  const auto bytes = from.rest();
  if (::write(file, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) std::abort();
  try {
    inspect::dump_reader reader("/proc/self/fd/" + std::to_string(file));
    while (reader.next()) {
    }
  } catch (const weir::error&) {
    // Refused, in words.
  }
  ::close(file);
}

}  // namespace
}  // namespace weir::fuzz

// The name is libFuzzer's.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::fuzz::input from(data, size);
  const bool is_dump = from.byte() % 8 == 7;
  if (is_dump) {
    weir::fuzz::read_dump(from);
  } else {
    weir::fuzz::show(from);
  }
  return 0;
}
