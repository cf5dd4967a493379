// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <thread>

#include "weir_commands.hpp"
#include "weir_json.hpp"
#include "weir_live_parts.hpp"
#include "weir_output.hpp"
#include "weir_screen.hpp"
#include "weir_top_frame.hpp"

namespace weir::command {
namespace {

using clock = std::chrono::steady_clock;

struct top_options {
  double interval_s = 0.5;
  std::size_t frames = 0;  ///< 0: until it is told to stop
  bool once = false;
  bool all = false;
  bool json = false;
  top_order order = top_order::busy;
};

constexpr std::size_t kOrders = 5;

clock::duration interval_of(const top_options& options) {
  return std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(options.interval_s));
}

/// One frame after the other, for files and pipes.
int print_frames(const top_options& options) {
  inspect::watcher watcher;
  inspect::code_names names;
  top_view view{options.order, options.all, terminal_columns().value_or(0)};
  const std::size_t frames = options.once ? 1 : options.frames;
  auto next = clock::now();
  static_cast<void>(watcher.look());  // rates take two looks
  for (std::size_t shown = 0; frames == 0 || shown < frames; ++shown) {
    next += interval_of(options);
    std::this_thread::sleep_until(next);
    const inspect::watch_frame frame = watcher.look();
    if (options.json) {
      fmt::print("{}\n", to_json(frame, view, names).dump(-1, ' ', false, json::error_handler_t::replace));
    } else {
      if (shown != 0) fmt::print("\n");
      for (const std::string& line : top_lines(frame, view, names)) fmt::print("{}\n", line);
    }
    if (std::fflush(stdout) != 0) break;  // nobody reads any more
  }
  return kFine;
}

std::vector<std::string> help_lines() {
  return {"weir top",
          "",
          "  q          quit",
          "  space      pause, or go on",
          "  s          sort channels by: busy, full, waiting, memory, name",
          "  i          show weir's own channels too, or not",
          "  arrows     scroll; PgUp, PgDn, Home",
          "  ?          this help; any key goes back",
          "",
          "  IN/s and OUT/s: puts and takes a second.  FILL: items inside, of the channel's capacity.",
          "  WAITING: threads that sleep to take or to put, and how long the first of them has."};
}

/// The whole terminal, until somebody has had enough.
class live_top {
 public:
  explicit live_top(const top_options& options)
      : view_{options.order, options.all, 0}, interval_(interval_of(options)) {}

  void run() {
    frame_ = watcher_.look();
    // Something at once, with rates as soon as there are some.
    auto next = clock::now() + std::min<clock::duration>(interval_, std::chrono::milliseconds(200));
    for (;;) {
      draw();
      const key pressed = screen_.wait(next);
      if (pressed == key::quit) return;
      if (pressed != key::none) {
        obey(pressed);
        continue;
      }
      next = clock::now() + interval_;
      if (!paused_) frame_ = watcher_.look();
    }
  }

 private:
  void obey(key pressed) {
    const std::size_t page = std::max<std::size_t>(screen::size().lines, 6) - 4;
    if (helping_) {
      helping_ = false;
      return;
    }
    switch (pressed) {
      case key::pause: paused_ = !paused_; break;
      case key::sort:
        view_.order = static_cast<top_order>((static_cast<std::size_t>(view_.order) + 1) % kOrders);
        break;
      case key::internal: view_.with_internal = !view_.with_internal; break;
      case key::help: helping_ = true; break;
      case key::up: first_ -= std::min<std::size_t>(first_, 1); break;
      case key::down: ++first_; break;
      case key::page_up: first_ -= std::min(first_, page); break;
      case key::page_down: first_ += page; break;
      case key::home: first_ = 0; break;
      default: break;
    }
  }

  void draw() {
    if (helping_) return screen_.draw(help_lines());
    const screen::extent size = screen::size();
    view_.columns = size.columns;
    std::vector<std::string> lines = top_lines(frame_, view_, names_);
    lines.front() += paused_ ? "  paused" : "";
    lines.front() = shortened(lines.front(), size.columns);
    const std::size_t room = size.lines > 2 ? size.lines - 2 : 1;  // the title and the keys stay
    const std::size_t body = lines.size() - 1;
    first_ = std::min(first_, body > room ? body - room : 0);
    std::vector<std::string> shown{lines.front()};
    for (std::size_t i = 0; i < room && first_ + i < body; ++i) shown.push_back(lines[1 + first_ + i]);
    shown.resize(room + 1);
    const std::string more = body > room ? fmt::format("  lines {} to {} of {}", first_ + 1, first_ + room, body) : "";
    shown.push_back(
        shortened(fmt::format("q quit  space pause  s sort: {}  ? help{}", text_of(view_.order), more), size.columns));
    screen_.draw(shown);
  }

  screen screen_;
  inspect::watcher watcher_;
  inspect::watch_frame frame_;
  inspect::code_names names_;
  top_view view_;
  clock::duration interval_;
  std::size_t first_ = 0;  // line of the body that is shown first
  bool paused_ = false;
  bool helping_ = false;
};

int run(const top_options& options) {
  const bool is_live = !options.once && options.frames == 0 && !options.json && ::isatty(STDOUT_FILENO) == 1 &&
                       ::isatty(STDIN_FILENO) == 1;
  if (!is_live) return print_frames(options);
  live_top(options).run();
  return kFine;
}

}  // namespace

void add_top(CLI::App& app, action& chosen) {
  const auto options = std::make_shared<top_options>();
  CLI::App* const self = app.add_subcommand("top", "Shows channels, workers and arrays as they change, as top(1) does");
  self->add_option("--interval", options->interval_s, "Seconds between two looks")
      ->check(CLI::Range(0.05, 3600.0))
      ->capture_default_str();
  self->add_option("-n", options->frames, "Print so many frames, one after the other, and end")
      ->check(CLI::PositiveNumber);
  self->add_flag("--once", options->once, "Print one frame, and end");
  const std::map<std::string, top_order> orders{{"busy", top_order::busy},
                                                {"full", top_order::full},
                                                {"waiting", top_order::waiting},
                                                {"memory", top_order::memory},
                                                {"name", top_order::name}};
  self->add_option("--sort", options->order, "Sort channels by: busy, full, waiting, memory, name")
      ->transform(CLI::CheckedTransformer(orders));
  self->add_flag("--all", options->all, "Show weir's own channels too");
  self->add_flag("--json", options->json, "Print JSON, a line for each frame");
  self->footer("Keys: q quit, space pause, s sort, i weir's own channels, arrows and PgUp/PgDn scroll, ? help.");
  on_parsed(*self, chosen, options, run);
}

}  // namespace weir::command
