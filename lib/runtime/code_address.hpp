// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::runtime {

/// Code, named so that another process of the same program finds it wherever its loader has put it: the loaded file
/// that it is in and the offset there. `module` is empty for the main executable, which every worker has.
struct code_address {
  std::string_view module;
  std::uint64_t offset = 0;
};

/// Names the code at `address`. The name stays valid while its file is loaded. Throws invalid_argument if the address is
/// in no loaded file.
[[nodiscard]] code_address name_code(const void* address);

/// The code's address in this process. Throws invalid_argument if the file is not loaded here (a library that only the
/// caller has loaded), or has no code there.
[[nodiscard]] const void* find_code(const code_address& code);

}  // namespace weir::runtime
