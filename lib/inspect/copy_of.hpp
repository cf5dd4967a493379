// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>

namespace weir::inspect {

/// A struct with atomics, read as bytes: this copy is ours alone, so its atomics are loaded relaxed.
template <class T>
struct copy_of {
  alignas(T) std::byte bytes[sizeof(T)];
  [[nodiscard]] const T& get() const noexcept { return *reinterpret_cast<const T*>(bytes); }
};
inline constexpr auto kRelaxed = std::memory_order_relaxed;

}  // namespace weir::inspect
