// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "weir/detail/fast_path.hpp"
#include "weir/detail/slot_layout.hpp"

namespace weir::detail {

class channel_core;  // lib/channel/channel_core.hpp

/// An item that this process has claimed and reads where it lies, in a slot or a block. It counts as taken when this is
/// destroyed; another taker gets it if this process dies before. Movable; one thread at a time.
class held_item {
 public:
  held_item() noexcept = default;
  held_item(held_item&& other) noexcept
      : channel_(std::exchange(other.channel_, nullptr)),
        keeps_(std::move(other.keeps_)),
        bytes_(other.bytes_),
        slot_(other.slot_),
        turn_(other.turn_),
        block_(other.block_) {}
  held_item& operator=(held_item&& other) noexcept {
    if (this == &other) return *this;
    end();
    channel_ = std::exchange(other.channel_, nullptr);
    keeps_ = std::move(other.keeps_);
    bytes_ = other.bytes_;
    slot_ = other.slot_;
    turn_ = other.turn_;
    block_ = other.block_;
    return *this;
  }
  ~held_item() { end(); }

  /// Valid until it is destroyed or given back.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }
  [[nodiscard]] explicit operator bool() const noexcept { return channel_ != nullptr; }

  /// Takes an item that lies in its slot, if nothing is in the way and `fits(how many bytes)`. False: nothing is taken.
  template <class Fits>
  [[nodiscard]] bool take(fast_path& channel, Fits&& fits) {
    channels::ring::place p;
    std::size_t bytes = 0;
    if (channel_ != nullptr || !channel.take_view(p, bytes, fits)) return false;
    lie_in(channel, p, bytes);
    return true;
  }

 private:
  friend class channel_core;
  void lie_in(fast_path& channel, const channels::ring::place& p, std::size_t bytes) noexcept {
    channel_ = &channel;
    bytes_ = {p.piece(), bytes};
    slot_ = p.at;
    turn_ = p.turn;
  }
  void end() noexcept {
    if (channel_ == nullptr) return;
    if (slot_ == nullptr || !channel_->end_view(*slot_, turn_)) finish();
    channel_ = nullptr;
  }
  /// The rest of end(): of an item in a block, or when the channel's last handle has gone.
  void finish() noexcept;

  fast_path* channel_ = nullptr;         // null: it holds nothing
  std::shared_ptr<channel_core> keeps_;  // of an item in a block; those in slots channel_core::retire() finds
  std::span<const std::byte> bytes_;
  channels::slot* slot_ = nullptr;  // null: it lies in the block
  std::uint64_t turn_ = 0;
  std::uint32_t block_ = 0;
};

}  // namespace weir::detail
