// SPDX-License-Identifier: BSL-1.0
#include "inspect/code_names.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>

#include "runtime/code_symbols.hpp"
#include "segment/segment.hpp"

namespace weir::inspect {

std::string code_names::name_of(std::int32_t pid, std::string_view module, std::uint64_t offset) {
  const std::string path = module.empty() ? fmt::format("/proc/{}/exe", pid) : std::string(module);
  const std::string_view file = module.substr(module.rfind('/') + 1);
  std::string unnamed = fmt::format("{}+{:#x}", file.empty() ? "program" : file, offset);
  const shm::unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return unnamed;
  std::string& name = known_[{info.st_dev, info.st_ino, offset}];
  if (name.empty()) {
    const std::string symbol = runtime::symbol_at(fd.get(), offset);
    name = symbol.empty() ? unnamed : runtime::without_trampoline(symbol);
  }
  return name;
}

}  // namespace weir::inspect
