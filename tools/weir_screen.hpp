// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <termios.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace weir::command {

enum class key { none, quit, pause, sort, internal, help, up, down, page_up, page_down, home, other };

/// The terminal, all of it, while this lives: its other screen, no cursor, keys as they are pressed. Everything is as it
/// was afterwards, also if a signal ends the program. One of these at a time.
class screen {
 public:
  screen();
  screen(const screen&) = delete;
  screen& operator=(const screen&) = delete;
  ~screen();

  /// Columns and lines, as they are now.
  struct extent {
    std::size_t columns = 0;
    std::size_t lines = 0;
  };
  [[nodiscard]] static extent size();
  /// Shows these, as many as there is room for, in the place of what was there.
  void draw(const std::vector<std::string>& lines) const;
  /// The key that is pressed before `until`. none: it is not; other: the terminal has another size, or a key that means nothing;
  /// quit: also if a signal says so.
  [[nodiscard]] key wait(std::chrono::steady_clock::time_point until);

 private:
  [[nodiscard]] static key next_key();
  termios before_{};
};

}  // namespace weir::command
