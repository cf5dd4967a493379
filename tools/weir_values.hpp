// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <string_view>

#include "inspect/array.hpp"
#include "inspect/segments.hpp"
#include "inspect/value.hpp"
#include "weir/error.hpp"
#include "weir_json.hpp"

/// What the subcommands that read values have in common.
namespace weir::command {

/// A value as JSON: numbers, booleans and strings are themselves, nothing is null, a tuple is an array; the rest are
/// objects with one of the members that docs/schema/peek.schema.json describes.
[[nodiscard]] json to_json(const inspect::value& value);
/// Of numbers: `min`, `max` (null: there are none), `mean`, `nan_count`.
[[nodiscard]] json to_json(const inspect::statistics& numbers);
/// A number if it is one that JSON has, its text otherwise.
[[nodiscard]] json number_json(double number);

/// One line for stderr.
void complain(std::string_view operation, std::string_view object, std::string_view what);

/// The same of an error of the library's, whose text is whole; returns what the command exits with.
int fail(const error& e);

/// Whether a segment is one whose values can be read: a channel or an array, as `takes_…` say and `what` says in words. If
/// not it says why on stderr.
[[nodiscard]] bool check_readable(std::string_view operation, std::string_view what, bool takes_channels,
                                  bool takes_arrays, const inspect::segment_report& segment);

struct peek_options {
  std::string name;
  std::string range;
  std::uint64_t count = 10;
  bool all_statistics = false;
  bool json = false;
};
int peek_array(const peek_options& options, inspect::checked_segment checked);

}  // namespace weir::command
