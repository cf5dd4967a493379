// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <exception>
#include <span>
#include <string>
#include <vector>

#include "weir/ids.hpp"

/// Exceptions on their way to another process: type, text, what is needed to make an equal one of the standard's and
/// weir's types, and the exceptions nested in it.
namespace weir::runtime {

/// `error` as bytes. If that takes more than `most_bytes`, nested exceptions are left out, then the end of the text.
[[nodiscard]] std::vector<std::byte> encode_exception(const std::exception_ptr& error,
                                                      std::size_t most_bytes = static_cast<std::size_t>(-1));

/// What get() throws for an exception that left a function on `worker`: remote_error, an equal exception nested in it.
[[noreturn]] void throw_remote(process_id worker, std::span<const std::byte> bytes);

/// Throws an exception equal to the one that was encoded.
[[noreturn]] void throw_same(std::span<const std::byte> bytes);

/// Type and text in one line, for people: `std::runtime_error: no such file`.
[[nodiscard]] std::string describe(const std::exception_ptr& error);

}  // namespace weir::runtime
