// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <functional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/detail/distributed_work.hpp"

/// Sorting by the owners: each sorts its block; then each finds out which elements belong into its block when all are in
/// order, a stretch of every block, and merges those into its part of a second array; then each copies its part back.
namespace weir::detail {

/// From small to large; what is not a number comes last, as in Julia.
struct ascending {
  template <class T>
  [[nodiscard]] constexpr bool operator()(const T& a, const T& b) const {
    if constexpr (std::floating_point<T>) {
      return a < b || (b != b && a == a);
    } else {
      return a < b;
    }
  }
};

/// How many elements of each run are among the first `rank` of all, the runs being sorted; of equal ones those of earlier
/// runs come first.
template <class T, class Less>
[[nodiscard]] std::vector<std::size_t> split_runs(const std::vector<std::span<const T>>& runs, std::size_t rank,
                                                  Less less) {
  // Each answer lies in [low, high]. Each round halves the widest of these, by looking how many come before its middle.
  std::vector<std::size_t> low(runs.size(), 0);
  std::vector<std::size_t> high(runs.size());
  for (std::size_t r = 0; r < runs.size(); ++r) high[r] = runs[r].size();
  std::vector<std::size_t> before(runs.size());
  for (;;) {
    std::size_t widest = 0;
    for (std::size_t r = 1; r < runs.size(); ++r) {
      if (high[r] - low[r] > high[widest] - low[widest]) widest = r;
    }
    if (high[widest] == low[widest]) return low;
    const std::size_t middle = low[widest] + (high[widest] - low[widest]) / 2;
    const T& pivot = runs[widest][middle];
    std::size_t total = 0;
    for (std::size_t r = 0; r < runs.size(); ++r) {
      if (r == widest) {
        before[r] = middle;
      } else {
        const auto at = r < widest ? std::upper_bound(runs[r].begin(), runs[r].end(), pivot, std::ref(less))
                                   : std::lower_bound(runs[r].begin(), runs[r].end(), pivot, std::ref(less));
        before[r] = static_cast<std::size_t>(at - runs[r].begin());
      }
      total += before[r];
    }
    if (total < rank) {  // the pivot is among the first ones, with all before it
      ++before[widest];
      for (std::size_t r = 0; r < runs.size(); ++r) low[r] = std::max(low[r], before[r]);
    } else {
      for (std::size_t r = 0; r < runs.size(); ++r) high[r] = std::min(high[r], before[r]);
    }
  }
}

/// Merges sorted runs; of equal elements those of earlier runs come first.
template <class T, class Less>
void merge_runs(std::vector<std::span<const T>> runs, T* out, Less less) {
  // A heap of the runs' numbers, that of the run with the least head on top.
  const auto comes_later = [&](std::size_t a, std::size_t b) {
    if (less(runs[b].front(), runs[a].front())) return true;
    return !less(runs[a].front(), runs[b].front()) && b < a;
  };
  std::vector<std::size_t> heap;
  for (std::size_t r = 0; r < runs.size(); ++r) {
    if (!runs[r].empty()) heap.push_back(r);
  }
  std::make_heap(heap.begin(), heap.end(), comes_later);
  while (heap.size() > 2) {
    std::pop_heap(heap.begin(), heap.end(), comes_later);
    std::span<const T>& run = runs[heap.back()];
    *out++ = run.front();
    run = run.subspan(1);
    if (run.empty()) {
      heap.pop_back();
    } else {
      std::push_heap(heap.begin(), heap.end(), comes_later);
    }
  }
  std::sort(heap.begin(), heap.end());
  if (heap.size() == 2) {
    const std::span<const T> a = runs[heap[0]];
    const std::span<const T> b = runs[heap[1]];
    std::merge(a.begin(), a.end(), b.begin(), b.end(), out, std::ref(less));
  } else if (heap.size() == 1) {
    std::copy(runs[heap[0]].begin(), runs[heap[0]].end(), out);
  }
}

struct sort_block {
  template <class Less, class D>
  static bool run(Less less, std::size_t block, const D& d) {
    const auto mine = d.block(block);
    typename D::element_type* const first = mine.data();
    if constexpr (std::same_as<Less, ascending> && std::is_arithmetic_v<typename D::element_type>) {
      std::sort(first, first + mine.size(), less);  // equal ones cannot be told apart
    } else {
      std::stable_sort(first, first + mine.size(), std::ref(less));
    }
    return true;
  }
};

struct merge_block {
  template <class Less, class D>
  static bool run(Less less, std::size_t block, const D& from, const D& to) {
    using element = typename D::element_type;
    std::vector<std::span<const element>> runs;
    for (std::size_t b = 0; b < from.blocks(); ++b) {
      const auto each = from.block(b);
      runs.emplace_back(each.data(), each.size());
    }
    const index_range part = from.indices(block)[0];
    const std::vector<std::size_t> begins = split_runs<element>(runs, part.begin, less);
    const std::vector<std::size_t> ends = split_runs<element>(runs, part.end, less);
    for (std::size_t r = 0; r < runs.size(); ++r) runs[r] = runs[r].subspan(begins[r], ends[r] - begins[r]);
    merge_runs<element>(std::move(runs), to.block(block).data(), less);
    return true;
  }
};

}  // namespace weir::detail
