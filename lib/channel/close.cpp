// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>
#include <sys/wait.h>

#include <atomic>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include "channel/attach.hpp"
#include "channel/bound.hpp"
#include "channel/wait.hpp"
#include "weir/detail/crash_point.hpp"

namespace weir::channels {
namespace {

std::atomic<shm::process_identity (*)(process_id)> g_identity{nullptr};
std::atomic<std::optional<exit_report> (*)(process_id)> g_how_it_ended{nullptr};

}  // namespace

void set_worker_directory(worker_directory directory) noexcept {
  g_how_it_ended.store(directory.how_it_ended, std::memory_order_release);
  g_identity.store(directory.identity, std::memory_order_release);
}

shm::process_identity identity_of_worker(process_id id) {
  const auto ask = g_identity.load(std::memory_order_acquire);
  if (ask == nullptr) {
    throw not_in_session(fmt::format("weir: worker {}: this program has no session (make a weir::session first)", id));
  }
  return ask(id);
}

std::optional<exit_report> how_it_ended(process_id id) noexcept {
  const auto ask = g_how_it_ended.load(std::memory_order_acquire);
  return ask == nullptr ? std::nullopt : ask(id);
}

void close_channels_of(const shm::process_identity& who, const exit_report& report) noexcept {
  std::vector<std::string> names;
  try {
    names = shm::list_segments();
  } catch (const std::bad_alloc&) {
    return;  // whoever waits there finds out itself
  }
  for (const std::string& name : names) {
    try {
      if (!detail::is_bound_to(name, who)) continue;
      detail::attach_any(name)->close_bound_to(who, report);
    } catch (const std::exception&) {
      continue;  // gone meanwhile, damaged, or another user's: not ours to close
    }
  }
}

}  // namespace weir::channels

namespace weir::detail {

void channel_core::close(std::string_view reason) {
  check_usable();
  const locked lock(*this);
  close_locked(reason.empty() ? ch::closing::plain : ch::closing::reason, reason);
}

void channel_core::close_locked(ch::closing kind, std::string_view reason) {
  if (is_closed()) return;
  WEIR_CRASH_POINT("close.begin");
  header_->close_reason_bytes = static_cast<std::uint32_t>(reason.copy(header_->close_reason, ch::kMaxReason));
  WEIR_CRASH_POINT("close.reason");
  header_->closed.store(static_cast<std::uint32_t>(kind), std::memory_order_seq_cst);
  WEIR_CRASH_POINT("close.closed");
  rouse_everybody();
  WEIR_CRASH_POINT("close.roused");
}

void channel_core::close_for_end_of(const ch::binding_entry& binding, const exit_report& report) {
  if (is_closed()) return;
  header_->close_process = binding.process;
  header_->close_status_known = report.exit_status || report.signal ? 1 : 0;
  header_->close_status = report.signal ? *report.signal : W_EXITCODE(report.exit_status.value_or(0), 0);
  WEIR_CRASH_POINT("close.status");
  constexpr std::uint32_t kHost = 2;
  const bool ended_well = report.exit_status && *report.exit_status == 0;
  const std::string reason =
      ended_well ? std::string() : fmt::format("worker {} has ended ({})", binding.process, report.text());
  const auto otherwise = ended_well ? ch::closing::plain : ch::closing::reason;
  close_locked(binding.used == kHost ? ch::closing::host_ended : otherwise, reason);
}

void channel_core::close_bound_to(const shm::process_identity& who, const exit_report& report) {
  const locked lock(*this);
  for (const ch::binding_entry& binding : header_->bindings) {
    if (binding.used != 0 && binding.who == who) close_for_end_of(binding, report);
  }
}

void channel_core::bind(process_id process, const shm::process_identity& who, bool host) {
  check_usable();
  const locked lock(*this);
  for (ch::binding_entry& binding : header_->bindings) {
    if (binding.used != 0) {
      if (binding.who == who && !host) return;
      continue;
    }
    WEIR_CRASH_POINT("binding.begin");
    binding.who = who;
    binding.process = process;
    WEIR_CRASH_POINT("binding.written");
    std::atomic_ref<std::uint32_t>(binding.used).store(host ? 2U : 1U, std::memory_order_release);
    WEIR_CRASH_POINT("binding.used");
    return;
  }
  throw invalid_argument(
      fmt::format("weir: close channel \"{}\" when worker {} is gone: it is bound to {} processes already",
                  display_name(), process, ch::kBindings));
}

void channel_core::throw_closed(std::string_view operation) const {
  const auto kind = static_cast<ch::closing>(header_->closed.load(std::memory_order_seq_cst));
  const std::string reason(header_->close_reason, std::min<std::size_t>(header_->close_reason_bytes, ch::kMaxReason));
  if (kind == ch::closing::host_ended) {
    exit_report report;
    const int status = header_->close_status;
    if (header_->close_status_known != 0 && WIFSIGNALED(status)) report.signal = WTERMSIG(status);
    if (header_->close_status_known != 0 && WIFEXITED(status)) report.exit_status = WEXITSTATUS(status);
    throw worker_died(fmt::format("weir: {} \"{}\": worker {}, which it lived with, has ended ({})", operation,
                                  display_name(), header_->close_process, report.text()),
                      header_->close_process, report);
  }
  throw channel_closed(
      fmt::format("weir: {} \"{}\": it is closed{}{}", operation, display_name(), reason.empty() ? "" : ": ", reason),
      reason);
}

}  // namespace weir::detail
