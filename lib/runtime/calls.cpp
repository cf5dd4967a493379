// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>

#include <charconv>
#include <chrono>
#include <optional>
#include <ostream>
#include <utility>
#include <vector>

#include "runtime/blob.hpp"
#include "runtime/call_layout.hpp"
#include "runtime/code_address.hpp"
#include "runtime/future_core.hpp"
#include "runtime/peer.hpp"
#include "runtime/tracing.hpp"
#include "segment/names.hpp"
#include "sync/blocking.hpp"
#include "weir/detail/crash_point.hpp"
#include "weir/error.hpp"
#include "weir/worker.hpp"

namespace weir {

namespace runtime {
namespace {

/// So long a full inbox is waited for before looking whether its owner lives.
constexpr std::chrono::milliseconds kLookAfter{100};

std::string operation_on(process_id id) { return fmt::format("call on worker {}", id); }

/// Waits until a worker that is being started runs. Throws worker_died.
void wait_until_running(member& self, process_id id) {
  session_table& table = self.table();
  sync::blocking_scope scope({.what = sync::wait_kind::worker_start, .number = id, .process = id});
  for (;;) {
    const process_entry* entry = table.find(id);
    if (entry == nullptr || table.is_gone(id)) throw make_worker_died(operation_on(id), id, table.report_of(id));
    // Pairs with the release in set_running(): its inbox is there.
    if (entry->state.load(std::memory_order_acquire) == worker_state::running) return;
    const std::uint32_t seen = table.header().workers.prepare();
    if (entry->state.load(std::memory_order_acquire) != worker_state::starting) continue;
    scope.about_to_sleep();
    table.header().workers.sleep(seen, std::chrono::steady_clock::now() + sync::kLongestSleep);
  }
}

/// Why a worker's inbox is closed, or gone: it has ended, and how is known soon.
[[noreturn]] void throw_ended(member& self, process_id id) {
  death_watch watch(self.table(), id);
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  for (;;) {
    const std::uint32_t seen = self.table().header().workers.prepare();
    if (const auto report = watch.ended()) throw make_worker_died(operation_on(id), id, *report);
    if (std::chrono::steady_clock::now() >= give_up) throw make_worker_died(operation_on(id), id, {});
    self.table().header().workers.sleep(seen, give_up);
  }
}

detail::core_handle inbox_of(member& self, link& to) {
  const std::scoped_lock lock(to.mutex);
  if (to.inbox) return to.inbox;
  wait_until_running(self, to.id);
  try {
    to.inbox = to.id == self.id() ? self.inbox() : detail::attach(inbox_name(to.id), inbox_type());
  } catch (const not_found&) {
    throw_ended(self, to.id);
  }
  return to.inbox;
}

/// Puts a message into an inbox, however long that is full, as long as its owner lives.
void put_message(member& self, const link& to, const detail::core_handle& inbox, const detail::payload& message) {
  death_watch owner(self.table(), to.id);
  std::optional<sync::noted_wait> noted;
  try {
    while (!detail::put(*inbox, message, detail::deadline::after(kLookAfter))) {
      if (!noted) noted.emplace(sync::wait_note{.what = sync::wait_kind::inbox, .process = to.id});
      if (const auto report = owner.ended()) throw make_worker_died(operation_on(to.id), to.id, *report);
    }
  } catch (const channel_closed&) {
    throw_ended(self, to.id);
  }
  // If the owner ends right now, the message is drained from its inbox, and the future finds out that nobody answers.
}

/// A message before it is put: the header and what follows it, up to the arguments.
class message_front {
 public:
  message_front(call_header header, const code_address& trampoline, const code_address& function,
                std::string_view blob_name) {
    header.trampoline = trampoline.offset;
    header.function = function.offset;
    header.trampoline_module_bytes = static_cast<std::uint32_t>(trampoline.module.size());
    header.function_module_bytes = static_cast<std::uint32_t>(function.module.size());
    header.blob_bytes = static_cast<std::uint32_t>(blob_name.size());
    append(&header, sizeof header);
    for (const std::string_view text : {trampoline.module, function.module, blob_name})
      append(text.data(), text.size());
    if (const std::size_t over = bytes_.size() % detail::kValueAlignment; over != 0) {
      bytes_.resize(bytes_.size() + detail::kValueAlignment - over);
    }
  }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

