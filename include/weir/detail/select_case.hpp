// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <optional>
#include <span>
#include <stop_token>
#include <utility>

#include "weir/detail/channel_core.hpp"
#include "weir/detail/futex_word.hpp"

/// The untyped select: what weir::select stands on.
namespace weir::detail {

/// One thing that a select may do, once.
class select_case {
 public:
  enum class kind { take, put, ready };

  select_case(const select_case&) = delete;
  select_case& operator=(const select_case&) = delete;
  virtual ~select_case() = default;
  [[nodiscard]] kind what() const noexcept { return kind_; }
  /// take, put: the channel.
  [[nodiscard]] const core_handle& core() const noexcept { return core_; }

  /// take: takes an item into the case, if there is one. ready: whether it is; once true, always.
  virtual bool try_now() { return false; }
  /// ready: what to sleep on, which changes when it gets ready. Nothing: look again.
  virtual std::optional<futex_word> word_to_sleep_on() { return std::nullopt; }
  /// ready: the sleeping is over.
  virtual void slept() noexcept {}
  /// put: the item; the same each time.
  virtual payload item() { return {}; }
  /// put: it is in.
  virtual void was_put() noexcept {}

 protected:
  explicit select_case(kind what, core_handle core = {}) noexcept : kind_(what), core_(std::move(core)) {}

 private:
  kind kind_;
  core_handle core_;
};

/// Waits until one of the cases can go, and does it: at random, if there are several. Null: none until the deadline, or
/// stop was requested; nothing has been done then. Changes the order of `cases`. Throws what the chosen one throws
/// (channel_closed, for one), and as put and take.
select_case* do_first(std::span<select_case*> cases, deadline until, const std::stop_token& stop = {});

}  // namespace weir::detail
