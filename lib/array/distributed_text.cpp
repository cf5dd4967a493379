// SPDX-License-Identifier: BSL-1.0
#include "weir/detail/distributed_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iomanip>
#include <vector>

namespace weir::detail {
namespace {

constexpr std::size_t kShowAll = 100;  // elements
constexpr std::size_t kEdge = 3;       // of a larger array, at each end of a dimension
constexpr std::size_t kGap = static_cast<std::size_t>(-1);

/// Indices of a dimension to be shown, kGap where some are left out.
std::vector<std::size_t> shown(std::size_t extent, bool all) {
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < extent; ++i) {
    if (all || extent <= 2 * kEdge + 1 || i < kEdge || i >= extent - kEdge) {
      indices.push_back(i);
    } else if (indices.back() != kGap) {
      indices.push_back(kGap);
    }
  }
  return indices;
}

struct printer {
  std::ostream& out;
  std::vector<std::vector<std::size_t>> shown_of;  // for each dimension
  const std::function<std::string(std::span<const std::size_t>)>& text_at;
  std::vector<std::size_t> index{};
  std::size_t width = 0;

  /// f(the element's text) for each that is shown.
  template <class F>
  void visit(std::size_t dimension, const F& f) {
    if (dimension == shown_of.size()) return f(text_at(index));
    for (const std::size_t i : shown_of[dimension]) {
      if (i == kGap) continue;
      index[dimension] = i;
      visit(dimension + 1, f);
    }
  }

  void print(std::size_t dimension) {
    if (dimension == shown_of.size()) {
      out << std::setw(static_cast<int>(width)) << text_at(index);
      return;
    }
    const std::size_t inner = shown_of.size() - dimension - 1;  // dimensions inside this one
    const std::string between = inner == 0 ? ", " : std::string(",").append(inner, '\n').append(dimension + 1, ' ');
    out << '[';
    bool is_first = true;
    for (const std::size_t i : shown_of[dimension]) {
      if (!is_first) out << between;
      is_first = false;
      if (i == kGap) {
        out << "...";
        continue;
      }
      index[dimension] = i;
      print(dimension + 1);
    }
    out << ']';
  }
};

std::string owners_text(const std::vector<process_id>& owners) {
  if (owners.size() == 1) return fmt::format("worker {}", owners.front());
  if (owners.size() <= 8) return fmt::format("workers {}", fmt::join(owners, ", "));
  return fmt::format("{} workers: {}, {}, {}, ..., {}", owners.size(), owners[0], owners[1], owners[2], owners.back());
}

}  // namespace

void print_division(std::ostream& out, std::string_view type, const division* how) {
  constexpr std::string_view kNamespace = "weir::";
  out << type.substr(type.starts_with(kNamespace) ? kNamespace.size() : 0);
  if (how == nullptr) {
    out << "()";
    return;
  }
  std::vector<std::size_t> extents;
  for (std::size_t d = 0; d < how->rank(); ++d) extents.push_back(how->cuts(d).back());
  out << fmt::format(" {} in {} {} on {}", extents_text(extents), how->grid_text(),
                     how->blocks() == 1 ? "block" : "blocks", owners_text(how->owners()));
}

void print_elements(std::ostream& out, std::span<const std::size_t> extents,
                    const std::function<std::string(std::span<const std::size_t>)>& text_at) {
  std::size_t size = 1;
  for (const std::size_t each : extents) size = each > kShowAll ? kShowAll + 1 : std::min(size * each, kShowAll + 1);
  printer p{out, {}, text_at};
  for (const std::size_t each : extents) p.shown_of.push_back(shown(each, size <= kShowAll));
  p.index.resize(extents.size());
  p.visit(0, [&](const std::string& text) { p.width = std::max(p.width, text.size()); });
  const auto flags = out.flags();
  out << std::right;
  p.print(0);
  out.flags(flags);
}

}  // namespace weir::detail
