// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <any>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/detail/future_core.hpp"
#include "weir/detail/payload.hpp"
#include "weir/detail/session_core.hpp"
#include "weir/ids.hpp"
#include "weir/map_options.hpp"

/// Maps and reductions without their types: what map_call.hpp stands on. Control process only.
namespace weir::detail {

/// An item of a map under way.
struct map_item {
  std::size_t index = 0;       // in the range, and in the results
  std::size_t place = 0;       // where the job keeps its value
  int attempts = 0;            // how often it has failed
  process_id failed_on = 0;    // where it did so last
  std::exception_ptr error{};  // with what
};

/// The items of a map with their types: where they come from, how they travel, and where their results go. Called by one
/// thread.
class map_job {
 public:
  map_job(const map_job&) = delete;
  map_job& operator=(const map_job&) = delete;

  /// What runs a batch: see map_call.hpp.
  [[nodiscard]] virtual call_target target() const noexcept = 0;
  /// 0 if the range does not know.
  [[nodiscard]] virtual std::size_t total() const noexcept = 0;
  /// Takes the next item from the range and keeps its value; nothing if there is none left. Throws what the range throws.
  [[nodiscard]] virtual std::optional<map_item> pull() = 0;
  /// Encodes the arguments of a call that runs these items. Their values stay where they are until they are let go.
  virtual void encode(encoder& to, std::span<const map_item> items) const = 0;
  /// Takes apart what such a call on `from` returned: stores the results, and sets the errors of items that failed (it
  /// has an element for each item, all null). Throws corrupt_segment.
  virtual void store(std::span<const map_item> items, std::span<const std::byte> body, process_id from,
                     std::span<std::exception_ptr> errors) = 0;
  /// Stores what stands for an item's result. False: the value is of no use as one.
  [[nodiscard]] virtual bool substitute(const map_item& item, const std::any& value) = 0;
  /// The results' type, for people; empty: there are no results.
  [[nodiscard]] virtual std::string_view result_type() const noexcept = 0;
  /// Lets the value of an item go.
  virtual void let_go(const map_item& item) noexcept = 0;

 protected:
  map_job() = default;
  ~map_job() = default;
};

/// Runs the whole map. Waits, without using the CPU.
void run_map(map_job& job, const map_options& options);

/// The exception as the value of a frame, and what future::get() throws for one that left a function on `from`.
void encode_error(encoder& to, const std::exception_ptr& error);
[[nodiscard]] std::exception_ptr decode_error(std::span<const std::byte> body, process_id from);

/// The address of a function as the value of a frame (nothing for null), and what it is in this process.
void encode_code(encoder& to, const void* function);
[[nodiscard]] const void* decode_code(std::span<const std::byte> body);

/// The answer to a call that ran on the calling thread: as from another process, everything copied.
class answer_here {
 public:
  /// Runs it. Throws remote_error, of this process, if the function does.
  answer_here(const call_target& target, encoder& arguments);
  answer_here(const answer_here&) = delete;
  answer_here& operator=(const answer_here&) = delete;
  ~answer_here();
  [[nodiscard]] std::span<const std::byte> body() const noexcept { return body_; }

 private:
  std::vector<std::byte> body_;
  std::vector<std::string> references_;  // pinned
};

/// The running workers, in the order of their numbers, without those that have been told to end.
[[nodiscard]] std::vector<peer_handle> running_peers();

}  // namespace weir::detail
