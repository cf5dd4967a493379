// SPDX-License-Identifier: BSL-1.0
#include "runtime/function_name.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/core.h>

#include <cstdint>
#include <cstring>
#include <string_view>

#include "runtime/code_symbols.hpp"
#include "segment/segment.hpp"

namespace weir::runtime {
namespace {

void remove_all(std::string& from, std::string_view what) {
  for (std::size_t at = from.find(what); at != std::string::npos; at = from.find(what)) from.erase(at, what.size());
}

/// `f(double)` is called f.
std::string shortly(std::string name) {
  remove_all(name, "(anonymous namespace)::");
  // From the last parenthesis back to its counterpart.
  if (name.empty() || name.back() != ')') return name;
  int open = 0;
  for (std::size_t at = name.size(); at-- > 1;) {
    if (name[at] == ')') ++open;
    if (name[at] == '(' && --open == 0) return name.substr(0, at);
  }
  return name;
}

}  // namespace

std::string function_name(const void* code) {
  Dl_info info{};
  const bool is_known = ::dladdr(code, &info) != 0;
  if (is_known && info.dli_sname != nullptr && info.dli_saddr == code) {
    return shortly(without_trampoline(demangled(info.dli_sname)));
  }
  // Without symbols the module is found still.
  const std::uint64_t base = is_known ? reinterpret_cast<std::uintptr_t>(info.dli_fbase) : 0;
  const std::uint64_t offset = reinterpret_cast<std::uintptr_t>(code) - base;
  if (is_known) {
    const bool is_main = info.dli_fname == nullptr || std::strchr(info.dli_fname, '/') == nullptr;
    const shm::unique_fd file(::open(is_main ? "/proc/self/exe" : info.dli_fname, O_RDONLY | O_CLOEXEC));
    const std::string symbol = file ? symbol_at(file.get(), offset) : std::string();
    if (!symbol.empty()) return shortly(without_trampoline(symbol));
  }
  return fmt::format("function at {:#x}", offset);
}

}  // namespace weir::runtime
