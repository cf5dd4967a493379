// SPDX-License-Identifier: BSL-1.0
#include "runtime/status_line.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <string_view>
#include <utility>

#include "sync/immortal.hpp"

namespace weir::runtime::status_line {
namespace {

constexpr std::size_t kUsualColumns = 80;

struct shown_line {
  std::mutex mutex;
  std::string text;  // empty: none is shown
};
shown_line& shown() {
  static sync::immortal<shown_line> line;  // for threads that print while the process ends
  return *line;
}

void print(std::string_view text) noexcept {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

constexpr std::string_view kErase = "\r\x1b[K";

}  // namespace

bool is_possible() noexcept { return ::isatty(STDERR_FILENO) == 1; }

std::size_t columns() noexcept {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUsualColumns;
  return size.ws_col;
}

void show(std::string text) {
  shown_line& line = shown();
  const std::scoped_lock lock(line.mutex);
  print(std::string(kErase) + text);
  line.text = std::move(text);
}

void finish() noexcept {
  shown_line& line = shown();
  const std::scoped_lock lock(line.mutex);
  if (line.text.empty()) return;
  print("\n");
  line.text.clear();
}

aside::aside() : lock_(shown().mutex) {
  if (!shown().text.empty()) print(kErase);
}

aside::~aside() {
  if (!shown().text.empty()) print(shown().text);
}

}  // namespace weir::runtime::status_line
