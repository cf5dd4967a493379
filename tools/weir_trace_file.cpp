// SPDX-License-Identifier: BSL-1.0
#include "weir_trace_file.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <functional>
#include <iterator>
#include <limits>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "segment/new_file.hpp"
#include "weir_commands.hpp"
#include "weir_json.hpp"

namespace weir::command {
namespace {

using inspect::trace_slice;
using trace::event_kind;

std::string json_text(const std::string& text) {
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

/// Takes the text, piece after piece.
using text_sink = std::function<void(std::string_view)>;

/// One event a line, commas between them.
class event_writer {
 public:
  event_writer(text_sink to, const inspect::trace_report& report, const inspect::trace_timeline& timeline)
      : to_(std::move(to)), report_(report), timeline_(timeline) {}

  void write() {
    print("{{\"displayTimeUnit\":\"ns\",\"otherData\":{{\"weir\":{},\"realm\":{}}},\"traceEvents\":[",
          json_text(WEIR_VERSION), json_text(report_.realm));
    write_names();
    std::vector<std::size_t> begins(timeline_.slices.size(), kNone);
    std::vector<std::size_t> ends(timeline_.slices.size(), kNone);
    for (std::size_t i = 0; i < timeline_.flows.size(); ++i) {
      begins[timeline_.flows[i].from] = i;
      ends[timeline_.flows[i].to] = i;
    }
    for (std::size_t i = 0; i < timeline_.slices.size(); ++i) {
      const trace_slice& slice = timeline_.slices[i];
      write_slice(slice);
      if (ends[i] != kNone) write_end(slice, 'f', ends[i]);
      if (begins[i] != kNone) write_end(slice, 's', begins[i]);
    }
    print("\n]}}\n");
    pass_on();
  }

 private:
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

  template <class... Args>
  void print(fmt::format_string<Args...> format, Args&&... args) {
    constexpr std::size_t kAtOnce = std::size_t{64} << 10U;
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
    if (text_.size() >= kAtOnce) pass_on();
  }
  void pass_on() {
    to_({text_.data(), text_.size()});
    text_.clear();
  }
  void begin_event() {
    print("{}\n", is_first_ ? "" : ",");
    is_first_ = false;
  }
  void write_name(std::string_view what, process_id process, std::int32_t thread, const std::string& name) {
    begin_event();
    print(R"({{"ph":"M","name":"{}","pid":{},"tid":{},"args":{{"name":{}}}}})", what, process, thread, json_text(name));
  }
  void write_names() {
    for (const auto& process : report_.processes) {
      const char* const end = process.life == shm::liveness::dead ? ", dead" : "";
      write_name("process_name", process.id, 0,
                 fmt::format("{} ({}, pid {}{})", process_name(process.id), process.program, process.who.pid, end));
      begin_event();
      print(R"({{"ph":"M","name":"process_sort_index","pid":{},"tid":0,"args":{{"sort_index":{}}}}})", process.id,
            process.id);
      std::set<std::int32_t> threads;
      for (const auto& event : process.events) threads.insert(event.thread);
      for (const std::int32_t thread : threads) {
        const bool is_main = thread == process.who.pid;
        write_name("thread_name", process.id, thread, is_main ? "main" : fmt::format("thread {}", thread));
      }
    }
  }
  /// Microseconds, to the nanosecond.
  static std::string microseconds(std::int64_t ns) { return fmt::format("{}.{:03}", ns / 1000, ns % 1000); }
  [[nodiscard]] std::string place_of(const trace_slice& slice) const {
    return fmt::format(R"("pid":{},"tid":{},"ts":{})", slice.process->id, slice.event->thread,
                       microseconds(slice.begin_ns - timeline_.begin_ns));
  }
  void write_slice(const trace_slice& slice) {
    const auto& e = *slice.event;
    const std::string object = object_of(*slice.process, e);
    std::string name = text_of(e);
    const char* category = "wait";
    std::string arguments;
    switch (e.kind) {
      case event_kind::put:
      case event_kind::take:
        category = "channel";
        name += ' ' + object;
        arguments = fmt::format(R"("channel":{},"ticket":{})", json_text(object), e.number);
        break;
      case event_kind::call:
        category = "call";
        name += ' ' + object;
        arguments = fmt::format(R"("function":{},"callee":{},"number":{})", json_text(object), e.peer, e.number);
        break;
      case event_kind::run_begin:
        category = "call";
        name = object;
        arguments = fmt::format(R"("function":{},"caller":{},"number":{},"threw":{})", json_text(object), e.peer,
                                e.number, slice.threw);
        break;
      case event_kind::answer:
        category = "call";
        arguments = fmt::format(R"("caller":{},"number":{})", e.peer, e.number);
        break;
      default: arguments = object.empty() ? "" : fmt::format(R"("object":{})", json_text(object)); break;
    }
    if (!slice.is_finished) arguments += fmt::format(R"({}"unfinished":true)", arguments.empty() ? "" : ",");
    begin_event();
    print(R"({{"ph":"X","cat":"{}","name":{},{},"dur":{},"args":{{{}}}}})", category, json_text(name), place_of(slice),
          microseconds(slice.end_ns - slice.begin_ns), arguments);
  }
  void write_end(const trace_slice& slice, char phase, std::size_t flow) {
    const bool is_call = slice.event->kind == event_kind::call || slice.event->kind == event_kind::run_begin;
    begin_event();
    print(R"({{"ph":"{}","cat":"{}","name":"{}","id":{},{}{}}})", phase, is_call ? "call" : "channel",
          is_call ? "call" : "item", flow + 1, place_of(slice), phase == 'f' ? R"(,"bp":"e")" : "");
  }

  text_sink to_;
  fmt::memory_buffer text_;
  const inspect::trace_report& report_;
  const inspect::trace_timeline& timeline_;
  bool is_first_ = true;
};

}  // namespace

std::string process_name(process_id id) { return id == kControlProcess ? "control" : fmt::format("worker {}", id); }

void write_trace_file(const std::string& path, bool replaces, const inspect::trace_report& report,
                      const inspect::trace_timeline& timeline) {
  if (path == "-") {
    const auto to_stdout = [](std::string_view text) { fmt::print("{}", text); };
    return event_writer(to_stdout, report, timeline).write();
  }
  shm::new_file file("write trace", path, replaces, kForceOverwrites);
  const auto to_file = [&file](std::string_view text) { file.write(std::as_bytes(std::span(text))); };
  event_writer(to_file, report, timeline).write();
  file.commit();
}

}  // namespace weir::command
