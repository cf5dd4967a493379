// SPDX-License-Identifier: BSL-1.0
#include "weir/detail/division.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <set>
#include <utility>

#include "weir/error.hpp"

namespace weir::detail {
namespace {

/// Each once, the largest first.
std::vector<std::size_t> prime_factors(std::size_t n) {
  std::vector<std::size_t> found;
  for (std::size_t p = 2; p <= n / p; ++p) {
    if (n % p != 0) continue;
    found.push_back(p);
    while (n % p == 0) n /= p;
  }
  if (n > 1) found.push_back(n);
  std::reverse(found.begin(), found.end());
  return found;
}

/// The largest number there is, if it is larger.
std::size_t product(std::span<const std::size_t> factors) {
  std::size_t all = 1;
  for (const std::size_t each : factors) {
    if (each != 0 && all > std::numeric_limits<std::size_t>::max() / each) {
      return std::numeric_limits<std::size_t>::max();
    }
    all *= each;
  }
  return all;
}

/// Chooses the parts that are 0 in `grid`, for as many owners as the others leave.
std::vector<std::size_t> complete_grid(std::vector<std::size_t> grid, std::span<const std::size_t> extents,
                                       std::size_t owners) {
  std::vector<std::size_t> open_dimensions;
  std::vector<std::size_t> open_extents;
  std::size_t fixed = 1;
  for (std::size_t d = 0; d < extents.size(); ++d) {
    if (grid[d] == 0) {
      open_dimensions.push_back(d);
      open_extents.push_back(extents[d]);
    } else {
      fixed *= grid[d];
    }
  }
  if (open_dimensions.empty() || fixed > owners) return grid;  // the latter: to be refused, as it is
  const std::vector<std::size_t> chosen = choose_grid(open_extents, owners / fixed);
  for (std::size_t i = 0; i < chosen.size(); ++i) grid[open_dimensions[i]] = chosen[i];
  return grid;
}

[[noreturn]] void throw_bad_query(std::string_view query) {
  throw corrupt_segment(fmt::format("weir: distributed_array: \"{}\" is no division of this array", query));
}

/// The numbers of `text`, with `separator` between them; nothing if it is something else.
template <class Number>
std::vector<Number> numbers(std::string_view text, char separator) {
  std::vector<Number> found;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (;;) {
    Number value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc()) return {};
    found.push_back(value);
    if (next == end) return found;
    if (*next != separator) return {};
    at = next + 1;
  }
}

void check_owners(const std::string& operation, std::span<const process_id> owners) {
  if (owners.empty()) throw invalid_argument(fmt::format("weir: {}: there is no owner", operation));
  std::set<process_id> seen;
  for (const process_id each : owners) {
    if (each == 0) {
      throw invalid_argument(fmt::format("weir: {}: one of the owners is a handle to no process", operation));
    }
    if (!seen.insert(each).second) {
      throw invalid_argument(fmt::format("weir: {}: worker {} is named twice, expected: once", operation, each));
    }
  }
}

}  // namespace

std::string extents_text(std::span<const std::size_t> extents) { return fmt::format("{}", fmt::join(extents, "x")); }

std::vector<std::size_t> choose_grid(std::span<const std::size_t> extents, std::size_t parts) {
  std::vector<std::size_t> left(extents.begin(), extents.end());
  std::vector<std::size_t> grid(extents.size(), 1);
  for (const std::size_t factor : prime_factors(parts)) {
    for (; parts % factor == 0; parts /= factor) {
      const auto longest = std::max_element(left.rbegin(), left.rend());  // from behind: the last of equals
      if (*longest < factor) continue;
      *longest /= factor;
      grid[static_cast<std::size_t>(left.rend() - longest) - 1] *= factor;
    }
  }
  return grid;
}

std::vector<std::size_t> cut(std::size_t extent, std::size_t parts) {
  const std::size_t size = extent / parts;
  const std::size_t longer = extent % parts;
  std::vector<std::size_t> begins(parts + 1);
  for (std::size_t i = 0; i <= parts; ++i) begins[i] = i * size + std::min(i, longer);
  return begins;
}

