// SPDX-License-Identifier: BSL-1.0
#include "inspect/array_elements.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <system_error>

#include "inspect/value_node.hpp"
#include "weir/error.hpp"

namespace weir::inspect {
namespace {

constexpr std::uint64_t kPiece = std::uint64_t{1} << 20U;  // read at once

std::string message_of(int error) { return std::generic_category().message(error); }

/// The file at `path`, if it is the very one that the array was bound to.
shm::unique_fd open_bound_file(const array_report& array, std::uint64_t bytes, std::string& why) {
  struct stat info {};
  // Looked at by name first: opening a device can have effects of its own.
  if (::stat(array.path.c_str(), &info) != 0) {
    why = fmt::format("its file \"{}\": {}", array.path, message_of(errno));
    return {};
  }
  if (!S_ISREG(info.st_mode)) {
    why = fmt::format("its file \"{}\" is not an ordinary file", array.path);
    return {};
  }
  shm::unique_fd file(::open(array.path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file || ::fstat(file.get(), &info) != 0) {
    why = fmt::format("its file \"{}\": {}", array.path, message_of(errno));
    return {};
  }
  if (info.st_dev != array.file_device || info.st_ino != array.file_number) {
    why = fmt::format("\"{}\" is another file by now than the one that its elements lie in", array.path);
    return {};
  }
  if (const auto has = static_cast<std::uint64_t>(info.st_size);
      has < array.constants.data_offset || has - array.constants.data_offset < bytes) {
    why = fmt::format("its file \"{}\" is shorter than its elements", array.path);
    return {};
  }
  return file;
}

std::uint64_t parse_index(std::string_view text, std::uint64_t extent, std::uint64_t otherwise) {
  if (text.empty()) return otherwise;
  const bool from_the_end = text.front() == '-';
  if (from_the_end) text.remove_prefix(1);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw invalid_argument(fmt::format("\"{}\" is no index", text));
  }
  if (number > extent) throw invalid_argument(fmt::format("index {} is outside of 0 to {}", number, extent));
  return from_the_end ? extent - number : number;
}

}  // namespace

array_elements::array_elements(const array_report& array, const segment_file& segment)
    : name_(array.segment.name),
      element_bytes_(array.constants.element_bytes),
      order_(array.constants.order),
      extents_(array.extents),
      offset_(array.constants.data_offset),
      fd_(segment.fd()) {
  count_ = 1;
  for (const std::uint64_t extent : extents_) count_ *= extent;  // checked: all of them are addressed
  const type_tree whole = type_tree::parse(array.segment.header ? array.segment.header->type : std::string());
  type_ = whole.arguments.empty() ? array.segment.header->element_name : whole.arguments.front().whole;
  if (const scalar_type number = scalar_of(type_); number.is != scalar::none && number.bytes != element_bytes_) {
    why_ = fmt::format("its elements of type {} have {} bytes", type_, element_bytes_);
  }
  constexpr std::size_t kLargestElement = std::size_t{1} << 20U;
  if (element_bytes_ > kLargestElement) why_ = fmt::format("its elements have {} bytes each: too many", element_bytes_);
  if (!array.constants.file_bound) return;
  std::string why;
  file_ = open_bound_file(array, bytes(), why);
  if (!why.empty()) why_ = std::move(why);
  fd_ = file_.get();
}

bool array_elements::read(std::uint64_t offset, std::span<std::byte> out) const noexcept {
  while (!out.empty()) {
    const ssize_t got = ::pread(fd_, out.data(), out.size(), static_cast<off_t>(offset_ + offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    out = out.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return true;
}

void array_elements::read_or_throw(std::string_view operation, std::uint64_t offset, std::span<std::byte> out) const {
  if (why_.empty() && read(offset, out)) return;
  throw corrupt_segment(fmt::format("weir: {} \"{}\": {}", operation, name_,
                                    why_.empty() ? "its elements cannot be read: the file is shorter" : why_));
}

std::uint64_t array_elements::place_of(std::span<const std::size_t> index) const noexcept {
  std::uint64_t place = 0;
  if (order_ == order::row_major) {
    for (std::size_t d = 0; d < extents_.size(); ++d) place = place * extents_[d] + index[d];
  } else {
    for (std::size_t d = extents_.size(); d-- > 0;) place = place * extents_[d] + index[d];
  }
  return place;
}

std::optional<statistics> array_elements::make_statistics() const {
  const scalar_type number = scalar_of(type_);
  if (!number.is_number() || number.bytes != element_bytes_) return std::nullopt;
  statistics_maker maker(number);
  std::vector<std::byte> piece(std::min(kPiece, bytes()));
  for (std::uint64_t done = 0; done < bytes();) {
    const auto part = std::span(piece).first(std::min<std::uint64_t>(piece.size(), bytes() - done));
    if (!read(done, part)) return std::nullopt;
    maker.add(part);
    done += part.size();
  }
  return maker.result();
}

std::string array_elements::numpy_type() const {
  const type_tree type = type_tree::parse(type_);
  const bool is_complex = type.is_std("complex") && !type.arguments.empty();
  const scalar_type number = scalar_of(is_complex ? type.arguments.front().whole : type_);
  if (number.bytes * (is_complex ? 2 : 1) != element_bytes_) return {};
  char kind = 0;
  switch (number.is) {
    case scalar::boolean: kind = 'b'; break;
    case scalar::character:
    case scalar::integer: kind = 'i'; break;
    case scalar::natural: kind = 'u'; break;
    case scalar::real: kind = is_complex ? 'c' : 'f'; break;
    case scalar::unicode:
    case scalar::none: return {};
  }
  if (is_complex && kind != 'c') return {};
  if ((kind == 'i' || kind == 'u') && element_bytes_ > 8) return {};
  return fmt::format("{}{}{}", element_bytes_ == 1 ? '|' : '<', kind, element_bytes_);
}

std::vector<index_range> parse_range(std::string_view text, std::span<const std::uint64_t> extents) {
  std::vector<index_range> out;
  for (const std::uint64_t extent : extents) out.push_back({0, extent});
  for (std::size_t d = 0; !text.empty() || d == 0; ++d) {
    const std::size_t comma = text.find(',');
    const std::string_view one = text.substr(0, comma);
    if (d >= extents.size()) {
      throw invalid_argument(fmt::format("the range has more dimensions than the array, which has {}", extents.size()));
    }
    const std::size_t colon = one.find(':');
    if (colon == std::string_view::npos) {
      if (one.empty()) throw invalid_argument("a dimension of the range is empty");
      out[d].begin = parse_index(one, extents[d], 0);
      out[d].end = out[d].begin + 1;
    } else {
      out[d].begin = parse_index(one.substr(0, colon), extents[d], 0);
      out[d].end = parse_index(one.substr(colon + 1), extents[d], extents[d]);
    }
    if (out[d].begin >= out[d].end || out[d].end > extents[d]) {
      throw invalid_argument(fmt::format("the range \"{}\" has no elements: the dimension has {}", one, extents[d]));
    }
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
    if (text.empty()) throw invalid_argument("a dimension of the range is empty");
  }
  return out;
}

}  // namespace weir::inspect
