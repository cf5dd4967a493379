// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>

#include "weir/detail/channel_items.hpp"
#include "weir/error.hpp"

namespace weir::detail {

/// Takes from a channel, one item a step, waiting for each, until the channel is closed and drained. Equals the sentinel
/// then; if it was closed with a reason, throws channel_closed instead. An input iterator; movable.
template <class T>
class channel_iterator {
 public:
  using value_type = T;
  using difference_type = std::ptrdiff_t;
  using iterator_concept = std::input_iterator_tag;

  channel_iterator() = default;
  channel_iterator(channel_iterator&&) noexcept = default;
  channel_iterator& operator=(channel_iterator&&) noexcept = default;
  ~channel_iterator() = default;
  /// Takes the first item.
  explicit channel_iterator(core_handle core) : core_(std::move(core)), way_(fast_path_of(core_)) { ++*this; }

  /// The item that was taken; it may be moved from.
  [[nodiscard]] T& operator*() const noexcept { return *item_; }
  [[nodiscard]] T* operator->() const noexcept { return &*item_; }
  channel_iterator& operator++() {
    item_.reset();
    try {
      item_.emplace(take_one<T>(core_, way_));
    } catch (const channel_closed& closed) {
      if (!closed.reason().empty()) throw;
    }
    return *this;
  }
  void operator++(int) { ++*this; }
  [[nodiscard]] friend bool operator==(const channel_iterator& i, std::default_sentinel_t /*end*/) noexcept {
    return !i.item_;
  }

 private:
  core_handle core_;
  fast_path* way_ = nullptr;       // of core_
  mutable std::optional<T> item_;  // the iterator stands for the item, which is not const because it is
};

}  // namespace weir::detail
