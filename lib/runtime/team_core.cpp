// SPDX-License-Identifier: BSL-1.0
#include "runtime/team_core.hpp"

#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "runtime/remote_exception.hpp"
#include "runtime/team_sleep.hpp"
#include "weir/detail/crash_point.hpp"
#include "weir/error.hpp"

namespace weir::runtime {
namespace {

constexpr std::size_t kGiB = std::size_t{1} << 30U;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t kForStretches = 4 * kGiB;  // sanitizers keep shadow memory for all that is mapped
#else
constexpr std::size_t kForStretches = 256 * kGiB;
#endif

/// Address space for a stretch: ample, unless processes may use little of it. Memory is used only for what is written.
std::size_t plan_stretch(std::uint32_t size) {
  constexpr std::size_t kShareOfLimit = 16;
  std::size_t bytes = kForStretches;
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    bytes = std::min<std::size_t>(bytes, limit.rlim_cur / kShareOfLimit);
  }
  return std::clamp(bytes / (2 * std::size_t{size}) / shm::kPage * shm::kPage, shm::kPage, kMostStretchBytes);
}

}  // namespace

team_segment team_segment::create(const std::string& name, std::span<const process_id> processes) {
  if (processes.size() > kMostRanks) {
    throw invalid_argument(fmt::format("weir: spmd: {} ranks, at most {} are possible", processes.size(), kMostRanks));
  }
  team_segment made;
  made.size_ = static_cast<std::uint32_t>(processes.size());
  made.stretch_bytes_ = plan_stretch(made.size_);
  shm::segment_spec spec;
  spec.name = name;
  spec.kind = shm::object_kind::team;
  spec.where = my_id();
  spec.whence = my_id();
  made.segment_ = shm::segment::create(
      "make a team", spec, team_file_bytes(made.size_, made.stretch_bytes_), team_stretches_offset(made.size_),
      [&](shm::segment& segment) {
        auto* header = new (segment.base() + kTeamHeaderOffset) team_header{};
        header->size = made.size_;
        header->stretch_bytes = made.stretch_bytes_;
        for (std::size_t i = 0; i < processes.size(); ++i) {
          (new (segment.base() + kTeamRanksOffset + i * sizeof(team_rank)) team_rank{})->process = processes[i];
        }
      });
  return made;
}

team_segment team_segment::open(const std::string& name) {
  team_segment found;
  found.segment_ = shm::segment::open("join a team", name, shm::object_kind::team);
  const std::size_t bytes = found.segment_.bytes();
  if (bytes >= kTeamRanksOffset) {
    found.size_ = found.header().size;
    found.stretch_bytes_ = found.header().stretch_bytes;
  }
  if (!is_team_geometry(found.size_, found.stretch_bytes_, bytes)) {
    throw corrupt_segment(fmt::format("weir: join a team \"{}\": {} ranks with {} bytes each do not fit its {} bytes",
                                      name, found.size_, found.stretch_bytes_, bytes));
  }
  return found;
}

void team_segment::set_failed(team_failure how, std::uint32_t rank) const noexcept {
  std::uint32_t none = 0;
  WEIR_CRASH_POINT("team.failing");
  header().failed.compare_exchange_strong(none, static_cast<std::uint32_t>(how) << 16U | (rank + 1),
                                          std::memory_order_seq_cst);
  WEIR_CRASH_POINT("team.failed");
  header().event.signal();
}

std::string call_text(std::uint16_t operation, std::string_view type, std::uint32_t root) {
  constexpr std::array<const char*, 9> kNames{"",        "barrier", "broadcast",  "reduce",    "all_reduce",
                                              "scatter", "gather",  "all_gather", "all_to_all"};
  if (operation == 0 || operation >= kNames.size()) return fmt::format("operation {}", operation);
  std::string text = kNames[operation];
  if (!type.empty()) text += fmt::format("<{}>", type);
  return text + (root == detail::kNoRoot ? "()" : fmt::format("(root {})", root));
}

}  // namespace weir::runtime

