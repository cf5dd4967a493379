// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>

#include "runtime/member.hpp"
#include "runtime/results.hpp"
#include "weir/detail/future_core.hpp"

namespace weir::detail {

/// One reference to an answer, shared by the handles of this process that were copied from each other.
class future_core {
 public:
  /// Whether the reference is the one that setting the slot aside gave, or one that was added for this.
  enum class reference { first, added };

  /// Takes the reference over.
  future_core(std::shared_ptr<runtime::member> self, std::shared_ptr<runtime::results_segment> segment,
              runtime::result_place place, reference kind) noexcept
      : self_(std::move(self)), segment_(std::move(segment)), place_(place), kind_(kind) {}
  future_core(const future_core&) = delete;
  future_core& operator=(const future_core&) = delete;
  ~future_core();

  [[nodiscard]] runtime::member& self() const noexcept { return *self_; }
  [[nodiscard]] runtime::results_segment& segment() const noexcept { return *segment_; }
  [[nodiscard]] runtime::result_slot& slot() const noexcept { return segment_->slot(place_.slot); }
  [[nodiscard]] runtime::result_place place() const noexcept { return place_; }
  [[nodiscard]] process_id callee() const noexcept { return slot().callee; }
  [[nodiscard]] bool wait(deadline until) const {
    return runtime::await_result(self_->table(), segment_->owner(), slot(), place_, until);
  }
  [[nodiscard]] bool is_settled() const noexcept { return runtime::is_settled(self_->table(), slot(), place_); }
  /// A name for it, with a reference added for the process that will attach by it.
  [[nodiscard]] std::string send() const;

 private:
  std::shared_ptr<runtime::member> self_;
  std::shared_ptr<runtime::results_segment> segment_;
  runtime::result_place place_;
  reference kind_;
};

/// Sets a slot aside for what `callee` will answer. Throws no_space.
[[nodiscard]] future_handle new_future(const std::shared_ptr<runtime::member>& self, process_id callee);

/// Adds or takes back the reference of a future under way.
void pin_future(std::string_view reference);
void unpin_future(std::string_view reference) noexcept;
/// Whether a reference names a future: it begins so. No segment's name has a '/' in it.
inline constexpr std::string_view kFutureReference = "/future/";

}  // namespace weir::detail
