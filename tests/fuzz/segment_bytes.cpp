// SPDX-License-Identifier: BSL-1.0
#include "fuzz/segment_bytes.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>

#include "segment/names.hpp"

namespace weir::fuzz {
namespace {

std::string path_of(const std::string& name) { return fmt::format("/dev/shm/{}{}", shm::kFilePrefix, name); }

void require(bool is_true, const char* what) {
  if (is_true) return;
  fmt::print(stderr, "fuzz: {}: {}\n", what, std::generic_category().message(errno));
  std::abort();
}

/// Files that are to go when the program ends in the middle of a run, by exit().
std::set<std::string>& to_remove() {
  static auto* const paths = [] {
    auto* made = new std::set<std::string>;  // never destroyed: looked at by what exit() calls
    std::atexit([] {
      for (const std::string& path : to_remove()) ::unlink(path.c_str());
    });
    return made;
  }();
  return *paths;
}

}  // namespace

std::string own_name(const std::string& word) { return fmt::format("fuzz-{}-{}", word, ::getpid()); }

segment_image::segment_image(const std::string& name) : name_(name) {
  const shm::unique_fd file(::open(path_of(name).c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  require(file && ::fstat(file.get(), &info) == 0, "the segment to copy");
  file_bytes_ = static_cast<std::uint64_t>(info.st_size);
  // Holes are stepped over: files are sparse, and long.
  for (off_t at = 0; (at = ::lseek(file.get(), at, SEEK_DATA)) >= 0;) {
    at = at / static_cast<off_t>(shm::kPage) * static_cast<off_t>(shm::kPage);
    page found{static_cast<std::uint64_t>(at), std::vector<std::byte>(shm::kPage)};
    const ssize_t got = ::pread(file.get(), found.bytes.data(), found.bytes.size(), at);
    require(got > 0, "reading the segment to copy");
    found.bytes.resize(static_cast<std::size_t>(got));
    if (std::any_of(found.bytes.begin(), found.bytes.end(), [](std::byte b) { return b != std::byte{0}; })) {
      pages_.push_back(std::move(found));
    }
    at += static_cast<off_t>(shm::kPage);
  }
  ::unlink(path_of(name).c_str());
}

segment_file_copy::segment_file_copy(const segment_image& image)
    : path_(path_of(image.name())),
      file_(::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)),
      file_bytes_(image.file_bytes()) {
  require(static_cast<bool>(file_), "making a segment");
  to_remove().insert(path_);
  require(::ftruncate(file_.get(), static_cast<off_t>(file_bytes_)) == 0, "making a segment as long");
  for (const segment_image::page& page : image.pages()) write(page.offset, page.bytes);
}

segment_file_copy::~segment_file_copy() {
  ::unlink(path_.c_str());
  to_remove().erase(path_);
}

void segment_file_copy::write(std::uint64_t offset, std::span<const std::byte> bytes) const {
  if (offset >= file_bytes_) return;
  const std::size_t count = std::min<std::uint64_t>(bytes.size(), file_bytes_ - offset);
  require(::pwrite(file_.get(), bytes.data(), count, static_cast<off_t>(offset)) == static_cast<ssize_t>(count),
          "writing a segment's bytes");
}

std::uint64_t segment_file_copy::word_at(std::uint64_t offset) const {
  std::uint64_t word = 0;
  if (offset < file_bytes_ && ::pread(file_.get(), &word, sizeof word, static_cast<off_t>(offset)) < 0) return 0;
  return word;
}

void segment_file_copy::resize(std::uint64_t bytes, bool honest) {
  require(::ftruncate(file_.get(), static_cast<off_t>(bytes)) == 0, "changing a segment's length");
  file_bytes_ = bytes;
  if (honest) write(offsetof(shm::segment_header, file_bytes), bytes);
}

}  // namespace weir::fuzz
