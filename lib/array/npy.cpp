// SPDX-License-Identifier: BSL-1.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <span>
#include <string>
#include <system_error>

#include "array/array_core.hpp"
#include "array/file.hpp"
#include "array/npy.hpp"
#include "array/plan.hpp"
#include "segment/new_file.hpp"
#include "weir/detail/crash_point.hpp"
#include "weir/error.hpp"

// NumPy's file format: `\x93NUMPY`, two bytes of version, the length of the header (2 bytes, from version 2 on 4, little
// endian), the header (a Python dictionary, filled up with blanks, a newline at its end), the elements.
namespace weir::detail {
namespace {

constexpr std::string_view kMap = "map .npy file";
constexpr std::string_view kWrite = "write .npy file";
constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kPreamble = 10;                          // of version 1
constexpr std::size_t kAlignment = 64;                         // of the elements
constexpr std::size_t kLongestHeader = std::size_t{1} << 20U;  // a sane one is a hundredth of it

[[noreturn]] void no_npy(const std::string& path, std::string_view why) {
  throw corrupt_segment(fmt::format("weir: {} \"{}\": {}", kMap, path, why));
}

struct npy_header {
  std::string descr;
  bool fortran_order = false;
  std::vector<std::size_t> extents;
  std::size_t data_offset = 0;
};

std::string read_bytes(const std::string& path, int fd, std::size_t offset, std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t done = 0; done < bytes;) {
    const ssize_t got = ::pread(fd, text.data() + done, bytes - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) no_npy(path, "it ends within its header");
    done += static_cast<std::size_t>(got);
  }
  return text;
}

/// What follows `'key':` in the header, without blanks.
std::string_view value_of(const std::string& path, std::string_view header, std::string_view key) {
  const std::string quoted = fmt::format("'{}':", key);
  const std::size_t at = header.find(quoted);
  if (at == std::string_view::npos) no_npy(path, fmt::format("its header has no '{}'", key));
  std::string_view value = header.substr(at + quoted.size());
  while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  return value;
}

npy_header read_header(const std::string& path, int fd) {
  const std::string preamble = read_bytes(path, fd, 0, kPreamble + 2);
  const auto byte = [&](std::size_t at) { return std::size_t{static_cast<unsigned char>(preamble[at])}; };
  if (!preamble.starts_with(kMagic)) no_npy(path, "not a .npy file: it does not begin as one");
  const std::size_t version = byte(6);
  if (version < 1 || version > 3) no_npy(path, fmt::format("its version is {}, this reads 1 to 3", version));
  const std::size_t begin = version == 1 ? kPreamble : kPreamble + 2;
  std::size_t length = byte(8) | byte(9) << 8U;
  if (version > 1) length |= byte(10) << 16U | byte(11) << 24U;
  if (length > kLongestHeader) no_npy(path, "its header is too long");
  const std::string text = read_bytes(path, fd, begin, length);
  npy_header found;
  found.data_offset = begin + length;
  const std::string_view descr = value_of(path, text, "descr");
  const std::size_t quote = descr.find('\'', 1);
  if (descr.empty() || descr[0] != '\'' || quote == std::string_view::npos) {
    found.descr = std::string(descr.substr(0, descr.find(", 'fortran")));  // fields, which no array has
  } else {
    found.descr = std::string(descr.substr(1, quote - 1));
  }
  found.fortran_order = value_of(path, text, "fortran_order").starts_with("True");
  std::string_view shape = value_of(path, text, "shape");
  if (shape.empty() || shape.front() != '(') no_npy(path, "its shape is no tuple");
  shape.remove_prefix(1);
  for (;;) {
    while (!shape.empty() && (shape.front() == ' ' || shape.front() == ',')) shape.remove_prefix(1);
    if (shape.empty()) no_npy(path, "its shape does not end");
    if (shape.front() == ')') return found;
    std::size_t extent = 0;
    const auto [end, error] = std::from_chars(shape.data(), shape.data() + shape.size(), extent);
    if (error != std::errc{}) no_npy(path, "its shape has something that is no number");
    shape.remove_prefix(static_cast<std::size_t>(end - shape.data()));
    found.extents.push_back(extent);
  }
}

}  // namespace

void write_array_npy(const array_core& core, const std::filesystem::path& path, std::string_view descr) {
  const array_shape shape = shape_of(core);
  shm::new_file file(kWrite, path.string(), /*overwrites=*/true);
  WEIR_CRASH_POINT("array.npy.opened");
  const std::string header = arrays::make_npy_header(shape, descr);
  file.write(std::as_bytes(std::span(header)));
  file.write({core.data(), bytes_of(core.constants(), shape.extents[0])});
  WEIR_CRASH_POINT("array.npy.written");
  file.commit();
  WEIR_CRASH_POINT("array.npy.renamed");
}

array_handle map_array_npy(const std::filesystem::path& path, const item_type& type, std::uint32_t rank,
                           std::string_view descr) {
  const std::string text = path.string();
  shm::unique_fd file = open_elements(kMap, text);
  const npy_header found = read_header(text, file.get());
  if (found.descr != descr || found.extents.size() != rank) {
    throw type_mismatch(fmt::format("weir: {} \"{}\": it has elements '{}' in {} dimensions, asked for '{}' in {}",
                                    kMap, text, found.descr, found.extents.size(), descr, rank));
  }
  array_shape shape{
      .rank = rank, .order = found.fortran_order && rank > 1 ? order::column_major : order::row_major, .extents = {}};
  std::copy(found.extents.begin(), found.extents.end(), shape.extents.begin());
  // Not to be resized: the header gives the shape.
  arrays::checked_constants constants = arrays::plan_array(fmt::format("{} \"{}\"", kMap, text), type.element_bytes,
                                                           shape, {.max_rows = shape.extents[0]});
  constants.data_offset = found.data_offset;
  constants.file_bound = true;
  if (found.data_offset % kAlignment != 0) no_npy(text, fmt::format("its elements do not lie on {} bytes", kAlignment));
  return map_elements(kMap, text, std::move(file), type, constants);
}

}  // namespace weir::detail

namespace weir::arrays {

std::string make_npy_header(const detail::array_shape& shape, std::string_view descr) {
  const auto end = shape.extents.begin() + static_cast<std::ptrdiff_t>(shape.rank);
  const std::string extents =
      fmt::format("{}{}", fmt::join(shape.extents.begin(), end, ", "), shape.rank == 1 ? "," : "");  // "(3,)", "(3, 4)"
  // In one dimension both orders are one.
  const bool fortran = shape.rank > 1 && shape.order == order::column_major;
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': ({}), }}", descr,
                                 fortran ? "True" : "False", extents);
  text.resize((detail::kPreamble + text.size() + 1 + detail::kAlignment - 1) / detail::kAlignment * detail::kAlignment -
                  detail::kPreamble - 1,
              ' ');
  text += '\n';
  std::string header(detail::kMagic);
  header += '\x01';
  header += '\0';
  header += static_cast<char>(text.size() & 0xffU);
  header += static_cast<char>(text.size() >> 8U);
  return header + text;
}

}  // namespace weir::arrays
