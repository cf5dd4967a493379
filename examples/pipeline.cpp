// SPDX-License-Identifier: BSL-1.0
//
// Three workers in a row: the first makes pictures, the second smooths them, the third measures them. A picture of 4 MiB
// is not copied on its way, neither through the control process nor from one worker to the next. Two ways:
//
//   by handle     the picture is an array; what goes through the channels is its handle. Three arrays go round: the last
//                 worker puts them back for the first one, which so can be three pictures ahead, no more.
//   in place      the picture is an item of a channel: the first worker writes it where it will lie in the channel (a
//                 loan), the second one reads it there (a view) while it writes the smoothed one into the next channel.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iomanip>
#include <iostream>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "weir/weir.hpp"

namespace {

constexpr std::size_t kRows = 1024;
constexpr std::size_t kColumns = 1024;
constexpr std::uint32_t kPictures = 8;
constexpr std::size_t kArrays = 3;

// ---------------------------------------------------------------------------------------------- what the stages do

/// A ring around the middle, wider from picture to picture.
void make(std::uint32_t number, float* pixels) {
  for (std::size_t i = 0; i < kRows; ++i) {
    for (std::size_t j = 0; j < kColumns; ++j) {
      const auto y = static_cast<float>(i) - kRows / 2;
      const auto x = static_cast<float>(j) - kColumns / 2;
      const float inner = 50.0F * static_cast<float>(number + 1);
      const float square = x * x + y * y;
      pixels[i * kColumns + j] = square > inner * inner && square < (inner + 20) * (inner + 20) ? 1.0F : 0.0F;
    }
  }
}

/// Each pixel becomes the mean of itself and its neighbours in the row; `to` may be `from`.
void smooth(const float* from, float* to) {
  for (std::size_t i = 0; i < kRows; ++i) {
    const float* row = from + i * kColumns;
    float before = row[0];
    for (std::size_t j = 0; j < kColumns; ++j) {
      const float here = row[j];
      const float after = row[std::min(j + 1, kColumns - 1)];
      to[i * kColumns + j] = (before + here + after) / 3;
      before = here;
    }
  }
}

struct measure {
  std::uint32_t picture = 0;
  double mean = 0;
  double edges = 0;  // part of the pixels that are neither black nor white
  friend bool operator==(const measure&, const measure&) = default;
};

measure measured(std::uint32_t number, std::span<const float> pixels) {
  double sum = 0;
  std::size_t edges = 0;
  for (const float each : pixels) {
    sum += static_cast<double>(each);
    if (each > 0.01F && each < 0.99F) ++edges;
  }
  const auto count = static_cast<double>(pixels.size());
  return {number, sum / count, static_cast<double>(edges) / count};
}

// ------------------------------------------------------------------------------------------------------- by handle

using picture = weir::array<float, 2>;

struct numbered {
  std::uint32_t number = 0;
  picture pixels;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(number, pixels);
  }
};
using pictures = weir::channel<numbered>;

void make_pictures(weir::channel<picture> unused, pictures out) {
  for (std::uint32_t n = 0; n < kPictures; ++n) {
    const picture next = unused.take();
    make(n, next.data());
    out.put({n, next});
  }
  out.close();
}

void smooth_pictures(pictures in, pictures out) {
  for (const numbered& each : in) {
    smooth(each.pixels.data(), each.pixels.data());
    out.put(each);
  }
  out.close();
}

std::vector<measure> measure_pictures(pictures in, weir::channel<picture> unused) {
  std::vector<measure> all;
  std::set<std::uint64_t> arrays;
  for (const numbered& each : in) {
    all.push_back(measured(each.number, each.pixels.span()));
    arrays.insert(each.pixels.id());
    unused.put(each.pixels);
  }
  std::cout << all.size() << " pictures came in " << arrays.size() << " arrays" << std::endl;
  return all;
}

std::vector<measure> by_handle(const std::vector<weir::worker>& workers) {
  weir::channel<picture> unused(kArrays);
  for (std::size_t i = 0; i < kArrays; ++i) unused.put(picture({kRows, kColumns}));
  const pictures raw(kArrays);
  const pictures smoothed(kArrays);
  const auto made = workers[0].call(make_pictures, unused, raw);
  const auto through = workers[1].call(smooth_pictures, raw, smoothed);
  auto result = workers[2].fetch(measure_pictures, smoothed, unused);
  made.get();
  through.get();
  return result;
}

// -------------------------------------------------------------------------------------------------------- in place

using items = weir::channel<std::vector<float>>;

void make_items(items out) {
  for (std::uint32_t n = 0; n < kPictures; ++n) {
    auto room = out.loan(kRows * kColumns);
    make(n, room.data());
    out.put(std::move(room));
  }
  out.close();
}

/// Calls f(view) for each item until the channel is closed.
template <class F>
void for_each_view(items& in, F&& f) {
  try {
    for (;;) f(in.take_view());
  } catch (const weir::channel_closed&) {
  }
}

void smooth_items(items in, items out) {
  for_each_view(in, [&](const auto& seen) {
    auto room = out.loan(seen.size());
    smooth(seen.data(), room.data());
    out.put(std::move(room));
  });
  out.close();
}

std::vector<measure> measure_items(items in) {
  std::vector<measure> all;
  for_each_view(in, [&](const auto& seen) {
    all.push_back(measured(static_cast<std::uint32_t>(all.size()), {seen.data(), seen.size()}));
  });
  return all;
}

std::vector<measure> in_place(const std::vector<weir::worker>& workers) {
  const items raw(kArrays);
  const items smoothed(kArrays);
  const auto made = workers[0].call(make_items, raw);
  const auto through = workers[1].call(smooth_items, raw, smoothed);
  auto result = workers[2].fetch(measure_items, smoothed);
  made.get();
  through.get();
  return result;
}

}  // namespace

int main() {
  weir::session session;
  const auto workers = session.add_workers(3);
  const std::vector<measure> found = by_handle(workers);
  std::cout << std::fixed << std::setprecision(4);
  for (const measure& each : found) {
    std::cout << "picture " << each.picture << ": mean " << each.mean << ", edges " << each.edges << '\n';
  }
  const bool same = in_place(workers) == found;
  std::cout << "in place: " << (same ? "the same" : "NOT THE SAME") << '\n';
  return same ? EXIT_SUCCESS : EXIT_FAILURE;
}
