// SPDX-License-Identifier: BSL-1.0
#include "weir_screen.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <string_view>

namespace weir::command {
namespace {

constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l";  // xterm's other screen, no cursor
constexpr std::string_view kLeave = "\x1b[?25h\x1b[?1049l";
constexpr std::array<int, 4> kEndings{SIGINT, SIGTERM, SIGHUP, SIGQUIT};

volatile std::sig_atomic_t g_ended = 0;
volatile std::sig_atomic_t g_resized = 0;

void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void handle(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  ::sigaction(signal, &action, nullptr);
}

/// Blocked but for when it is waited, so that none comes between a look at the flag and the wait.
sigset_t own_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int each : kEndings) ::sigaddset(&set, each);
  ::sigaddset(&set, SIGWINCH);
  return set;
}

}  // namespace

screen::screen() {
  const sigset_t own = own_signals();
  ::sigprocmask(SIG_BLOCK, &own, nullptr);
  for (const int each : kEndings) handle(each, [](int) { g_ended = 1; });
  handle(SIGWINCH, [](int) { g_resized = 1; });
  ::tcgetattr(STDIN_FILENO, &before_);
  termios raw = before_;
  raw.c_lflag &= static_cast<tcflag_t>(~(ICANON | ECHO));
  raw.c_cc[VMIN] = 0;
  raw.c_cc[VTIME] = 0;
  raw.c_cc[VSUSP] = _POSIX_VDISABLE;  // a shell would get the terminal as it is now
  ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  std::fflush(stdout);
  write_all(kEnter);
}

screen::~screen() {
  write_all(kLeave);
  ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  for (const int each : kEndings) handle(each, SIG_DFL);
}

screen::extent screen::size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return {80, 24};
  return {size.ws_col, size.ws_row};
}

void screen::draw(const std::vector<std::string>& lines) const {
  const std::size_t room = size().lines;
  std::string text = "\x1b[H";
  for (std::size_t i = 0; i < std::min(lines.size(), room); ++i) {
    if (i != 0) text += "\r\n";
    text += lines[i] + "\x1b[K";
  }
  if (lines.size() < room) text += "\x1b[J";
  write_all(text);
}

key screen::next_key() {
  std::array<char, 8> bytes{};
  const ssize_t got = ::read(STDIN_FILENO, bytes.data(), bytes.size());
  if (got <= 0) return key::quit;  // the terminal has gone
  const std::string_view pressed(bytes.data(), static_cast<std::size_t>(got));
  if (pressed == "q" || pressed == "Q") return key::quit;
  if (pressed == " ") return key::pause;
  if (pressed == "s") return key::sort;
  if (pressed == "i") return key::internal;
  if (pressed == "?" || pressed == "h") return key::help;
  if (pressed == "k" || pressed == "\x1b[A" || pressed == "\x1bOA") return key::up;
  if (pressed == "j" || pressed == "\x1b[B" || pressed == "\x1bOB") return key::down;
  if (pressed == "\x1b[5~") return key::page_up;
  if (pressed == "\x1b[6~") return key::page_down;
  if (pressed == "\x1b[H" || pressed == "\x1b[1~" || pressed == "g") return key::home;
  return key::other;
}

key screen::wait(std::chrono::steady_clock::time_point until) {
  if (g_ended != 0) return key::quit;
  if (g_resized != 0) {
    g_resized = 0;
    return key::other;
  }
  const auto left = std::max(until - std::chrono::steady_clock::now(), std::chrono::steady_clock::duration::zero());
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(left);
  const timespec length{static_cast<std::time_t>(whole.count()),
                        static_cast<long>(std::chrono::duration_cast<std::chrono::nanoseconds>(left - whole).count())};
  sigset_t none;
  ::sigemptyset(&none);
  pollfd input{STDIN_FILENO, POLLIN, 0};
  if (::ppoll(&input, 1, &length, &none) > 0) return next_key();
  if (g_ended != 0) return key::quit;
  if (g_resized == 0) return key::none;
  g_resized = 0;
  return key::other;
}

}  // namespace weir::command
