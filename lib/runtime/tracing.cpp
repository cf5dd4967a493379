// SPDX-License-Identifier: BSL-1.0
#include "runtime/tracing.hpp"

#include <fmt/core.h>
#include <sys/mman.h>

#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include "channel/attach.hpp"
#include "runtime/function_name.hpp"
#include "runtime/leftovers.hpp"
#include "segment/names.hpp"
#include "segment/segment.hpp"
#include "sync/blocking.hpp"
#include "trace/recorder.hpp"
#include "weir/detail/crash_point.hpp"
#include "weir/error.hpp"

namespace weir::runtime {
namespace {

/// This process's view of the switch; a page of its own, since the session's table may be unmapped while the thread that looks
/// at the switch runs on.
struct switch_view {
  process_id self = 0;
  const session_header* header = nullptr;  // null: no session
  std::uint32_t obeyed = 0;
  bool has_complained = false;
};
switch_view g_view;

constexpr bool says_on(std::uint32_t word) noexcept { return word % 2 != 0; }

std::uint64_t key_of(const void* code) noexcept { return reinterpret_cast<std::uintptr_t>(code); }

void name_function(const void* code) noexcept {
  if (!trace::is_unnamed(trace::name_kind::function, key_of(code))) return;
  try {
    std::string name = function_name(code);
    // The end says more than the beginning.
    constexpr std::size_t kMost = sizeof(trace::name_entry::text);
    constexpr std::string_view kCut = "…";
    if (name.size() > kMost) name.replace(0, name.size() - kMost + kCut.size(), kCut);
    trace::name(trace::name_kind::function, key_of(code), name);
  } catch (const std::exception&) {
    // No memory: it stays a number.
  }
}

const sync::wait_observer kObserver{
    .begins =
        [](sync::wait_kind what, std::uint64_t object) noexcept {
          return trace::is_on() && trace::record({.kind = trace::event_kind::wait_begin,
                                                  .object = object,
                                                  .detail = static_cast<std::uint8_t>(what)});
        },
    .ends =
        [](sync::wait_kind what, std::uint64_t object) noexcept {
          trace::record(
              {.kind = trace::event_kind::wait_end, .object = object, .detail = static_cast<std::uint8_t>(what)});
        }};

/// Older traces of this user's, whose processes are dead, make room for this one.
void remove_dead_traces() { sweep({.chooses = trace::is_trace_name, .releases = false}); }

void begin() {
  try {
    if (g_view.self == kControlProcess) remove_dead_traces();
    sync::set_wait_observer(kObserver);
    trace::start(g_view.self);
  } catch (const std::exception& e) {
    if (!g_view.has_complained) fmt::print(stderr, "{} (process {} is not traced)\n", e.what(), g_view.self);
    g_view.has_complained = true;
  }
}

}  // namespace

void join_trace(process_id self) noexcept {
  try {
    const auto table = shm::look_at_segment("trace", shm::own_name("session"), shm::access::read);
    void* const page = ::mmap(nullptr, shm::kPage, PROT_READ, MAP_SHARED, table.file.get(), kSessionHeaderOffset);
    if (page == MAP_FAILED) return;
    g_view = {.self = self, .header = static_cast<const session_header*>(page)};
  } catch (const std::exception&) {
    return;  // the session is over, or there is no memory: what follows finds that out too
  }
  follow_trace_switch();
}

void follow_trace_switch() noexcept {
  if (g_view.header == nullptr) return;
  const std::uint32_t word = g_view.header->tracing.load(std::memory_order_acquire);  // pairs with switch_trace()
  if (word == g_view.obeyed) return;
  g_view.obeyed = word;
  if (says_on(word)) {
    begin();
  } else {
    trace::stop();
  }
  try {
    detail::follow_tracing();
  } catch (const std::exception&) {
    // No memory for the names of the channels: they stay numbers.
  }
  trace::say_followed(word);
}

void leave_trace() noexcept {
  if (g_view.header == nullptr) return;
  trace::leave();
  try {
    detail::follow_tracing();
  } catch (const std::exception&) {
    // Nothing is named now, and nothing fails.
  }
  ::munmap(const_cast<session_header*>(g_view.header), shm::kPage);
  g_view = {};
}

switched switch_trace(session_header& header, bool on) noexcept {
  std::uint32_t word = header.tracing.load(std::memory_order_acquire);
  do {
    if (says_on(word) == on) return {word, true};
  } while (!header.tracing.compare_exchange_weak(word, word + 1, std::memory_order_acq_rel));
  WEIR_CRASH_POINT("trace.switched");
  return {word + 1, false};
}

switched switch_trace_of(std::string_view realm, bool on) {
  const shm::segment table = shm::segment::open(on ? "start the trace of session" : "stop the trace of session",
                                                fmt::format("@{}.session", realm), shm::object_kind::session);
  if (table.bytes() != kSessionFileBytes) {
    throw corrupt_segment(fmt::format("weir: trace session \"{}\": the table has {} bytes, {} expected", table.name(),
                                      table.bytes(), kSessionFileBytes));
  }
  return switch_trace(*table.at<session_header>(kSessionHeaderOffset), on);
}

std::uint64_t trace_call(process_id callee, const void* code) noexcept {
  const std::uint64_t number = trace::next_call();
  if (number == 0) return 0;
  name_function(code);
  trace::record({.kind = trace::event_kind::call, .number = number, .object = key_of(code), .peer = callee});
  return number;
}

bool trace_run(process_id caller, std::uint64_t number, const void* code) noexcept {
  if (!trace::is_on()) return false;
  name_function(code);
  return trace::record(
      {.kind = trace::event_kind::run_begin, .number = number, .object = key_of(code), .peer = caller});
}

}  // namespace weir::runtime
