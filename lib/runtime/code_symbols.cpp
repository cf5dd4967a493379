// SPDX-License-Identifier: BSL-1.0
#include "runtime/code_symbols.hpp"

#include <cxxabi.h>
#include <elf.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

namespace weir::runtime {
namespace {

bool read_at(int fd, std::uint64_t offset, void* out, std::size_t bytes) noexcept {
  return ::pread(fd, out, bytes, static_cast<off_t>(offset)) == static_cast<ssize_t>(bytes);
}

std::optional<Elf64_Ehdr> header_of(int fd) {
  constexpr std::string_view kMagic{ELFMAG, SELFMAG};
  Elf64_Ehdr header;
  if (!read_at(fd, 0, &header, sizeof header) || !std::equal(kMagic.begin(), kMagic.end(), header.e_ident)) return {};
  const bool is_known = header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_shentsize == sizeof(Elf64_Shdr) &&
                        header.e_phentsize == sizeof(Elf64_Phdr);
  return is_known ? std::optional(header) : std::nullopt;
}

/// All rows of one of the file's two tables; none if it is shorter.
template <class Row>
std::vector<Row> table_of(int fd, std::uint64_t offset, std::size_t count) {
  constexpr std::size_t kMostRows = 4096;
  std::vector<Row> rows(std::min(count, kMostRows));
  if (!read_at(fd, offset, rows.data(), rows.size() * sizeof(Row))) rows.clear();
  return rows;
}

/// The address that the file's symbols count its first loaded byte as: 0, but for a program that is not to be moved.
std::uint64_t first_address(int fd, const Elf64_Ehdr& header) {
  constexpr std::uint64_t kPage = 4096;
  std::uint64_t first = std::numeric_limits<std::uint64_t>::max();
  for (const Elf64_Phdr& each : table_of<Elf64_Phdr>(fd, header.e_phoff, header.e_phnum)) {
    if (each.p_type == PT_LOAD) first = std::min(first, each.p_vaddr / kPage * kPage);
  }
  return first == std::numeric_limits<std::uint64_t>::max() ? 0 : first;
}

/// The mangled name of the function that holds the address; empty: the table has none.
std::string find_in_table(int fd, const Elf64_Shdr& symbols, const Elf64_Shdr& strings, std::uint64_t address) {
  constexpr std::size_t kMostBytes = std::size_t{256} << 20U;
  constexpr std::size_t kAtOnce = 4096;
  std::vector<Elf64_Sym> chunk(kAtOnce);
  const std::uint64_t count = std::min<std::uint64_t>(symbols.sh_size, kMostBytes) / sizeof(Elf64_Sym);
  for (std::uint64_t done = 0; done < count; done += chunk.size()) {
    chunk.resize(std::min<std::uint64_t>(kAtOnce, count - done));
    if (!read_at(fd, symbols.sh_offset + done * sizeof(Elf64_Sym), chunk.data(), chunk.size() * sizeof(Elf64_Sym)))
      break;
    for (const Elf64_Sym& each : chunk) {
      if (ELF64_ST_TYPE(each.st_info) != STT_FUNC || each.st_shndx == SHN_UNDEF) continue;
      if (address < each.st_value || address - each.st_value >= std::max<std::uint64_t>(each.st_size, 1)) continue;
      std::array<char, 4096> name{};
      if (each.st_name >= strings.sh_size) return {};
      const std::size_t most = std::min<std::uint64_t>(name.size() - 1, strings.sh_size - each.st_name);
      static_cast<void>(!::pread(fd, name.data(), most, static_cast<off_t>(strings.sh_offset + each.st_name)));
      return name.data();
    }
  }
  return {};
}

/// Up to the comma or bracket that ends the first template argument.
std::string_view first_argument(std::string_view text) {
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '<' || c == '(' || c == '{') ++depth;
    if (c == ',' && depth == 0) return text.substr(0, i);
    if (c == '>' || c == ')' || c == '}') {
      if (depth == 0) return text.substr(0, i);
      --depth;
    }
  }
  return text;
}

}  // namespace

std::string symbol_at(int fd, std::uint64_t offset) {
  const auto header = header_of(fd);
  if (!header) return {};
  const std::uint64_t address = first_address(fd, *header) + offset;
  const auto sections = table_of<Elf64_Shdr>(fd, header->e_shoff, header->e_shnum);
  for (const Elf64_Word type : {Elf64_Word{SHT_SYMTAB}, Elf64_Word{SHT_DYNSYM}}) {  // stripped: the second only
    for (const Elf64_Shdr& each : sections) {
      if (each.sh_type != type || each.sh_link >= sections.size()) continue;
      const std::string found = find_in_table(fd, each, sections[each.sh_link], address);
      if (!found.empty()) return demangled(found);
    }
  }
  return {};
}

std::string demangled(const std::string& name) {
  struct freer {
    void operator()(char* text) const noexcept { std::free(text); }
  };
  int status = 0;
  const std::unique_ptr<char, freer> text(abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status));
  return status == 0 && text ? std::string(text.get()) : name;
}

std::string without_trampoline(std::string_view demangled) {
  constexpr std::string_view kOwn = "weir::detail::";
  if (const std::size_t run = demangled.find(">::run(");
      run == std::string_view::npos || !demangled.starts_with(kOwn)) {
    return std::string(demangled);
  }
  // weir::detail::remote_function<main::{lambda(double)#1}, …>::run(…): the innermost first argument that is not weir's.
  std::string_view rest = demangled;
  std::string_view found = demangled;
  while (rest.starts_with(kOwn)) {
    const std::size_t open = rest.find('<');
    if (open == std::string_view::npos) break;
    rest = found = first_argument(rest.substr(open + 1));
  }
  return std::string(found);
}

}  // namespace weir::runtime
