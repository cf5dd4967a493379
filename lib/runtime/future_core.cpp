// SPDX-License-Identifier: BSL-1.0
#include "runtime/future_core.hpp"

#include <fmt/core.h>

#include <charconv>
#include <optional>
#include <utility>

#include "runtime/continuations.hpp"
#include "runtime/executor.hpp"
#include "runtime/remote_exception.hpp"
#include "weir/detail/crash_point.hpp"
#include "weir/error.hpp"
#include "weir/future.hpp"

namespace weir::detail {
namespace {

using runtime::member;
using runtime::result_place;

struct named_future {
  process_id owner = 0;
  result_place place;
};

/// `/future/OWNER/SLOT/GENERATION`
named_future parse(std::string_view reference) {
  named_future found;
  const auto number = [&](std::uint32_t& into) {
    if (!reference.starts_with('/')) return false;
    reference.remove_prefix(1);
    const auto [end, error] = std::from_chars(reference.data(), reference.data() + reference.size(), into);
    reference.remove_prefix(static_cast<std::size_t>(end - reference.data()));
    return error == std::errc();
  };
  const std::string_view whole = reference;
  if (reference.starts_with(kFutureReference)) {
    reference.remove_prefix(kFutureReference.size() - 1);
    if (number(found.owner) && number(found.place.slot) && number(found.place.generation) && reference.empty()) {
      return found;
    }
  }
  throw corrupt_segment(fmt::format("weir: receive a future: \"{}\" names none", whole));
}

/// The slot that a reference under way keeps from being used for anything else.
runtime::result_slot& slot_of(runtime::results_segment& segment, const named_future& name) {
  runtime::result_slot* slot = segment.find(name.place.slot);
  if (slot == nullptr || runtime::generation_of(slot->word.load(std::memory_order_acquire)) != name.place.generation) {
    throw not_found(
        fmt::format("weir: receive a future: the result is not there any more (of process {})", name.owner));
  }
  return *slot;
}

/// A small answer that an error certainly fits, whatever shared memory has left.
void store_error(runtime::results_segment& segment, result_place place, const std::exception_ptr& error,
                 runtime::result_phase phase) {
  const auto store = [&](const std::vector<std::byte>& bytes) {
    const std::span<const std::byte> part(bytes);
    segment.store(place, phase, {std::span(&part, 1), false});
  };
  try {
    store(runtime::encode_exception(error));
  } catch (const no_space&) {
    store(runtime::encode_exception(error, runtime::kSmallResult));
  }
}

}  // namespace

future_core::~future_core() {
  if (self_->is_forked()) return;  // the reference is the parent's
  WEIR_CRASH_POINT("future.dropping");
  slot().references.fetch_sub(1, std::memory_order_seq_cst);
  WEIR_CRASH_POINT("future.dropped");
  if (kind_ == reference::first) self_->results().let_go(place_.slot);
}

std::string future_core::send() const {
  slot().references.fetch_add(1, std::memory_order_seq_cst);
  WEIR_CRASH_POINT("future.referenced");
  return fmt::format("{}{}/{}/{}", kFutureReference, segment_->owner(), place_.slot, place_.generation);
}

future_handle new_future(const std::shared_ptr<member>& self, process_id callee) {
  const result_place place = self->results().set_aside(callee);
  return std::make_shared<future_core>(self, self->results().segment(), place, future_core::reference::first);
}

void pin_future(std::string_view reference) {
  const named_future name = parse(reference);
  const auto segment = member::current_or_throw("send a future")->results_of(name.owner);
  slot_of(*segment, name).references.fetch_add(1, std::memory_order_seq_cst);
  WEIR_CRASH_POINT("future.pinned");
}

void unpin_future(std::string_view reference) noexcept {
  try {
    const named_future name = parse(reference);
    const auto self = member::current();
    if (!self) return;
    const auto segment = self->results_of(name.owner);
    slot_of(*segment, name).references.fetch_sub(1, std::memory_order_seq_cst);
    WEIR_CRASH_POINT("future.unpinned");
  } catch (const std::exception&) {
    // The process that waits for the result has gone, and its results with it.
  }
}

std::string reference_to(const future_handle& future) {
  check_valid(future);
  return future->send();
}

future_handle attach_future(std::string_view reference) {
  const named_future name = parse(reference);
  const auto self = member::current_or_throw("receive a future");
  auto segment = self->results_of(name.owner);
  slot_of(*segment, name).references.fetch_add(1, std::memory_order_seq_cst);
  WEIR_CRASH_POINT("future.referenced");
  return std::make_shared<future_core>(self, std::move(segment), name.place, future_core::reference::added);
}

void check_valid(const future_handle& future) {
  if (!future) throw invalid_argument("weir: future: it refers to nothing (it was made empty, or moved from)");
  if (future->self().is_forked()) {
    throw invalid_argument("weir: future: this handle came through fork() and is not valid here");
  }
}

bool is_settled(const future_handle& future) noexcept { return future->is_settled(); }

bool wait_settled(const future_handle& future, deadline until) {
  try {
    return future->wait(until);
  } catch (const worker_died&) {
    return true;  // as much as will ever be known
  }
}

// ------------------------------------------------------------------------------------------------------------ reading

struct result_bytes::hold {
  std::optional<runtime::mapped_blob> blob;
};

result_bytes::result_bytes(future_handle future) : future_(std::move(future)) {
  check_valid(future_);
  static_cast<void>(future_->wait(deadline::never()));
  runtime::answer found = future_->segment().read(future_->place());
  switch (found.phase) {
    case runtime::result_phase::failed: runtime::throw_remote(future_->callee(), found.bytes);
    case runtime::result_phase::passed_on: runtime::throw_same(found.bytes);
    default: break;
  }
  body_ = split_references(found.bytes, found.has_references).body;
  if (found.blob) hold_ = std::make_unique<hold>(hold{std::move(found.blob)});
}

result_bytes::~result_bytes() = default;

// ---------------------------------------------------------------------------------------------------------- promising

future_handle make_promise() {
  const auto self = member::current_or_throw("make a future");
  return new_future(self, self->id());
}

void fulfil(const future_handle& promise, encoder& value) {
  if (promise->segment().store(promise->place(), runtime::result_phase::ready, value.item())) value.sent();
  promise->self().table().signal_completion();
}

void fail(const future_handle& promise, const std::exception_ptr& error, bool from_future) noexcept {
  const auto phase = from_future ? runtime::result_phase::passed_on : runtime::result_phase::failed;
  try {
    store_error(promise->segment(), promise->place(), error, phase);
    promise->self().table().signal_completion();
  } catch (const std::exception&) {
    // Not even memory to encode the error with: get() will say that this process did not answer when it ends.
  }
}

void when_settled(std::vector<future_handle> futures, settled which, run where, std::function<void()> action) {
  const auto self = member::current_or_throw("wait for futures");
  std::function<void()> start = std::move(action);
  if (where == run::as_call) {
    start = [runner = &self->runner(), task = std::move(start)] { runner->submit(task); };
  }
  self->watcher().add(std::move(futures), which, std::move(start));
}

future<std::size_t> first_settled(std::vector<future_handle> futures) {
  if (futures.empty()) throw invalid_argument("weir: when_any: there is nothing to wait for");
  for (const future_handle& each : futures) check_valid(each);
  future_handle promise = make_promise();
  when_settled(futures, settled::any, run::at_once, [promise, futures] {
    pass_on<std::size_t>(promise, [&] {
      std::size_t index = 0;
      while (index + 1 < futures.size() && !is_settled(futures[index])) ++index;
      return index;
    });
  });
  return future_access::make<std::size_t>(std::move(promise));
}

}  // namespace weir::detail