 private:
  void append(const void* from, std::size_t count) {
    const auto* begin = static_cast<const std::byte*>(from);
    bytes_.insert(bytes_.end(), begin, begin + count);
  }
  std::vector<std::byte> bytes_;
};

void send(const detail::peer_handle& to, const detail::call_target& target, detail::encoder& arguments,
          std::optional<result_place> place) {
  member& self = *to->self();
  link& there = to->link();
  // An inbox known from before stays open until it has been emptied, which is a little after its owner is known to be gone.
  if (there.seen_dead.load(std::memory_order_relaxed) || self.table().is_gone(there.id)) throw_ended(self, there.id);
  const code_address trampoline = name_code(reinterpret_cast<const void*>(target.code));
  const code_address function = target.function != nullptr ? name_code(target.function) : code_address{};
  const detail::payload item = arguments.item();
  call_header header;
  header.caller = self.id();
  if (place) {
    header.slot = place->slot;
    header.generation = place->generation;
  }
  header.arguments_bytes = total_bytes(item.parts);
  header.has_references = item.has_references ? 1 : 0;
  header.trace_number =
      trace_call(there.id, target.function != nullptr ? target.function : reinterpret_cast<const void*>(target.code));

  const detail::core_handle inbox = inbox_of(self, there);
  const message_front front(header, trampoline, function, {});
  if (front.bytes().size() + header.arguments_bytes <= detail::max_item_bytes(*inbox)) {
    std::vector<std::span<const std::byte>> parts{front.bytes()};
    parts.insert(parts.end(), item.parts.begin(), item.parts.end());
    put_message(self, there, inbox, {parts, item.has_references});
  } else {
    const std::string name = fmt::format("{}{}.{}", arguments_blob_prefix(there.id), self.id(), self.next_blob());
    write_blob(operation_on(there.id), name, item.parts);
    WEIR_CRASH_POINT("call.blob.written");
    const message_front with_name(header, trampoline, function, name);
    const std::span<const std::byte> only = with_name.bytes();
    try {
      put_message(self, there, inbox, {std::span(&only, 1), false});
    } catch (...) {
      remove_blob(name);
      throw;
    }
  }
  WEIR_CRASH_POINT("call.sent");
  arguments.sent();
}

}  // namespace

std::string arguments_blob_prefix(process_id callee) { return shm::own_name(fmt::format("blob.call.{}.", callee)); }

bool send_end(member& self, process_id to, detail::deadline until) {
  call_header header;
  header.kind = message_kind::end;
  header.caller = self.id();
  const std::span<const std::byte> bytes = std::as_bytes(std::span(&header, 1));
  try {
    const auto there = self.link_to(to);
    return detail::put(*inbox_of(self, *there), {std::span(&bytes, 1), false}, until);
  } catch (const channel_closed&) {
    return true;
  } catch (const worker_died&) {
    return true;
  }
}

}  // namespace runtime

namespace detail {
namespace {

void check_refers_to_a_process(const peer_handle& to) {
  if (!to) throw invalid_argument("weir: call: this worker handle refers to no process");
  if (to->self()->is_forked()) {
    throw invalid_argument("weir: call: this worker handle came through fork() and is not valid here");
  }
}

}  // namespace

peer_handle find_peer(process_id id) {
  const auto self = runtime::member::current_or_throw(fmt::format("worker {}", id));
  if (!self->table().was_used(id)) {
    throw not_found(fmt::format("weir: worker {}: the session never had a process of that number", id));
  }
  return std::make_shared<peer>(self, self->link_to(id));
}

process_id id_of(const peer_handle& to) noexcept { return to ? to->id() : 0; }

bool is_alive(const peer_handle& to) noexcept {
  if (!to) return false;
  const runtime::session_table& table = to->self()->table();
  const runtime::process_entry* entry = table.find(to->id());
  if (entry == nullptr || table.is_gone(to->id())) return false;
  const bool running = entry->state.load(std::memory_order_acquire) == runtime::worker_state::running;
  if (!running || shm::look(entry->who) != shm::liveness::dead) return true;
  to->link().seen_dead.store(true, std::memory_order_relaxed);
  return false;
}

future_handle send_call(const peer_handle& to, const call_target& target, encoder& arguments) {
  check_refers_to_a_process(to);
  future_handle answer = new_future(to->self(), to->id());
  try {
    runtime::send(to, target, arguments, answer->place());
  } catch (...) {
    // Nobody will write to it: else it would not be used again before the worker's end.
    answer->slot().word.store(runtime::make_word(runtime::result_phase::failed, answer->place().generation),
                              std::memory_order_release);
    throw;
  }
  return answer;
}

void send_post(const peer_handle& to, const call_target& target, encoder& arguments) {
  check_refers_to_a_process(to);
  runtime::send(to, target, arguments, std::nullopt);
}

const item_type& handle_traits<worker>::type() {
  static const item_type kType{
      .name = "weir::worker", .hash = hash_of("weir::worker"), .kind = item_kind::handle, .element_name = {}};
  return kType;
}
std::string handle_traits<worker>::reference(const worker& handle) { return fmt::format("/worker/{}", handle.id()); }
worker handle_traits<worker>::attach(std::string_view reference) {
  constexpr std::string_view kBegin = "/worker/";
  process_id id = 0;
  if (reference.starts_with(kBegin)) {
    reference.remove_prefix(kBegin.size());
    std::from_chars(reference.data(), reference.data() + reference.size(), id);
  }
  return id == 0 ? worker() : worker(id);
}

}  // namespace detail

std::ostream& operator<<(std::ostream& out, const worker& w) { return out << "worker " << w.id(); }

}  // namespace weir
