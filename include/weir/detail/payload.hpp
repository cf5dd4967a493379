// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/detail/channel_core.hpp"

/// Making an item for the untyped core, and taking one apart. An item is its body; if handles were sent in it, a list
/// of the pinned references follows, so that each pin can be taken back without knowing the type:
///
///   for each reference: u32 length, then its characters; at the very end u64 length of the whole list, these 8 bytes
///   included. Host byte order, nothing aligned.
namespace weir::detail {

/// Alignment of the values in an item, relative to its begin.
inline constexpr std::size_t kValueAlignment = 16;

/// Gathers one item. Small things are copied into a buffer that the thread's encoders share in turn; large ones are only
/// referred to, so that the put copies them, once. Never waits; one thread at a time; several encoders of a thread may
/// be alive at once.
class encoder {
 public:
  encoder();
  encoder(const encoder&) = delete;
  encoder& operator=(const encoder&) = delete;
  /// Takes back the pins of references that were not sent.
  ~encoder();

  /// Appends a copy of the bytes.
  void write(const void* bytes, std::size_t count);
  /// Appends the bytes themselves, which must stay as they are until the item has been put (a copy if they are few).
  void refer(std::span<const std::byte> bytes);
  /// Appends zeros up to a multiple of kValueAlignment.
  void align();
  /// Records a reference that has been pinned for this item. The pin is the encoder's from here on, also if this throws.
  void add_reference(std::string pinned);
  /// Bytes of the body so far.
  [[nodiscard]] std::size_t size() const noexcept;

  /// Begins a value with its length before it: u64 length, u64 zero, the value; zeros before the next one up to a
  /// multiple of kValueAlignment. Returns what end_frame wants.
  [[nodiscard]] std::size_t begin_frame();
  void end_frame(std::size_t frame) noexcept;

  /// The item; its parts are valid until the encoder changes or is destroyed.
  [[nodiscard]] payload item();
  /// Says that the item has been put: its pins are now the business of whoever takes it.
  void sent() noexcept;

  /// A copy of the body, and the pins, which become the caller's.
  [[nodiscard]] std::vector<std::byte> body() const;
  [[nodiscard]] std::vector<std::string> release_references() noexcept;

 private:
  struct buffers;
  std::unique_ptr<buffers> buffers_;
};

/// Appends such a list of references to `out`, nothing if there are none.
void append_references(std::vector<std::byte>& out, std::span<const std::string> references);

struct item_parts {
  std::span<const std::byte> body;
  std::vector<std::string_view> references;
};
/// Takes an item apart. Both parts point into `item`. Throws corrupt_segment if the list is nonsense.
[[nodiscard]] item_parts split_references(std::span<const std::byte> item, bool has_references);

/// Takes back the pin of each reference of an item that has some. To be called once, by whoever takes the item (not by
/// fetch or peek), after the handles in it have been attached. Throws corrupt_segment as split_references.
void release_references(std::span<const std::byte> item);

/// Reads, one after the other, the values that were written between begin_frame and end_frame.
class frame_reader {
 public:
  explicit frame_reader(std::span<const std::byte> body) noexcept : rest_(body) {}
  /// Throws corrupt_segment if there is no whole value left.
  [[nodiscard]] std::span<const std::byte> next();
  /// Throws corrupt_segment if something is left.
  void expect_end() const;

 private:
  std::span<const std::byte> rest_;
};

}  // namespace weir::detail
