// SPDX-License-Identifier: BSL-1.0
#include "runtime/map_progress.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <exception>

#include "runtime/status_line.hpp"

namespace weir::runtime {
namespace {

constexpr std::chrono::milliseconds kBetweenDraws{100};
constexpr std::size_t kLongestBar = 40;
constexpr std::size_t kShortestBar = 8;

std::string bar_of(std::size_t done, std::size_t total, std::size_t width) {
  const auto filled =
      static_cast<std::size_t>(static_cast<double>(done) / static_cast<double>(total) * static_cast<double>(width));
  std::string bar(std::min(filled, width), '=');
  if (bar.size() < width) bar += '>';
  bar.resize(width, ' ');
  return '[' + bar + ']';
}

std::string time_text(double seconds) {
  const auto whole = static_cast<long>(std::ceil(seconds));
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

}  // namespace

std::string progress_text(std::size_t done, std::size_t total, std::chrono::duration<double> since_begin,
                          std::size_t columns) {
  const double seconds = since_begin.count();
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  std::string text = fmt::format("{} done", done);
  if (total != 0) {
    const double percent = 100 * static_cast<double>(done) / static_cast<double>(total);
    text = fmt::format("{}/{} ({:.0f} %)", done, total, std::floor(percent));
  }
  if (done != 0 && rate > 0) {
    text += fmt::format("  {:.1f}/s", rate);
    if (done < total) text += fmt::format("  {} left", time_text(static_cast<double>(total - done) / rate));
    if (done == total) text += fmt::format("  in {}", time_text(seconds));
  }
  if (text.size() > columns) text.resize(columns);
  const std::size_t room = columns - text.size();
  constexpr std::size_t kAround = 3;  // brackets, and a space
  if (total != 0 && room >= kShortestBar + kAround) {
    text = bar_of(done, total, std::min(room - kAround, kLongestBar)) + ' ' + text;
  }
  return text;
}

progress_report::progress_report(const map_options& options, std::size_t total)
    : options_(options), total_(total), bar_(options.progress && status_line::is_possible()) {}

progress_report::~progress_report() {
  if (!bar_ || !told_) return;
  try {
    draw();
  } catch (const std::exception&) {
    // No memory for the last picture.
  }
  status_line::finish();
}

void progress_report::tell(std::size_t done) {
  if (told_ && done == done_) return;
  told_ = true;
  done_ = done;
  if (bar_ && clock::now() >= next_draw_) {
    next_draw_ = clock::now() + kBetweenDraws;
    draw();
  }
  if (options_.on_progress) options_.on_progress(done, total_);
}

void progress_report::draw() {
  // The last column stays free: a terminal may go to the next line when it is written to.
  status_line::show(progress_text(done_, total_, clock::now() - begin_, status_line::columns() - 1));
}

}  // namespace weir::runtime
