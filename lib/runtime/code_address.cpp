// SPDX-License-Identifier: BSL-1.0
#include "runtime/code_address.hpp"

#include <fmt/core.h>
#include <link.h>

#include <cstddef>

#include "weir/error.hpp"

namespace weir::runtime {
namespace {

/// A loaded file. Addresses are numbers here: they are compared across objects.
struct module_view {
  std::string_view name;
  std::uintptr_t base = 0;
  const ElfW(Phdr) * segments = nullptr;
  std::size_t segment_count = 0;

  [[nodiscard]] bool has_code_at(std::uintptr_t address) const noexcept {
    for (std::size_t i = 0; i < segment_count; ++i) {
      const auto& s = segments[i];
      const std::uintptr_t begin = base + s.p_vaddr;
      if (s.p_type == PT_LOAD && (s.p_flags & PF_X) != 0 && address >= begin && address - begin < s.p_memsz)
        return true;
    }
    return false;
  }
};

module_view view_of(const dl_phdr_info& info, bool main_executable) {
  // The loader gives the main executable no name; libraries keep the one that they were loaded by.
  return {main_executable ? std::string_view() : std::string_view(info.dlpi_name), info.dlpi_addr, info.dlpi_phdr,
          info.dlpi_phnum};
}

/// Calls `visit(module)` for each loaded file, the main executable first, until it returns true.
template <class Visit>
bool find_module(Visit visit) {
  struct search {
    Visit& visit;
    bool first = true;
  } state{visit};
  const auto step = [](dl_phdr_info* info, std::size_t /*size*/, void* data) -> int {
    auto& found = *static_cast<search*>(data);
    const module_view module = view_of(*info, found.first);
    found.first = false;
    return found.visit(module) ? 1 : 0;
  };
  return ::dl_iterate_phdr(step, &state) != 0;
}

/// The main executable never moves or goes: it is looked at once.
const module_view& main_module() {
  static const module_view found = [] {
    module_view first;
    find_module([&](const module_view& module) {
      first = module;
      return true;
    });
    return first;
  }();
  return found;
}

}  // namespace

code_address name_code(const void* address) {
  const auto number = reinterpret_cast<std::uintptr_t>(address);
  if (main_module().has_code_at(number)) return {{}, number - main_module().base};
  code_address found;
  const bool known = find_module([&](const module_view& module) {
    if (!module.has_code_at(number)) return false;
    found = {module.name, number - module.base};
    return true;
  });
  if (!known) throw invalid_argument(fmt::format("weir: call: there is no function at {}", address));
  return found;
}

const void* find_code(const code_address& code) {
  std::uintptr_t address = 0;
  const auto look = [&](const module_view& module) {
    if (module.name != code.module) return false;
    address = module.base + code.offset;
    return module.has_code_at(address);
  };
  if (code.module.empty() ? !look(main_module()) : !find_module(look)) {
    throw invalid_argument(
        code.module.empty()
            ? fmt::format("weir: call: this executable has no function at offset {:#x}: the caller runs another one",
                          code.offset)
            : fmt::format("weir: call: the function is in {}, which worker {} has not loaded", code.module, my_id()));
  }
  return reinterpret_cast<const void*>(address);
}

}  // namespace weir::runtime
