// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

namespace weir::inspect {

/// What the functions are called that workers run. Reads the symbol tables of the files that they lie in; the processes are
/// not asked. Remembers what it has found. One thread at a time.
class code_names {
 public:
  /// The function at an offset in a module of a process: "area(double)"; for one that only its trampoline knows, the
  /// lambda's or functor's name. "program+0x1234" if it has no symbol. `module` empty: the program itself.
  [[nodiscard]] std::string name_of(std::int32_t pid, std::string_view module, std::uint64_t offset);

 private:
  using place = std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>;  // device, file, offset
  std::map<place, std::string> known_;
};

}  // namespace weir::inspect
