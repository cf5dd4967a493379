// SPDX-License-Identifier: BSL-1.0
#include "weir/detail/payload.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "array/references.hpp"
#include "channel/references.hpp"
#include "weir/error.hpp"

namespace weir::detail {
namespace {

constexpr std::size_t kLongestReference = std::size_t{1} << 16U;  // a file's name, and what a layer adds to it
constexpr std::size_t kLargestKeptBuffer = std::size_t{1} << 20;  // a thread gives back what is above
constexpr std::size_t kLargestCopied = 256;  // above it, a part of its own costs less than the copy
constexpr std::size_t kFrameHeader = 16;

template <class Integer>
void append(std::vector<std::byte>& out, Integer value) {
  const auto bytes = std::as_bytes(std::span(&value, 1));
  out.insert(out.end(), bytes.begin(), bytes.end());
}

template <class Integer>
Integer read(std::span<const std::byte> from) noexcept {
  Integer value;
  std::memcpy(&value, from.data(), sizeof value);
  return value;
}

}  // namespace

struct encoder::buffers {
  // A part lies at `external`, or at `offset` of the copies (which move when they grow).
  struct part {
    const std::byte* external = nullptr;
    std::size_t offset = 0;
    std::size_t bytes = 0;
  };

  std::vector<std::byte> copies;
  std::vector<part> parts;
  std::vector<std::span<const std::byte>> spans;
  std::vector<std::string> references;
  std::vector<std::byte> trailer;
  std::size_t body_bytes = 0;

  void clear() noexcept {
    copies.clear();
    parts.clear();
    spans.clear();
    references.clear();
    trailer.clear();
    body_bytes = 0;
  }
};

namespace {

// An encoder takes the thread's buffers while it lives; another one that is made meanwhile finds none and has its own.
// Plain pointers and flags, since things that are destroyed late in a thread's life encode too.
template <class Buffers>
struct spare_buffers {
  static inline thread_local Buffers* buffers = nullptr;
  static inline thread_local bool thread_ends = false;

  struct at_thread_end {
    at_thread_end() = default;
    at_thread_end(const at_thread_end&) = delete;
    at_thread_end& operator=(const at_thread_end&) = delete;
    ~at_thread_end() {
      thread_ends = true;
      delete std::exchange(buffers, nullptr);
    }
  };

