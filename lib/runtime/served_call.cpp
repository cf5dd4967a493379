// SPDX-License-Identifier: BSL-1.0
#include "runtime/served_call.hpp"

#include <fmt/core.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <optional>
#include <span>
#include <string_view>

#include "runtime/blob.hpp"
#include "runtime/call_layout.hpp"
#include "runtime/code_address.hpp"
#include "runtime/member.hpp"
#include "runtime/remote_exception.hpp"
#include "runtime/run_note.hpp"
#include "runtime/tracing.hpp"
#include "trace/recorder.hpp"
#include "weir/detail/crash_point.hpp"
#include "weir/detail/payload.hpp"
#include "weir/detail/session_core.hpp"
#include "weir/error.hpp"

namespace weir::runtime {
namespace {

/// A message taken apart. Everything points into it. Throws corrupt_segment if it is not what a caller sends.
struct message_parts {
  call_header header;
  code_address trampoline;
  code_address function;
  std::string_view blob_name;
  std::span<const std::byte> arguments;  // nothing if they lie in a blob

  explicit message_parts(std::span<const std::byte> bytes) {
    const std::size_t whole = bytes.size();
    const auto need = [&](std::size_t count) {
      if (bytes.size() < count)
        throw corrupt_segment(fmt::format("weir: receive a call: it is cut off at {} bytes", whole));
    };
    const auto text = [&](std::uint32_t count) {
      need(count);
      const std::string_view found(reinterpret_cast<const char*>(bytes.data()), count);
      bytes = bytes.subspan(count);
      return found;
    };
    need(sizeof header);
    std::memcpy(&header, bytes.data(), sizeof header);
    bytes = bytes.subspan(sizeof header);
    trampoline = {text(header.trampoline_module_bytes), header.trampoline};
    function = {text(header.function_module_bytes), header.function};
    blob_name = text(header.blob_bytes);
    if (!blob_name.empty()) return;
    const std::size_t over = (whole - bytes.size()) % detail::kValueAlignment;
    if (over != 0) text(static_cast<std::uint32_t>(detail::kValueAlignment - over));
    need(header.arguments_bytes);
    arguments = bytes.first(header.arguments_bytes);
  }
};

/// A call while it runs here.
// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): final, and never deleted through its base
class served_call final : public detail::incoming_call {
 public:
  served_call(member& self, detail::taken_item message, output_gate* gate, run_entry* noted_in)
      : self_(self), message_(std::move(message)), gate_(gate), noted_in_(noted_in) {}
  served_call(const served_call&) = delete;
  served_call& operator=(const served_call&) = delete;
  ~served_call() { arguments_taken(); }

  void run() {
    parts_.emplace(message_.bytes());
    header_ = parts_->header;  // from here on it is known who is to hear of an error
    if (!parts_->blob_name.empty()) {
      blob_.emplace("receive a call", parts_->blob_name, parts_->header.arguments_bytes);
      WEIR_CRASH_POINT("call.blob.opened");
      blob_->remove();  // mapped here, and nobody else wants it
      WEIR_CRASH_POINT("call.blob.removed");
    }
    const void* code = find_code(parts_->trampoline);
    if (header_.function != 0) function_ = find_code(parts_->function);
    const std::string_view module = header_.function != 0 ? parts_->function.module : parts_->trampoline.module;
    note_run(noted_in_,
             {header_.function, header_.trampoline, header_.caller, header_.slot, header_.generation, module});
    is_traced_ = trace_run(header_.caller, header_.trace_number, function_ != nullptr ? function_ : code);
    reinterpret_cast<detail::trampoline>(const_cast<void*>(code))(*this);
  }

  /// Stores or prints what run() threw.
  void fail(const std::exception_ptr& error) {
    arguments_taken();
    if (header_.slot == kNoSlot) {
      fmt::print(stderr, "weir: worker {}: a posted call threw {}\n", self_.id(), describe(error));
      settle_output();
      return;
    }
    settle_output();
    const auto store = [&](const std::vector<std::byte>& bytes) {
      const std::span<const std::byte> part(bytes);
      store_answer(result_phase::failed, {std::span(&part, 1), false});
    };
    try {
      store(encode_exception(error));
    } catch (const no_space&) {
      store(encode_exception(error, kSmallResult));
    }
  }