namespace weir::detail {

using runtime::rank_state;
using runtime::team_failure;

team_core::team_core(runtime::team_segment segment, std::uint32_t rank)
    : segment_(std::move(segment)),
      rank_(rank),
      own_(segment_.rank(rank)),
      member_(runtime::member::current_or_throw("join a team")),
      inboxes_(segment_.size()) {
  WEIR_CRASH_POINT("team.entering");
  own_.who = shm::this_process();
  WEIR_CRASH_POINT("team.named");
  own_.state.store(rank_state::entered, std::memory_order_release);
  WEIR_CRASH_POINT("team.entered");
}

team_core::~team_core() {
  for (auto& pins : pins_) take_back(pins);
}

void team_core::take_back(std::vector<std::string>& pins) noexcept {
  for (const std::string& pin : pins) unpin(pin);
  pins.clear();
}

void team_core::throw_failure(std::uint32_t failed, const std::string& operation) const {
  const std::uint32_t rank = std::min(runtime::rank_in(failed), size() - 1);
  const runtime::team_rank& culprit = segment_.rank(rank);
  const std::string reason(culprit.reason, ::strnlen(culprit.reason, sizeof culprit.reason));
  switch (runtime::failure_in(failed)) {
    case team_failure::differs: throw invalid_argument("weir: " + reason);
    case team_failure::died: {
      const exit_report report = member_->table().report_of(culprit.process);
      throw worker_died(
          fmt::format("weir: {}: rank {}, worker {}, has ended: {}", operation, rank, culprit.process, report.text()),
          culprit.process, report);
    }
    default:
      throw error(errc::remote_error,
                  fmt::format("weir: {}: rank {}, worker {}, threw {}", operation, rank, culprit.process, reason));
  }
}

void team_core::set_reason(std::string_view reason) noexcept {
  if (std::exchange(has_reason_, true)) return;
  own_.reason[reason.copy(own_.reason, sizeof own_.reason - 1)] = '\0';
  WEIR_CRASH_POINT("team.reason");
}

void team_core::differs(const std::string& found) {
  set_reason(found);
  segment_.set_failed(team_failure::differs, rank_);
  throw invalid_argument("weir: " + found);
}

void team_core::leave() {
  wait_for_readers();
  WEIR_CRASH_POINT("team.leaving");
  own_.state.store(rank_state::left, std::memory_order_seq_cst);
  WEIR_CRASH_POINT("team.left");
  segment_.header().event.signal();
}

void team_core::fail(const std::exception_ptr& error) noexcept {
  try {
    if (segment_.header().failed.load(std::memory_order_acquire) == 0) {
      set_reason(runtime::describe(error));
      segment_.set_failed(team_failure::threw, rank_);
    }
  } catch (const std::exception&) {  // no memory for the text
    segment_.set_failed(team_failure::threw, rank_);
  }
  own_.state.store(rank_state::failed, std::memory_order_seq_cst);
  segment_.header().event.signal();
}

void team_core::wait_for_readers() {
  if (pinned_in_ == 0) return;
  std::vector<runtime::death_watch> watches = watch_all();
  const auto has_read = [&](std::uint32_t r) {
    const runtime::team_rank& other = segment_.rank(r);
    const rank_state state = other.state.load(std::memory_order_acquire);
    return r == rank_ || other.read_done.load(std::memory_order_acquire) >= pinned_in_ || state == rank_state::left ||
           state == rank_state::failed;
  };
  const auto is_over = [&] {
    if (segment_.header().failed.load(std::memory_order_acquire) != 0) return true;
    for (std::uint32_t r = 0; r < size(); ++r) {
      if (!has_read(r) && !watches[r].ended()) return false;
    }
    return true;
  };
  asleep sleeper(*this, runtime::rank_waits::others_to_read);
  sleeper.until(is_over);
}

// ------------------------------------------------------------------------------------------------------- free functions

team_handle enter_team(const std::string& name, std::uint32_t rank) {
  runtime::team_segment segment = runtime::team_segment::open(name);
  if (rank >= segment.size()) {
    throw corrupt_segment(
        fmt::format("weir: join a team \"{}\": it has {} ranks, no rank {}", name, segment.size(), rank));
  }
  return {new team_core(std::move(segment), rank), [](team_core* core) { delete core; }};
}

void leave_team(team_core& core) { core.leave(); }
void fail_team(team_core& core, const std::exception_ptr& error) noexcept { core.fail(error); }
void throw_team_differs(team_core& core, const std::string& found) { core.differs(found); }
std::uint32_t rank_of(const team_core& core) noexcept { return core.rank(); }
std::uint32_t size_of(const team_core& core) noexcept { return core.size(); }

void check_rank(const team_core& core, const char* operation, std::uint32_t rank) {
  if (rank < core.size()) return;
  throw invalid_argument(fmt::format("weir: {}: rank {} asked for, the team has ranks 0 to {}", operation,
                                     static_cast<std::int32_t>(rank), core.size() - 1));
}

process_id process_of(const team_core& core, std::uint32_t rank) {
  check_rank(core, "process", rank);
  return core.segment().rank(rank).process;
}

}  // namespace weir::detail