division::division(const std::string& operation, std::span<const std::size_t> extents, division_request request)
    : grid_(std::move(request.grid)), owners_(std::move(request.owners)) {
  check_owners(operation, owners_);
  for (const std::size_t each : extents) {
    if (each != 0) continue;
    throw invalid_argument(
        fmt::format("weir: {}: the extents are {}, expected: none is 0", operation, extents_text(extents)));
  }
  if (request.owners_were_named && owners_.size() > product(extents)) {
    throw invalid_argument(fmt::format("weir: {}: there are {} owners for {} elements, expected: not more", operation,
                                       owners_.size(), product(extents)));
  }
  if (!request.owners_were_named) {  // as Julia does
    owners_.resize(std::min(owners_.size(), *std::max_element(extents.begin(), extents.end())));
  }
  if (grid_.empty()) grid_.assign(extents.size(), 0);
  if (grid_.size() != extents.size()) {
    throw invalid_argument(fmt::format("weir: {}: the grid {} has {} dimensions, expected: {}", operation, grid_text(),
                                       grid_.size(), extents.size()));
  }
  grid_ = complete_grid(std::move(grid_), extents, owners_.size());
  for (std::size_t d = 0; d < extents.size(); ++d) {
    if (grid_[d] <= extents[d]) continue;
    throw invalid_argument(fmt::format("weir: {}: the grid {} divides {} elements into {} parts, expected: not more",
                                       operation, grid_text(), extents[d], grid_[d]));
  }
  if (product(grid_) > owners_.size() || product(grid_) == 0) {
    throw invalid_argument(fmt::format("weir: {}: the grid {} has more parts than there are owners ({})", operation,
                                       grid_text(), owners_.size()));
  }
  owners_.resize(product(grid_));
  make_cuts(extents);
}

division::division(std::span<const std::size_t> extents, std::string_view query) {
  constexpr std::string_view kGrid = "?grid=";
  constexpr std::string_view kOwners = "&owners=";
  const std::size_t at = query.find(kOwners);
  if (!query.starts_with(kGrid) || at == std::string_view::npos) throw_bad_query(query);
  grid_ = numbers<std::size_t>(query.substr(kGrid.size(), at - kGrid.size()), 'x');
  owners_ = numbers<process_id>(query.substr(at + kOwners.size()), ',');
  bool fits = grid_.size() == extents.size() && !owners_.empty() && product(grid_) == owners_.size();
  for (std::size_t d = 0; fits && d < extents.size(); ++d) fits = grid_[d] != 0 && grid_[d] <= extents[d];
  if (!fits) throw_bad_query(query);
  make_cuts(extents);
}

void division::make_cuts(std::span<const std::size_t> extents) {
  for (std::size_t d = 0; d < extents.size(); ++d) cuts_.push_back(cut(extents[d], grid_[d]));
}

std::size_t division::part_of(std::size_t block, std::size_t dimension) const noexcept {
  for (std::size_t d = 0; d < dimension; ++d) block /= grid_[d];
  return block % grid_[dimension];
}

std::size_t division::block_at(std::span<const std::size_t> indices) const noexcept {
  std::size_t block = 0;
  for (std::size_t d = rank(); d-- > 0;) {
    const std::vector<std::size_t>& begins = cuts_[d];
    const auto after = std::upper_bound(begins.begin(), begins.end(), indices[d]);
    block = block * grid_[d] + static_cast<std::size_t>(after - begins.begin()) - 1;
  }
  return block;
}

std::size_t division::block_of(process_id owner) const noexcept {
  return static_cast<std::size_t>(std::find(owners_.begin(), owners_.end(), owner) - owners_.begin());
}

std::string division::query() const {
  return fmt::format("?grid={}&owners={}", fmt::join(grid_, "x"), fmt::join(owners_, ","));
}

std::string division::grid_text() const { return extents_text(grid_); }

}  // namespace weir::detail