  static std::unique_ptr<Buffers> take() {
    if (buffers == nullptr) return std::make_unique<Buffers>();
    return std::unique_ptr<Buffers>(std::exchange(buffers, nullptr));
  }
  static void keep(std::unique_ptr<Buffers> used) noexcept {
    if (thread_ends || buffers != nullptr) return;
    static thread_local const at_thread_end kFreeing;
    buffers = used.release();
  }
};

}  // namespace

encoder::encoder() : buffers_(spare_buffers<buffers>::take()) {}

encoder::~encoder() {
  for (const std::string& reference : buffers_->references) unpin(reference);
  if (buffers_->copies.capacity() > kLargestKeptBuffer) return;
  buffers_->clear();
  spare_buffers<buffers>::keep(std::move(buffers_));
}

void encoder::write(const void* bytes, std::size_t count) {
  if (count == 0) return;
  buffers& b = *buffers_;
  const std::size_t offset = b.copies.size();
  const auto* begin = static_cast<const std::byte*>(bytes);
  b.copies.insert(b.copies.end(), begin, begin + count);
  if (!b.parts.empty() && b.parts.back().external == nullptr) {
    b.parts.back().bytes += count;
  } else {
    b.parts.push_back({.external = nullptr, .offset = offset, .bytes = count});
  }
  b.body_bytes += count;
}

void encoder::refer(std::span<const std::byte> bytes) {
  if (bytes.size() <= kLargestCopied) return write(bytes.data(), bytes.size());
  buffers_->parts.push_back({.external = bytes.data(), .offset = 0, .bytes = bytes.size()});
  buffers_->body_bytes += bytes.size();
}

void encoder::align() {
  static constexpr std::array<std::byte, kValueAlignment> kZeros{};
  write(kZeros.data(), (kValueAlignment - size() % kValueAlignment) % kValueAlignment);
}

void encoder::add_reference(std::string pinned) {
  try {
    buffers_->references.push_back(std::move(pinned));
  } catch (...) {
    unpin(pinned);  // push_back moves nothing if it throws
    throw;
  }
}

std::size_t encoder::size() const noexcept { return buffers_->body_bytes; }

std::size_t encoder::begin_frame() {
  static constexpr std::array<std::byte, kFrameHeader> kEmptyHeader{};
  align();
  const std::size_t header = buffers_->copies.size();
  write(kEmptyHeader.data(), kEmptyHeader.size());
  // The length is known at the end; until then it holds where the value begins.
  const std::uint64_t begin = size();
  std::memcpy(buffers_->copies.data() + header, &begin, sizeof begin);
  return header;
}

void encoder::end_frame(std::size_t frame) noexcept {
  std::byte* header = buffers_->copies.data() + frame;
  const std::uint64_t length = size() - read<std::uint64_t>({header, sizeof(std::uint64_t)});
  std::memcpy(header, &length, sizeof length);
}

payload encoder::item() {
  buffers& b = *buffers_;
  b.spans.clear();
  b.trailer.clear();
  for (const buffers::part& part : b.parts) {
    b.spans.emplace_back(part.external != nullptr ? part.external : b.copies.data() + part.offset, part.bytes);
  }
  append_references(b.trailer, b.references);
  if (!b.trailer.empty()) b.spans.emplace_back(b.trailer);
  return {.parts = b.spans, .has_references = !b.references.empty()};
}

void encoder::sent() noexcept { buffers_->references.clear(); }

std::vector<std::byte> encoder::body() const {
  std::vector<std::byte> all;
  all.reserve(size());
  for (const buffers::part& part : buffers_->parts) {
    const std::byte* begin = part.external != nullptr ? part.external : buffers_->copies.data() + part.offset;
    all.insert(all.end(), begin, begin + part.bytes);
  }
  return all;
}

std::vector<std::string> encoder::release_references() noexcept { return std::exchange(buffers_->references, {}); }

void append_references(std::vector<std::byte>& out, std::span<const std::string> references) {
  if (references.empty()) return;
  const std::size_t begin = out.size();
  for (const std::string& reference : references) {
    append(out, static_cast<std::uint32_t>(reference.size()));
    const auto bytes = std::as_bytes(std::span(reference));
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
  append(out, std::uint64_t{out.size() - begin + sizeof(std::uint64_t)});
}

item_parts split_references(std::span<const std::byte> item, bool has_references) {
  if (!has_references) return {.body = item, .references = {}};
  const auto refuse = [&item](const std::string& what) {
    throw corrupt_segment("weir: read an item of " + std::to_string(item.size()) + " bytes: its list of references " +
                          what);
  };
  if (item.size() < sizeof(std::uint64_t)) refuse("is missing");
  const auto list_bytes = read<std::uint64_t>(item.last(sizeof(std::uint64_t)));
  if (list_bytes > item.size() || list_bytes < sizeof(std::uint64_t)) {
    refuse("is " + std::to_string(list_bytes) + " bytes long");
  }
  item_parts parts{.body = item.first(item.size() - list_bytes), .references = {}};
  std::span<const std::byte> list = item.subspan(parts.body.size(), list_bytes - sizeof(std::uint64_t));
  while (!list.empty()) {
    if (list.size() < sizeof(std::uint32_t)) refuse("ends in the middle");
    const auto length = read<std::uint32_t>(list);
    list = list.subspan(sizeof(std::uint32_t));
    if (length == 0 || length > kLongestReference || length > list.size()) {
      refuse("has a name of " + std::to_string(length) + " characters");
    }
    parts.references.emplace_back(reinterpret_cast<const char*>(list.data()), length);
    list = list.subspan(length);
  }
  return parts;
}

void release_references(std::span<const std::byte> item) {
  for (const std::string_view reference : split_references(item, true).references) unpin(reference);
}

namespace {
// For items that go with their channel.
[[maybe_unused]] const bool kReleaseIsKnown = (channels::set_release_of_items(&release_references), true);
[[maybe_unused]] const bool kArraysAreKnown = (arrays::connect_references(), true);
}  // namespace

std::span<const std::byte> frame_reader::next() {
  const std::uint64_t length = rest_.size() < kFrameHeader ? 0 : read<std::uint64_t>(rest_);
  if (rest_.size() < kFrameHeader || length > rest_.size() - kFrameHeader) {
    throw corrupt_segment("weir: read a value: it is said to have " + std::to_string(length) + " bytes, " +
                          std::to_string(rest_.size()) + " are there with what comes before it");
  }
  const auto value = rest_.subspan(kFrameHeader, length);
  const std::uint64_t padded = (length + kValueAlignment - 1) / kValueAlignment * kValueAlignment;
  rest_ = rest_.subspan(std::min<std::size_t>(kFrameHeader + padded, rest_.size()));
  return value;
}

void frame_reader::expect_end() const {
  if (rest_.empty()) return;
  throw corrupt_segment("weir: read values: " + std::to_string(rest_.size()) + " bytes are left after the last one");
}

}  // namespace weir::detail
