// SPDX-License-Identifier: BSL-1.0
#include <fmt/format.h>

#include <sstream>

#include "inspect/array_elements.hpp"
#include "inspect/value_reader.hpp"
#include "weir/detail/distributed_text.hpp"
#include "weir/error.hpp"
#include "weir_commands.hpp"
#include "weir_output.hpp"
#include "weir_values.hpp"

namespace weir::command {
namespace {

using inspect::array_elements;
using inspect::index_range;

constexpr std::uint64_t kMostForStatistics = std::uint64_t{1} << 30U;
constexpr std::uint64_t kMostShown = 1'000'000;  // elements of a range

class array_peeker {
 public:
  array_peeker(const array_elements& elements, std::vector<index_range> range)
      : elements_(elements),
        range_(std::move(range)),
        reader_(elements.type(), detail::item_kind::bytes),
        bytes_(elements.element_bytes()) {}

  [[nodiscard]] std::vector<std::size_t> extents() const {
    std::vector<std::size_t> out;
    for (const index_range& each : range_) out.push_back(each.end - each.begin);
    return out;
  }

  /// `index` counts from the range's beginning.
  inspect::value at(std::span<const std::size_t> index) {
    std::vector<std::size_t> whole(index.begin(), index.end());
    for (std::size_t d = 0; d < whole.size(); ++d) whole[d] += range_[d].begin;
    elements_.read_or_throw("peek", elements_.place_of(whole) * elements_.element_bytes(), bytes_);
    inspect::value out = reader_.read(bytes_);
    is_damaged_ = is_damaged_ || !damage_in(out).empty();
    return out;
  }

  /// Nested arrays, as many levels as there are dimensions.
  json to_json() {
    std::vector<std::size_t> index(range_.size());
    return nested(index, 0);
  }

  [[nodiscard]] bool is_damaged() const noexcept { return is_damaged_; }

 private:
  json nested(std::vector<std::size_t>& index, std::size_t dimension) {
    if (dimension == range_.size()) return command::to_json(at(index));
    json out = json::array();
    for (index[dimension] = 0; index[dimension] < range_[dimension].end - range_[dimension].begin; ++index[dimension]) {
      out.push_back(nested(index, dimension + 1));
    }
    index[dimension] = 0;
    return out;
  }

  const array_elements& elements_;
  std::vector<index_range> range_;
  inspect::value_reader reader_;
  std::vector<std::byte> bytes_;
  bool is_damaged_ = false;
};

void print_heading(const inspect::array_report& report, const array_elements& elements,
                   const std::optional<inspect::statistics>& numbers, bool is_large) {
  fmt::print("{}  {} {} of {}\n", printable(report.segment.name), fmt::join(elements.extents(), "x"),
             inspect::text_of(elements.order()), printable(elements.type()));
  std::string text = counted(elements.count(), "element");
  if (numbers && !numbers->least.empty()) {
    text += fmt::format(", {} to {}, mean {}", numbers->least, numbers->greatest, numbers->mean);
  }
  if (numbers && numbers->not_numbers != 0) text += fmt::format(", {} NaN", numbers->not_numbers);
  if (is_large) text += " (too many for least, greatest and mean: --statistics makes them)";
  fmt::print("{}\n", text);
}

int peek_elements(const peek_options& options, const inspect::array_report& report, const array_elements& elements) {
  std::vector<index_range> range;
  try {
    range = inspect::parse_range(options.range.empty() ? ":" : options.range, elements.extents());
  } catch (const invalid_argument& e) {
    complain("peek", report.segment.name, e.what());
    return kUsage;
  }
  array_peeker peeker(elements, range);
  const bool is_large = elements.bytes() > kMostForStatistics && !options.all_statistics;
  const auto numbers = is_large ? std::nullopt : elements.make_statistics();
  const std::vector<std::size_t> shown = peeker.extents();
  std::uint64_t count = 1;
  for (const std::size_t each : shown) count *= each;
  if (!options.json) {
    print_heading(report, elements, numbers, is_large);
    std::ostringstream text;
    // Of a large array the corners, as of a distributed array that is written to a stream.
    const auto text_at = [&](std::span<const std::size_t> index) { return printable(text_of(peeker.at(index))); };
    detail::print_elements(text, shown, text_at);
    fmt::print("{}\n", text.str());
    return peeker.is_damaged() ? kProblem : kFine;
  }
  json out{{"name", report.segment.name},
           {"kind", "array"},
           {"type", report.segment.header->type},
           {"element_type", elements.type()},
           {"element_bytes", elements.element_bytes()},
           {"extents", elements.extents()},
           {"order", inspect::text_of(elements.order())},
           {"elements", elements.count()},
           {"numbers", numbers ? to_json(*numbers) : json(nullptr)}};
  out["range"] = nullptr;
  out["values"] = nullptr;
  if (!options.range.empty() || count <= kMostShown / 1000) {
    if (count > kMostShown) {
      complain("peek", report.segment.name, fmt::format("the range has {} elements, more than {}", count, kMostShown));
      return kUsage;
    }
    json bounds = json::array();
    for (const index_range& each : range) bounds.push_back({each.begin, each.end});
    out["range"] = std::move(bounds);
    out["values"] = peeker.to_json();
  }
  print(out);
  return peeker.is_damaged() ? kProblem : kFine;
}

}  // namespace

int peek_array(const peek_options& options, inspect::checked_segment checked) {
  const inspect::checked_segment file{inspect::segment_file(checked.report.name),
                                      {}};  // describe_array takes the other
  const inspect::array_report report = inspect::describe_array(std::move(checked));
  if (!report.readable) {
    complain("peek", report.segment.name, fmt::format("corrupt: {}", report.segment.why));
    return kProblem;
  }
  const array_elements elements(report, file.file);
  if (!elements.why().empty()) {
    complain("peek", report.segment.name, elements.why());
    return kProblem;
  }
  return peek_elements(options, report, elements);
}

}  // namespace weir::command
