// SPDX-License-Identifier: BSL-1.0
#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <system_error>

#include "array/array_core.hpp"
#include "array/file.hpp"
#include "sync/blocking.hpp"
#include "sync/futex.hpp"
#include "weir/detail/crash_point.hpp"
#include "weir/error.hpp"

namespace weir::detail {
namespace {

constexpr std::string_view kResizing = "resize array";

/// Memory for rows that begin at `begin`, all zero. Nobody uses it yet.
void make_rows(shm::segment& segment, std::size_t begin, std::size_t end) {
  // What a shrink whose process died before it had given everything back, or the rest of a page, still holds.
  const std::size_t whole = std::min(end, (begin + shm::kPage - 1) / shm::kPage * shm::kPage);
  std::memset(segment.base() + begin, 0, whole - begin);  // lies in the last page of the rows that there are
  WEIR_CRASH_POINT("array.rows.cleared");
  const std::size_t last = (end + shm::kPage - 1) / shm::kPage * shm::kPage;
  segment.give_back(whole, last - whole);
  segment.reserve(kResizing, whole, last - whole);
}

}  // namespace

void array_core::resize_rows(std::uint64_t rows) {
  expect_not_forked();
  const auto refuse = [&](const std::string& why) {
    throw invalid_argument(fmt::format("weir: {} \"{}\" to {} rows: {}", kResizing, segment_.name(), rows, why));
  };
  if (rows == 0) refuse("it must have 1 or more");
  if (constants_.row_bytes == 0) refuse("it is column_major, its rows lie apart");
  if (rows > constants_.max_rows) {
    refuse(fmt::format("it has room for {} (array_options.max_rows)", constants_.max_rows));
  }
  if (!header_->resizing.is_sound()) throw_corrupt("its lock is not a mutex that weir made");
  std::unique_lock lock(header_->resizing, std::defer_lock);
  try {
    if (!lock.try_lock()) {
      name_in_trace();
      sync::blocking_scope blocking(
          {.what = sync::wait_kind::array_resize, .number = segment_.file_number(), .object = segment_.name()});
      blocking.about_to_sleep();
      while (!lock.try_lock_for(sync::kLongestSleep)) check_holder(header_->resizing);
    }
  } catch (const std::system_error& e) {
    throw_corrupt(fmt::format("its lock cannot be had: {}", e.what()));
  }
  static_cast<void>(header_->resizing.take_damage());  // nothing to repair: see the layout
  WEIR_CRASH_POINT("array.resizing");
  const std::uint64_t before = this->rows();
  if (rows == before) return;
  const std::size_t old_end = constants_.data_offset + bytes_of(constants_, before);
  const std::size_t new_end = constants_.data_offset + bytes_of(constants_, rows);
  if (rows > before) {
    if (file_) {
      lengthen_file(kResizing, segment_.name(), file_.get(), old_end, new_end);
    } else {
      make_rows(segment_, old_end, new_end);
    }
  }
  WEIR_CRASH_POINT("array.rows.made");
  header_->rows.store(rows, std::memory_order_release);  // pairs with rows()
  WEIR_CRASH_POINT("array.rows.stored");
  if (rows < before) {
    if (file_) {
      shorten_file(file_.get(), old_end, new_end);
    } else {
      const std::size_t old_last = (old_end + shm::kPage - 1) / shm::kPage * shm::kPage;
      segment_.give_back(new_end, old_last - new_end);
    }
    WEIR_CRASH_POINT("array.rows.given_back");
  }
}

}  // namespace weir::detail
