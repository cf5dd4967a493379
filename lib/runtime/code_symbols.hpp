// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// What a program's or library's file says its functions are called. elf(5).
namespace weir::runtime {

/// The demangled name of the function that is `offset` bytes behind where the file is loaded (as code_address and dladdr(3)
/// count); empty: it has no symbol. Reads some 24 bytes for each symbol of the file. Any thread. Throws std::bad_alloc.
[[nodiscard]] std::string symbol_at(int fd, std::uint64_t offset);

/// A mangled name as its source spells it; another as it is.
[[nodiscard]] std::string demangled(const std::string& name);

/// A demangled name without what weir has put around it: what runs a call of a lambda is called as the lambda.
[[nodiscard]] std::string without_trampoline(std::string_view demangled);

}  // namespace weir::runtime
