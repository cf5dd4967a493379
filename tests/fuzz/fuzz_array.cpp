// SPDX-License-Identifier: BSL-1.0
// Arrays and teams whose bytes are not what they should be, when they are opened or while they are used; and .npy files that
// are made up.
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "array/array_layout.hpp"
#include "fuzz/input.hpp"
#include "fuzz/segment_bytes.hpp"
#include "fuzz/wrapped_calls.hpp"
#include "inspect/array.hpp"
#include "inspect/array_elements.hpp"
#include "inspect/segments.hpp"
#include "inspect/team.hpp"
#include "runtime/team_core.hpp"
#include "weir/array.hpp"
#include "weir/detail/channel_core.hpp"
#include "weir/error.hpp"

namespace weir::fuzz {
namespace {

using detail::array_handle;

struct array_image {
  const detail::item_type* type;
  segment_image bytes;
};

template <class Array>
array_image make(const typename Array::extents_type& extents, const array_options& options) {
  const std::string name = own_name("array");
  static_cast<void>(Array::create(name, extents, options));
  return {&detail::array_type<typename Array::value_type, Array::rank()>(), segment_image(name)};
}

const std::vector<array_image>& images() {
  static const auto* const all =
      new std::vector<array_image>{make<weir::array<double>>({100}, {.max_rows = 1000}),
                                   make<weir::array<std::uint16_t, 3>>({2, 3, 4}, {.max_rows = 9}),
                                   make<weir::array<float, 2>>({5, 6}, {.order = order::column_major})};
  return *all;
}

const segment_image& team_image() {
  static const auto* const image = [] {
    const std::string name = own_name("team");
    constexpr std::array<process_id, 3> kProcesses{2, 3, 4};
    static_cast<void>(runtime::team_segment::create(name, kProcesses));
    return new segment_image(name);
  }();
  return *image;
}

/// A field of the header that all segments have, of the array's or the team's own, of a seat or a rank; or the length.
void damage(input& from, segment_file_copy& file, bool may_resize) {
  const std::uint8_t where = from.byte();
  if (where == 0 && may_resize) return file.resize(from.number<std::uint32_t>(), from.byte() % 2 == 0);
  std::uint64_t at = 4 * (where % 32U);
  if (where % 4 == 1) at = arrays::kHeaderOffset + 4 * from.below(160);
  if (where % 4 == 2) at = arrays::kHeaderOffset + 8 * from.below(20);
  if (where % 4 == 3) at = arrays::kSeatsOffset + 8 * from.below(40);
  if (from.byte() % 2 == 0) return file.write(at, from.number<std::uint64_t>());
  file.write(at, from.number<std::uint32_t>());
}

class user {
 public:
  explicit user(const array_image& image, segment_file_copy& file)
      : file_(file), core_(detail::open_named_array(image.bytes.name(), *image.type)) {}

  void do_one(input& from) {
    const std::uint8_t what = from.byte();
    const std::uint8_t choice = from.byte();
    try {
      operate(what, choice, from);
    } catch (const weir::error&) {
      // Any of them fits what was done to the bytes.
    }
  }

 private:
  void operate(std::uint8_t what, std::uint8_t choice, input& from) {
    array_mutex& mutex = detail::mutex_of(*core_);
    switch (what % 9) {
      case 0: {
        const detail::array_shape shape = detail::shape_of(*core_);
        sum_ += detail::strides_of(shape)[0] + detail::text_of(shape).size();
        return;
      }
      case 1: return detail::resize_array_rows(*core_, choice);
      case 2:
        if (mutex.try_lock_for(std::chrono::milliseconds(choice % 2))) mutex.unlock();
        return;
      case 3:
        if (mutex.try_lock_shared_for(std::chrono::milliseconds(choice % 2))) mutex.unlock_shared();
        return;
      case 4: sum_ += mutex.owner_died() ? 1U : 0U; return;
      case 5: return detail::unpin(detail::pin_array(core_));
      case 6: {
        std::ostringstream out;
        detail::print_array(out, "array", core_);
        sum_ += out.str().size() + detail::name(*core_).size() + detail::id(*core_);
        return;
      }
      case 7: return detail::reserve_array(*core_, choice, 8);
      default: return damage(from, file_, /*may_resize=*/false);
    }
  }

  segment_file_copy& file_;
  array_handle core_;
  std::size_t sum_ = 0;
};

/// As `weir peek` does.
void look_inside(const std::string& name) {
  const inspect::array_report report = inspect::describe_array(name);
  if (!report.readable) return;
  const inspect::segment_file file(name);
  const inspect::array_elements elements(report, file);
  constexpr std::uint64_t kMost = std::uint64_t{1} << 20U;
  if (elements.why().empty() && elements.bytes() <= kMost) static_cast<void>(elements.make_statistics());
  std::vector<std::byte> last(std::min<std::uint64_t>(elements.element_bytes(), kMost));
  static_cast<void>(elements.read(elements.bytes() - last.size(), last));
}

void use_array(input& from) {
  const array_image& image = images()[from.byte() % images().size()];
  segment_file_copy file(image.bytes);
  for (std::uint32_t left = from.byte() % 8; left > 0; --left) damage(from, file, /*may_resize=*/true);
  look_inside(image.bytes.name());
  static_cast<void>(inspect::list(image.bytes.name()));
  try {
    user one(image, file);
    constexpr int kMost = 40;
    for (int done = 0; done < kMost && !from.is_done(); ++done) one.do_one(from);
  } catch (const weir::error&) {
    // Not opened.
  }
}

void use_team(input& from) {
  const segment_image& image = team_image();
  segment_file_copy file(image);
  for (std::uint32_t left = from.byte() % 8; left > 0; --left) damage(from, file, /*may_resize=*/true);
  set_before_read([&] {
    if (!from.is_done()) damage(from, file, /*may_resize=*/true);
  });
  static_cast<void>(inspect::describe_team(image.name()));
  static_cast<void>(inspect::list(image.name()));
  set_before_read({});
  try {
    static_cast<void>(runtime::team_segment::open(image.name()));
  } catch (const weir::error&) {
    // Not opened.
  }
}

void use_npy(input& from) {
  const std::filesystem::path path = std::filesystem::temp_directory_path() / own_name("npy");
  const auto bytes = from.rest();
  const shm::unique_fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file || ::write(file.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) std::abort();
  try {
    const auto a = weir::array<double, 2>::map_npy(path);
    double sum = 0;
    for (const double each : a.span()) sum += each;
    static_cast<void>(sum);
  } catch (const weir::error&) {
    // Not mapped.
  }
  std::filesystem::remove(path);
}

void run(input from) {
  switch (from.byte() % 4) {
    case 0: return use_team(from);
    case 1: return use_npy(from);
    default: return use_array(from);
  }
}

}  // namespace
}  // namespace weir::fuzz

// The name is libFuzzer's.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::fuzz::run({data, size});
  return 0;
}
