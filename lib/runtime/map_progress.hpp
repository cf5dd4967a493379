// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "weir/map_options.hpp"

namespace weir::runtime {

/// How far a map has come, as text: `[=====>    ]  500/1000 (50 %)  120.5/s  0:04 left`; `total` 0: it is not known.
/// Of at most `columns` characters: what does not fit is left out.
[[nodiscard]] std::string progress_text(std::size_t done, std::size_t total, std::chrono::duration<double> since_begin,
                                        std::size_t columns);

/// Tells the user of a map how far it has come, as map_options asks for. One thread.
class progress_report {
 public:
  progress_report(const map_options& options, std::size_t total);
  progress_report(const progress_report&) = delete;
  progress_report& operator=(const progress_report&) = delete;
  /// The bar stays as it is then, on a line of its own.
  ~progress_report();

  /// So many are done now. Throws what the user's function throws.
  void tell(std::size_t done);

 private:
  using clock = std::chrono::steady_clock;
  void draw();

  const map_options& options_;
  const std::size_t total_;
  const bool bar_;
  const clock::time_point begin_ = clock::now();
  clock::time_point next_draw_ = begin_;
  std::size_t done_ = 0;
  bool told_ = false;
};

}  // namespace weir::runtime
