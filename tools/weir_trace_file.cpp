// SPDX-License-Identifier: BSL-1.0
#include "weir_trace_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <limits>
#include <memory>
#include <set>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include "weir_json.hpp"

namespace weir::command {
namespace {

using inspect::trace_slice;
using trace::event_kind;

struct close_file {
  void operator()(std::FILE* file) const noexcept { static_cast<void>(std::fclose(file)); }
};
using file_handle = std::unique_ptr<std::FILE, close_file>;

[[noreturn]] void fail(const std::string& path, std::string_view why) {
  throw std::runtime_error(fmt::format("trace: write \"{}\": {}", path, why));
}
std::string reason_of(int error) { return std::generic_category().message(error); }

std::string json_text(const std::string& text) {
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

/// One event a line, commas between them.
class event_writer {
 public:
  event_writer(std::FILE* to, const inspect::trace_report& report, const inspect::trace_timeline& timeline)
      : to_(to), report_(report), timeline_(timeline) {}

  void write() {
    fmt::print(to_, "{{\"displayTimeUnit\":\"ns\",\"otherData\":{{\"weir\":{},\"realm\":{}}},\"traceEvents\":[",
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
    fmt::print(to_, "\n]}}\n");
  }

 private:
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

  void begin_event() {
    fmt::print(to_, "{}\n", is_first_ ? "" : ",");
    is_first_ = false;
  }
  void write_name(std::string_view what, process_id process, std::int32_t thread, const std::string& name) {
    begin_event();
    fmt::print(to_, R"({{"ph":"M","name":"{}","pid":{},"tid":{},"args":{{"name":{}}}}})", what, process, thread,
               json_text(name));
  }
  void write_names() {
    for (const auto& process : report_.processes) {
      const char* const end = process.life == shm::liveness::dead ? ", dead" : "";
      write_name("process_name", process.id, 0,
                 fmt::format("{} ({}, pid {}{})", process_name(process.id), process.program, process.who.pid, end));
      begin_event();
      fmt::print(to_, R"({{"ph":"M","name":"process_sort_index","pid":{},"tid":0,"args":{{"sort_index":{}}}}})",
                 process.id, process.id);
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
    fmt::print(to_, R"({{"ph":"X","cat":"{}","name":{},{},"dur":{},"args":{{{}}}}})", category, json_text(name),
               place_of(slice), microseconds(slice.end_ns - slice.begin_ns), arguments);
  }
  void write_end(const trace_slice& slice, char phase, std::size_t flow) {
    const bool is_call = slice.event->kind == event_kind::call || slice.event->kind == event_kind::run_begin;
    begin_event();
    fmt::print(to_, R"({{"ph":"{}","cat":"{}","name":"{}","id":{},{}{}}})", phase, is_call ? "call" : "channel",
               is_call ? "call" : "item", flow + 1, place_of(slice), phase == 'f' ? R"(,"bp":"e")" : "");
  }

  std::FILE* to_;
  const inspect::trace_report& report_;
  const inspect::trace_timeline& timeline_;
  bool is_first_ = true;
};

}  // namespace

std::string process_name(process_id id) { return id == kControlProcess ? "control" : fmt::format("worker {}", id); }

void write_trace_file(const std::string& path, bool replaces, const inspect::trace_report& report,
                      const inspect::trace_timeline& timeline) {
  if (path == "-") return event_writer(stdout, report, timeline).write();
  struct stat info {};
  if (!replaces && ::lstat(path.c_str(), &info) == 0) fail(path, "it is there already (--force replaces it)");
  const std::string temporary = fmt::format("{}.{}.part", path, ::getpid());
  const int made = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  file_handle file(made < 0 ? nullptr : ::fdopen(made, "w"));
  if (!file) fail(path, reason_of(errno));
  const auto give_up = [&](std::string_view why) {
    ::unlink(temporary.c_str());
    fail(path, why);
  };
  try {
    event_writer(file.get(), report, timeline).write();
  } catch (const std::system_error& e) {
    give_up(e.what());
  }
  if (std::fflush(file.get()) != 0) give_up(reason_of(errno));
  file.reset();
  if (::rename(temporary.c_str(), path.c_str()) != 0) give_up(reason_of(errno));
}

}  // namespace weir::command
