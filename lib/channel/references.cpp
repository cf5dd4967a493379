// SPDX-License-Identifier: BSL-1.0
#include "channel/references.hpp"

#include <atomic>

namespace weir::channels {
namespace {

std::atomic<void (*)(std::string_view)> g_pin{nullptr};
std::atomic<void (*)(std::string_view) noexcept> g_unpin{nullptr};
std::atomic<void (*)(std::span<const std::byte>)> g_release{nullptr};

}  // namespace

void set_other_references(other_references functions) noexcept {
  g_pin.store(functions.pin, std::memory_order_release);
  g_unpin.store(functions.unpin, std::memory_order_release);
}

bool pin_other(std::string_view reference) {
  if (!reference.starts_with('/')) return false;
  if (const auto pin = g_pin.load(std::memory_order_acquire)) pin(reference);
  return true;
}

bool unpin_other(std::string_view reference) noexcept {
  if (!reference.starts_with('/')) return false;
  if (const auto unpin = g_unpin.load(std::memory_order_acquire)) unpin(reference);
  return true;
}

void set_release_of_items(void (*release)(std::span<const std::byte> item)) noexcept {
  g_release.store(release, std::memory_order_release);
}

void release_item(std::span<const std::byte> item) {
  if (const auto release = g_release.load(std::memory_order_acquire)) release(item);
}

}  // namespace weir::channels
