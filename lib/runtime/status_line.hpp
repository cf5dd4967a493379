// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <mutex>
#include <string>

/// One line at the bottom of the terminal that stderr is, written over again and again; whole lines printed meanwhile go
/// above it. Any thread; one at a time has it.
namespace weir::runtime::status_line {

/// Whether stderr is a terminal that a line can be written over on.
[[nodiscard]] bool is_possible() noexcept;
/// How many characters fit in a line there.
[[nodiscard]] std::size_t columns() noexcept;
/// Shows the text, which has no end of line, instead of what is there.
void show(std::string text);
/// Leaves it as it is, and begins a new line below.
void finish() noexcept;

/// While it lives other things may be printed: takes the line away, and shows it again.
class aside {
 public:
  aside();
  aside(const aside&) = delete;
  aside& operator=(const aside&) = delete;
  ~aside();

 private:
  std::scoped_lock<std::mutex> lock_;
};

}  // namespace weir::runtime::status_line
