// SPDX-License-Identifier: BSL-1.0
#include "channel/references.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>

namespace weir::channels {
namespace {

constexpr std::size_t kMostKinds = 4;

/// Entries are written once, then counted: readers take no lock.
struct kinds {
  std::mutex mutex;
  std::array<other_references, kMostKinds> entries;
  std::atomic<std::size_t> count{0};
};
kinds& known() {
  static kinds all;
  return all;
}

const other_references* find(std::string_view reference) noexcept {
  const kinds& all = known();
  const auto end = all.entries.begin() + static_cast<std::ptrdiff_t>(all.count.load(std::memory_order_acquire));
  const auto found =
      std::find_if(all.entries.begin(), end, [&](const auto& each) { return reference.starts_with(each.prefix); });
  return found == end ? nullptr : &*found;
}

std::atomic<void (*)(std::span<const std::byte>)> g_release{nullptr};

}  // namespace

void add_other_references(const other_references& functions) noexcept {
  kinds& all = known();
  const std::scoped_lock lock(all.mutex);
  const std::size_t count = all.count.load(std::memory_order_relaxed);
  const auto is_known = [&](const auto& each) { return each.prefix == functions.prefix; };
  if (count == kMostKinds || std::any_of(all.entries.begin(), all.entries.begin() + count, is_known)) return;
  all.entries[count] = functions;
  all.count.store(count + 1, std::memory_order_release);
}

bool pin_other(std::string_view reference) {
  if (!reference.starts_with('/')) return false;
  if (const other_references* kind = find(reference)) kind->pin(reference);
  return true;
}

bool unpin_other(std::string_view reference) noexcept {
  if (!reference.starts_with('/')) return false;
  if (const other_references* kind = find(reference)) kind->unpin(reference);
  return true;
}

void set_release_of_items(void (*release)(std::span<const std::byte> item)) noexcept {
  g_release.store(release, std::memory_order_release);
}

void release_item(std::span<const std::byte> item) {
  if (const auto release = g_release.load(std::memory_order_acquire)) release(item);
}

}  // namespace weir::channels
