// SPDX-License-Identifier: BSL-1.0
#include "weir_output.hpp"

#include <fmt/core.h>
#include <pwd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>

namespace weir::command {
namespace {

bool asks_for_colours() {
  const char* no = std::getenv("NO_COLOR");  // https://no-color.org
  const char* terminal = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && (no == nullptr || *no == '\0') &&
         (terminal == nullptr || std::string_view(terminal) != "dumb");
}

bool shows_colours() {
  static const bool shows = asks_for_colours();
  return shows;
}

bool continues(char byte) noexcept { return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80; }

/// Length of the character that `text` begins with, if it is whole and may be printed; 0 otherwise.
std::size_t printable_character(std::string_view text) noexcept {
  const auto first = static_cast<unsigned char>(text.front());
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  std::size_t length = 0;
  if (first >= 0xc2 && first <= 0xdf) length = 2;
  if (first >= 0xe0 && first <= 0xef) length = 3;
  if (first >= 0xf0 && first <= 0xf4) length = 4;
  if (length == 0 || text.size() < length) return 0;
  if (!std::all_of(text.begin() + 1, text.begin() + static_cast<std::ptrdiff_t>(length), continues)) return 0;
  const auto second = static_cast<unsigned char>(text[1]);
  const bool control = first == 0xc2 && second < 0xa0;  // U+0080 … U+009F
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool beyond = (first == 0xed && second >= 0xa0) || (first == 0xf4 && second >= 0x90);
  return control || overlong || beyond ? 0 : length;
}

std::int64_t nanoseconds_of(auto time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

}  // namespace

style style_of(inspect::segment_state state) noexcept {
  switch (state) {
    case inspect::segment_state::alive: return style::good;
    case inspect::segment_state::stale:
    case inspect::segment_state::other_layout: return style::warning;
    case inspect::segment_state::corrupt: return style::bad;
    default: return style::faint;
  }
}

std::string painted(std::string_view text, style how) {
  constexpr std::array<const char*, 5> kCodes{"0", "32", "33", "31", "2"};
  if (how == style::plain || !shows_colours()) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", kCodes.at(static_cast<std::size_t>(how)), text);
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (const std::size_t length = printable_character(text); length != 0) {
      out += text.substr(0, length);
      text.remove_prefix(length);
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
      text.remove_prefix(1);
    }
  }
  return out;
}

std::size_t width_of(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return !continues(c); }));
}

std::string shortened(std::string_view text, std::size_t columns) {
  std::string out = printable(text);
  if (width_of(out) <= columns) return out;
  std::size_t at = 0;
  for (std::size_t kept = 0; at < out.size(); ++at) {
    if (!continues(out[at]) && ++kept == columns) break;
  }
  return out.substr(0, at) + "…";
}

std::optional<std::size_t> terminal_columns() {
  winsize size{};
  if (::isatty(STDOUT_FILENO) != 1 || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return {};
  return size.ws_col;
}

std::string counted(std::uint64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string readable_time(std::int64_t nanoseconds) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  constexpr std::int64_t kMinute = 60 * kSecond;
  constexpr std::int64_t kHour = 60 * kMinute;
  const std::int64_t time = std::max<std::int64_t>(nanoseconds, 0);  // a clock may have been set back
  if (time < 10 * kSecond) return fmt::format("{:.1f} s", static_cast<double>(time) / kSecond);
  if (time < 2 * kMinute) return fmt::format("{} s", time / kSecond);
  if (time < 2 * kHour) return fmt::format("{} min", time / kMinute);
  if (time < 48 * kHour) return fmt::format("{} h", time / kHour);
  return fmt::format("{} d", time / (24 * kHour));
}

std::int64_t since_real(std::int64_t then_ns) {
  // Unsigned, since `then` may be any number that somebody left there.
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(nanoseconds_of(std::chrono::system_clock::now())) -
                                   static_cast<std::uint64_t>(then_ns));
}

std::int64_t since_monotonic(std::int64_t then_ns) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(nanoseconds_of(std::chrono::steady_clock::now())) -
                                   static_cast<std::uint64_t>(then_ns));
}

std::string user_name(std::uint32_t uid) {
  static std::map<std::uint32_t, std::string> known;  // where users are kept elsewhere, each question is a round trip
  const auto [at, is_new] = known.try_emplace(uid);
  if (!is_new) return at->second;
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  ::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  return at->second = found != nullptr ? printable(found->pw_name) : std::to_string(uid);
}

}  // namespace weir::command
