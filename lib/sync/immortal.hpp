// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <new>
#include <type_traits>

namespace weir::sync {

/// What a process has one of, in a static local variable: never destroyed, since threads and other static objects may ask
/// for it while the process ends, and made without memory from the heap, since functions that must not fail may be the first
/// that ask.
///
///     state& process_state() noexcept {
///       static immortal<state> made([] { /* once, at the first call */ });
///       return *made;
///     }
template <class T>
class immortal {
  static_assert(std::is_nothrow_default_constructible_v<T>);

 public:
  /// Calls `once` when the value is there; `once` may not ask for it before it returns.
  template <class Once>
  explicit immortal(Once once) : immortal() {
    once();
  }
  immortal() noexcept { ::new (static_cast<void*>(storage_)) T; }
  immortal(const immortal&) = delete;
  immortal& operator=(const immortal&) = delete;

  [[nodiscard]] T& operator*() noexcept { return *std::launder(reinterpret_cast<T*>(storage_)); }

 private:
  alignas(T) std::byte storage_[sizeof(T)];
};

}  // namespace weir::sync