  void trace_end(bool threw) const noexcept {
    if (!is_traced_) return;
    trace::record({.kind = trace::event_kind::run_end,
                   .number = header_.trace_number,
                   .object = reinterpret_cast<std::uintptr_t>(function_),
                   .peer = header_.caller,
                   .detail = static_cast<std::uint8_t>(threw)});
  }

  /// Somebody waits for an answer that has not been given.
  [[nodiscard]] bool is_awaited() const noexcept { return header_.slot != kNoSlot; }
  [[nodiscard]] const void* function() const noexcept override { return function_; }
  [[nodiscard]] std::span<const std::byte> arguments() const override {
    return detail::split_references(argument_bytes(), header_.has_references != 0).body;
  }
  void arguments_taken() noexcept override {
    if (!parts_) return;
    if (header_.has_references != 0) {
      try {
        detail::release_references(argument_bytes());
      } catch (const std::exception&) {
        // Nonsense where references should be: there is nothing to take back.
      }
    }
    parts_.reset();
    blob_.reset();
    message_ = {};
  }
  [[nodiscard]] bool wants_result() const noexcept override { return header_.slot != kNoSlot; }
  void give_result(detail::encoder& value) override {
    settle_output();
    if (header_.slot == kNoSlot) return;
    if (store_answer(result_phase::ready, value.item())) value.sent();
  }

 private:
  [[nodiscard]] std::span<const std::byte> argument_bytes() const { return blob_ ? blob_->bytes() : parts_->arguments; }
  void settle_output() noexcept {
    if (gate_ != nullptr) gate_->settle();
  }
  bool store_answer(result_phase phase, const detail::payload& bytes) {
    std::shared_ptr<results_segment> to;
    try {
      to = self_.results_of(header_.caller);
    } catch (const not_found&) {
      return false;  // the caller has gone, and what it waited for with it
    }
    // Before the caller can see it.
    trace::note({.kind = trace::event_kind::answer, .number = header_.trace_number, .peer = header_.caller});
    const bool wanted = to->store({header_.slot, header_.generation}, phase, bytes);
    WEIR_CRASH_POINT("call.answered");
    self_.table().signal_completion();
    return wanted;
  }

  member& self_;
  detail::taken_item message_;
  output_gate* gate_;
  run_entry* noted_in_;
  call_header header_;
  std::optional<message_parts> parts_;  // until arguments_taken()
  std::optional<mapped_blob> blob_;
  const void* function_ = nullptr;
  bool is_traced_ = false;  // its begin is in the trace
};

}  // namespace

served kind_of_message(const detail::taken_item& message) noexcept {
  message_kind kind = message_kind::call;
  if (message.bytes().size() >= sizeof(call_header)) std::memcpy(&kind, message.bytes().data(), sizeof kind);
  return kind == message_kind::end ? served::end : served::call;
}

void serve_call(member& self, detail::taken_item message, output_gate* gate, run_entry* noted_in) noexcept {
  served_call call(self, std::move(message), gate, noted_in);
  try {
    try {
      call.run();
      call.trace_end(/*threw=*/false);
    } catch (...) {
      call.trace_end(/*threw=*/true);
      call.fail(std::current_exception());
    }
  } catch (const std::exception& e) {
    fmt::print(stderr, "weir: worker {}: the answer to a call is lost: {}\n", self.id(), e.what());
    // Whoever waits for it would wait for ever; the end of this worker they are told of.
    if (call.is_awaited() && self.id() != kControlProcess) std::_Exit(kExitCannotServe);
  }
}

void drop_message(const detail::taken_item& message) noexcept {
  try {
    const message_parts parts(message.bytes());
    if (parts.header.has_references == 0) return;
    if (parts.blob_name.empty()) {
      detail::release_references(parts.arguments);
    } else {
      const mapped_blob blob("drop a call", parts.blob_name, parts.header.arguments_bytes);
      detail::release_references(blob.bytes());
    }
  } catch (const std::exception&) {
    // Not what a caller sends, or its blob is gone: it keeps nothing alive.
  }
}

}  // namespace weir::runtime
