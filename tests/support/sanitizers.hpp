// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace weir::tests {

/// Compiled with the address sanitizer, under which a program takes several times as long: for tests that do the same many times
/// over, which need not be done as often then.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kIsAddressSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool kIsAddressSanitized = true;
#else
inline constexpr bool kIsAddressSanitized = false;
#endif
#else
inline constexpr bool kIsAddressSanitized = false;
#endif

}  // namespace weir::tests
