// SPDX-License-Identifier: BSL-1.0
#include <exception>
#include <string_view>
#include <utility>

#include "runtime/code_address.hpp"
#include "runtime/peer.hpp"
#include "runtime/remote_exception.hpp"
#include "runtime/session_table.hpp"
#include "weir/codec.hpp"
#include "weir/detail/channel_core.hpp"
#include "weir/detail/map_core.hpp"
#include "weir/detail/reduce_items.hpp"
#include "weir/error.hpp"

namespace weir::detail {
namespace {

/// A call that runs on the thread that makes it.
// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): final, and never deleted through its base
class call_here_now final : public incoming_call {
 public:
  call_here_now(const call_target& target, const encoder& arguments)
      : function_(target.function), arguments_(arguments.body()) {}
  [[nodiscard]] const void* function() const noexcept override { return function_; }
  [[nodiscard]] std::span<const std::byte> arguments() const override { return arguments_; }
  void arguments_taken() override { arguments_ = {}; }
  [[nodiscard]] bool wants_result() const noexcept override { return true; }
  void give_result(encoder& value) override {
    body = value.body();
    references = value.release_references();
  }

  std::vector<std::byte> body;
  std::vector<std::string> references;

 private:
  const void* function_;
  std::vector<std::byte> arguments_;
};

}  // namespace

void encode_error(encoder& to, const std::exception_ptr& error) {
  const std::vector<std::byte> bytes = runtime::encode_exception(error);
  to.write(bytes.data(), bytes.size());
}

std::exception_ptr decode_error(std::span<const std::byte> body, process_id from) {
  try {
    runtime::throw_remote(from, body);
  } catch (...) {
    return std::current_exception();
  }
}

void encode_code(encoder& to, const void* function) {
  if (function == nullptr) return;
  const runtime::code_address code = runtime::name_code(function);
  to.write(&code.offset, sizeof code.offset);
  to.write(code.module.data(), code.module.size());
}

const void* decode_code(std::span<const std::byte> body) {
  constexpr std::size_t kOffsetBytes = sizeof(std::uint64_t);
  if (body.size() < kOffsetBytes) throw corrupt_segment("weir: receive a reduction: its operation is cut off");
  runtime::code_address code;
  code.offset = codec<std::uint64_t>::decode(body.first(kOffsetBytes));
  code.module = {reinterpret_cast<const char*>(body.data()) + kOffsetBytes, body.size() - kOffsetBytes};
  return runtime::find_code(code);
}

answer_here::answer_here(const call_target& target, encoder& arguments) {
  call_here_now call(target, arguments);
  try {
    target.code(call);
  } catch (...) {
    runtime::throw_remote(kControlProcess, runtime::encode_exception(std::current_exception()));
  }
  body_ = std::move(call.body);
  references_ = std::move(call.references);
}

answer_here::~answer_here() {
  for (const std::string& reference : references_) unpin(reference);
}

std::vector<peer_handle> running_peers() {
  const auto self = runtime::member::current_or_throw("reduce");
  const runtime::session_table& table = self->table();
  std::vector<peer_handle> found;
  const process_id end = table.header().next_id.load(std::memory_order_acquire);
  for (process_id id = kControlProcess + 1; id < end; ++id) {
    const runtime::process_entry* entry = table.find(id);
    if (entry == nullptr || entry->told_to_end.load(std::memory_order_relaxed) != 0) continue;
    if (entry->state.load(std::memory_order_acquire) == runtime::worker_state::running) found.push_back(find_peer(id));
  }
  return found;
}

void part_calls::send(encoder& arguments) {
  part next;
  try {
    if (workers_.empty()) {
      next.here = std::make_unique<answer_here>(target_, arguments);
    } else {
      next.answer = send_call(workers_[parts_.size()], target_, arguments);
    }
  } catch (...) {
    next.error = std::current_exception();
  }
  parts_.push_back(std::move(next));
}

}  // namespace weir::detail
