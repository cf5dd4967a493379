// SPDX-License-Identifier: BSL-1.0
#include <fmt/format.h>

#include <algorithm>

#include "array/npy.hpp"
#include "inspect/array_elements.hpp"
#include "segment/new_file.hpp"
#include "segment/space.hpp"
#include "weir/error.hpp"
#include "weir_commands.hpp"
#include "weir_output.hpp"
#include "weir_values.hpp"

namespace weir::command {
namespace {

using inspect::array_elements;

constexpr std::uint64_t kPiece = std::uint64_t{16} << 20U;  // read and written at a time

struct export_options {
  std::string name;
  std::string file;
  std::string order;  // empty: as it lies
  bool force = false;
  bool json = false;
};

void copy_as_it_lies(const array_elements& elements, shm::new_file& file) {
  std::vector<std::byte> piece(std::min(kPiece, elements.bytes()));
  for (std::uint64_t done = 0; done < elements.bytes();) {
    const auto part = std::span(piece).first(std::min<std::uint64_t>(piece.size(), elements.bytes() - done));
    elements.read_or_throw("export", done, part);
    file.write(part);
    done += part.size();
  }
}

/// The other order. What lies there is a table of `rows`, the slowest dimension, by all that lies in one of them; it is
/// turned over a tile at a time: each tile is read in runs of its columns and written in runs of its rows.
class reorderer {
 public:
  explicit reorderer(const array_elements& elements)
      : elements_(elements), each_(elements.element_bytes()), extents_(elements.extents()) {
    // An array in column-major order is one in row-major order whose dimensions are reversed.
    if (elements.order() == order::column_major) std::reverse(extents_.begin(), extents_.end());
    rows_ = extents_.front();
    columns_ = elements.count() / rows_;
  }

  void copy_to(shm::new_file& file) {
    const std::uint64_t begin = file.end();
    constexpr std::uint64_t kRows = 4096;
    const std::uint64_t rows = std::min(rows_, kRows);
    const std::uint64_t columns = std::clamp<std::uint64_t>(kPiece / each_ / rows, 1, columns_);
    for (std::uint64_t row = 0; row < rows_; row += rows) {
      for (std::uint64_t column = 0; column < columns_; column += columns) {
        turn_over(file, begin, row, std::min(rows, rows_ - row), column, std::min(columns, columns_ - column));
      }
    }
  }

 private:
  void turn_over(shm::new_file& file, std::uint64_t begin, std::uint64_t row, std::uint64_t rows, std::uint64_t column,
                 std::uint64_t columns) {
    tile_.resize(rows * columns * each_);
    run_.resize(rows * each_);
    for (std::uint64_t r = 0; r < rows; ++r) {
      const auto into = std::span(tile_).subspan(r * columns * each_, columns * each_);
      elements_.read_or_throw("export", ((row + r) * columns_ + column) * each_, into);
    }
    for (std::uint64_t c = 0; c < columns; ++c) {
      for (std::uint64_t r = 0; r < rows; ++r) {
        std::copy_n(tile_.data() + (r * columns + c) * each_, each_, run_.data() + r * each_);
      }
      file.write_at(begin + (place_of_column(column + c) * rows_ + row) * each_, run_);
    }
  }

  /// A column is the indices of all dimensions but the slowest, the last one running fastest; this is where it comes if
  /// the second one does.
  [[nodiscard]] std::uint64_t place_of_column(std::uint64_t column) const noexcept {
    std::uint64_t place = 0;
    std::uint64_t stride = columns_;
    for (std::size_t d = extents_.size() - 1; d > 0; --d) {
      stride /= extents_[d];
      place += column % extents_[d] * stride;
      column /= extents_[d];
    }
    return place;
  }

  const array_elements& elements_;
  std::uint64_t each_;
  std::vector<std::uint64_t> extents_;
  std::uint64_t rows_ = 1;
  std::uint64_t columns_ = 1;
  std::vector<std::byte> tile_;
  std::vector<std::byte> run_;
};

int write(const export_options& options, const inspect::array_report& report, const array_elements& elements) {
  const std::string descr = elements.numpy_type();
  if (descr.empty()) {
    complain("export", report.segment.name,
             fmt::format("its elements are of type {}; .npy files are written of numbers only", elements.type()));
    return kProblem;
  }
  detail::array_shape shape;
  shape.rank = static_cast<std::uint32_t>(elements.extents().size());
  std::copy(elements.extents().begin(), elements.extents().end(), shape.extents.begin());
  shape.order = elements.order();
  if (options.order == "row") shape.order = order::row_major;
  if (options.order == "column") shape.order = order::column_major;

  shm::new_file file("export to", options.file, options.force, kForceOverwrites);
  const std::string header = arrays::make_npy_header(shape, descr);
  file.write(std::as_bytes(std::span(header)));
  if (shape.order == elements.order() || shape.rank == 1) {
    copy_as_it_lies(elements, file);
  } else {
    reorderer(elements).copy_to(file);
  }
  const std::uint64_t file_bytes = file.end();
  file.commit();
  if (options.json) {
    print({{"array", report.segment.name},
           {"file", options.file},
           {"element_type", elements.type()},
           {"numpy_type", descr},
           {"extents", elements.extents()},
           {"order", inspect::text_of(shape.order)},
           {"file_bytes", file_bytes}});
  } else {
    fmt::print("{}: {} {} of {} ({}), {}\n", printable(options.file), fmt::join(elements.extents(), "x"),
               inspect::text_of(shape.order), printable(elements.type()), descr, shm::readable(file_bytes));
  }
  return kFine;
}

int run(const export_options& options) {
  const std::string name = inspect::resolve_name(options.name);
  inspect::checked_segment checked = inspect::check_segment(name);
  if (!check_readable("export", "an array", false, true, checked.report)) return kProblem;
  const inspect::segment_file file(name);
  const inspect::array_report report = inspect::describe_array(std::move(checked));
  if (!report.readable) {
    complain("export", name, fmt::format("corrupt: {}", report.segment.why));
    return kProblem;
  }
  const array_elements elements(report, file);
  if (!elements.why().empty()) {
    complain("export", name, elements.why());
    return kProblem;
  }
  try {
    return write(options, report, elements);
  } catch (const error& e) {
    return fail(e);
  }
}

}  // namespace

void add_export(CLI::App& app, action& chosen) {
  const auto options = std::make_shared<export_options>();
  CLI::App* const self = app.add_subcommand("export", "Writes an array's elements to a .npy file, for NumPy");
  self->add_option("ARRAY", options->name, "Its name, with or without the leading `weir.`")->required();
  self->add_option("FILE", options->file, "The file, which appears when it is complete")->required();
  self->add_option("--order", options->order,
                   "Which index runs slowest in the file: row (the first), column (the last)")
      ->check(CLI::IsMember({"row", "column"}))
      ->type_name("row|column");
  self->add_flag("--force", options->force, "Replace a file of that name");
  self->add_flag("--json", options->json, "Print JSON");
  on_parsed(*self, chosen, options, run);
}

}  // namespace weir::command
