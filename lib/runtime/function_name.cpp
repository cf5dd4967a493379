// SPDX-License-Identifier: BSL-1.0
#include "runtime/function_name.hpp"

#include <cxxabi.h>
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "segment/segment.hpp"

namespace weir::runtime {
namespace {

/// A file's bytes, to be read; empty if it cannot be.
class file_bytes {
 public:
  explicit file_bytes(const char* path) {
    const shm::unique_fd file(::open(path, O_RDONLY | O_CLOEXEC));
    struct stat info {};
    if (!file || ::fstat(file.get(), &info) != 0 || info.st_size <= 0) return;
    size_ = static_cast<std::size_t>(info.st_size);
    void* const at = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (at != MAP_FAILED) begin_ = static_cast<const std::byte*>(at);
  }
  file_bytes(const file_bytes&) = delete;
  file_bytes& operator=(const file_bytes&) = delete;
  ~file_bytes() {
    if (begin_ != nullptr) ::munmap(const_cast<std::byte*>(begin_), size_);
  }

  /// `count` of them that lie one after the other; empty if the file is shorter.
  template <class T>
  [[nodiscard]] std::span<const T> read(std::uint64_t offset, std::uint64_t count) const noexcept {
    const bool fits = begin_ != nullptr && offset <= size_ && count <= (size_ - offset) / sizeof(T);
    if (!fits || offset % alignof(T) != 0) return {};
    return {reinterpret_cast<const T*>(begin_ + offset), static_cast<std::size_t>(count)};
  }

 private:
  const std::byte* begin_ = nullptr;
  std::size_t size_ = 0;
};

/// The symbol of the function that has `offset` in it; empty: none is known.
std::string symbol_at(const file_bytes& file, std::uint64_t offset) {
  const auto header = file.read<ElfW(Ehdr)>(0, 1);
  if (header.empty() || std::memcmp(header[0].e_ident, ELFMAG, SELFMAG) != 0) return {};
  const auto sections = file.read<ElfW(Shdr)>(header[0].e_shoff, header[0].e_shnum);
  for (const auto& section : sections) {
    if (section.sh_type != SHT_SYMTAB || section.sh_link >= sections.size()) continue;
    const auto& strings = sections[section.sh_link];
    const auto text = file.read<char>(strings.sh_offset, strings.sh_size);
    for (const auto& symbol : file.read<ElfW(Sym)>(section.sh_offset, section.sh_size / sizeof(ElfW(Sym)))) {
      const bool is_function = ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && symbol.st_shndx != SHN_UNDEF;
      if (!is_function || offset < symbol.st_value || offset - symbol.st_value >= symbol.st_size) continue;
      if (symbol.st_name >= text.size()) return {};
      const char* const name = text.data() + symbol.st_name;
      return {name, ::strnlen(name, text.size() - symbol.st_name)};
    }
  }
  return {};
}

std::string demangled(const std::string& symbol) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status),
                                                         &std::free);
  return text ? std::string(text.get()) : symbol;
}

void remove_all(std::string& from, std::string_view what) {
  for (std::size_t at = from.find(what); at != std::string::npos; at = from.find(what)) from.erase(at, what.size());
}

/// `f(double)` is called f; and what runs a lambda, remote_function<F, types<…>, …>::run, is called F.
std::string without_what_is_ours(std::string name) {
  remove_all(name, "(anonymous namespace)::");
  constexpr std::string_view kRunner = "weir::detail::remote_function<";
  if (name.starts_with(kRunner)) {
    const std::size_t end = name.find(", weir::detail::types<");
    if (end != std::string::npos) return name.substr(kRunner.size(), end - kRunner.size());
  }
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
  const bool known = ::dladdr(code, &info) != 0;
  if (known && info.dli_sname != nullptr && info.dli_saddr == code) {
    return without_what_is_ours(demangled(info.dli_sname));
  }
  // Without symbols the module is found still.
  const std::uint64_t base = known ? reinterpret_cast<std::uintptr_t>(info.dli_fbase) : 0;
  const std::uint64_t offset = reinterpret_cast<std::uintptr_t>(code) - base;
  if (known) {
    const bool is_main = info.dli_fname == nullptr || std::strchr(info.dli_fname, '/') == nullptr;
    const file_bytes file(is_main ? "/proc/self/exe" : info.dli_fname);
    const auto header = file.read<ElfW(Ehdr)>(0, 1);
    // Where it is to be loaded at a fixed address, the symbols are addresses.
    const bool is_fixed = !header.empty() && header[0].e_type == ET_EXEC;
    const std::string symbol = symbol_at(file, is_fixed ? offset + base : offset);
    if (!symbol.empty()) return without_what_is_ours(demangled(symbol));
  }
  return fmt::format("function at {:#x}", offset);
}

}  // namespace weir::runtime
