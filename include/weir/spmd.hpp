// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ranges>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/codec.hpp"
#include "weir/detail/call.hpp"
#include "weir/detail/team_core.hpp"
#include "weir/detail/team_values.hpp"
#include "weir/ids.hpp"

namespace weir {

/// One rank of those that run a function together (session.spmd), as that function sees the others. Ranks count from 0,
/// each is a process of the session. Not made by users, not copied: it is valid while the function runs.
///
/// Collective operations are called by all ranks, in the same order, with the same type and root: each is one rendezvous,
/// in which every rank waits until all have come. send and receive are between two. What is sent travels as in codec.hpp.
///
/// Waiting   collective operations until all ranks have come, receive until there is a message; send while the receiver's
///           inbox (64 messages) is full. None waits for a rank that has ended, thrown or died. A worker that waits so lets
///           its next call run meanwhile.
/// Threads   one at a time: the one that runs the function.
/// Ordering  what a rank wrote (to arrays, say) before a collective operation is visible to all after it. Messages from one
///           rank to another with the same tag arrive in the order sent.
/// Errors    invalid_argument, on all ranks, if they do not call the same, or one has returned: it names both calls. Once a
///           rank has thrown, each operation of the others throws weir::error that says which and what; once one is dead,
///           worker_died. A team that has failed stays so. no_space, item_too_large: what this rank brought did not fit.
/// Crash     a rank that is killed anywhere is noticed within a second; it leaves nothing behind.
class team {
 public:
  explicit team(detail::team_core& core) noexcept : core_(core) {}
  team(const team&) = delete;
  team& operator=(const team&) = delete;

  [[nodiscard]] std::size_t rank() const noexcept { return detail::rank_of(core_); }
  [[nodiscard]] std::size_t size() const noexcept { return detail::size_of(core_); }
  /// The process that runs a rank. Throws invalid_argument: there is no such rank.
  [[nodiscard]] process_id process(std::size_t rank) const { return detail::process_of(core_, number(rank)); }

  /// Returns when all ranks have called it.
  void barrier() { const detail::meeting all(core_, {.operation = detail::collective::barrier}); }

  /// The root's value, on all ranks.
  template <class T>
  detail::travelling_t<T> broadcast(const T& value, std::size_t root);

  /// At the root all ranks' values combined with op, in the order of the ranks; elsewhere the rank's own value. op takes
  /// two values; or, if these are vectors, two elements: then it combines element by element, and vectors of unequal
  /// length are an invalid_argument on all ranks.
  template <class T, class Op>
  detail::travelling_t<T> reduce(const T& value, Op op, std::size_t root);
  /// The same, with the result on all ranks: the same bits, since all combine in the same order.
  template <class T, class Op>
  detail::travelling_t<T> all_reduce(const T& value, Op op);

  /// Divides the root's range into as many equal parts as there are ranks, the first for rank 0. What the others pass is not
  /// looked at. invalid_argument, on all ranks: its length is not a multiple of their number.
  template <std::ranges::input_range Range>
  auto scatter(const Range& range, std::size_t root) -> std::vector<detail::element_type<Range>>;
  /// All ranks' values, in their order, at the root; elsewhere nothing.
  template <class T>
  std::vector<detail::travelling_t<T>> gather(const T& value, std::size_t root);
  /// The same, on all ranks.
  template <class T>
  std::vector<detail::travelling_t<T>> all_gather(const T& value);
  /// Each rank brings an element for each rank, and gets what each has brought for it. invalid_argument, on all ranks: a
  /// range has another number of elements than there are ranks.
  template <std::ranges::input_range Range>
  auto all_to_all(const Range& range) -> std::vector<detail::element_type<Range>>;

  /// Returns when the message is in the inbox of that rank; to this rank itself, too.
  template <class T>
  void send(std::size_t rank, std::int64_t tag, const T& value);
  /// The oldest message from that rank with that tag; others are kept. Throws type_mismatch if it is of another type (it is
  /// kept too); invalid_argument if that rank has returned without sending one.
  template <class T>
  T receive(std::size_t rank, std::int64_t tag);
  /// Nothing: none came in time.
  template <class T, class Rep, class Period>
  std::optional<T> receive_for(std::size_t rank, std::int64_t tag, std::chrono::duration<Rep, Period> duration);

 private:
  /// Ranks that there cannot be stay such.
  static std::uint32_t number(std::size_t rank) noexcept {
    return static_cast<std::uint32_t>(std::min<std::size_t>(rank, detail::kNoRoot));
  }
  std::uint32_t checked_root(const char* operation, std::size_t root) const {
    detail::check_rank(core_, operation, number(root));
    return number(root);
  }
  template <class T>
  std::optional<T> receive_until(std::size_t rank, std::int64_t tag, detail::deadline until);
  template <class T>
  std::vector<T> gather_from(const detail::meeting& all);

  detail::team_core& core_;
};

// ------------------------------------------------------------------------------------------------------ what is inside

template <class T>
detail::travelling_t<T> team::broadcast(const T& value, std::size_t root) {
  using sent = detail::travelling_t<T>;
  static_assert(detail::check_travels<sent>());
  const std::uint32_t from = checked_root("broadcast", root);
  const detail::team_call call = detail::typed_call<sent>(detail::collective::broadcast, from);
  if (rank() != root) {
    const detail::meeting all(core_, call);
    return detail::codec<sent>::decode(all.of(from).body);
  }
  decltype(auto) own = detail::as_travelling<sent>(value);
  const auto all = detail::meet_with<sent>(core_, call, own);
  return own;
}

template <class T, class Op>
detail::travelling_t<T> team::reduce(const T& value, Op op, std::size_t root) {
  using sent = detail::travelling_t<T>;
  static_assert(detail::check_travels<sent>());
  const std::uint32_t to = checked_root("reduce", root);
  decltype(auto) own = detail::as_travelling<sent>(value);
  const auto all = detail::meet_with<sent>(core_, detail::typed_call<sent>(detail::collective::reduce, to), own);
  detail::check_equal_lengths<sent, Op>(core_, all, "reduce");
  if (rank() != root) return own;
  return detail::combine_all<sent>(core_, all, op);
}

template <class T, class Op>
detail::travelling_t<T> team::all_reduce(const T& value, Op op) {
  using sent = detail::travelling_t<T>;
  static_assert(detail::check_travels<sent>());
  decltype(auto) own = detail::as_travelling<sent>(value);
  const auto all = detail::meet_with<sent>(core_, detail::typed_call<sent>(detail::collective::all_reduce), own);
  detail::check_equal_lengths<sent, Op>(core_, all, "all_reduce");
  return detail::combine_all<sent>(core_, all, op);
}

template <std::ranges::input_range Range>
auto team::scatter(const Range& range, std::size_t root) -> std::vector<detail::element_type<Range>> {
  using element = detail::element_type<Range>;
  static_assert(detail::check_travels<element>());
  const std::uint32_t from = checked_root("scatter", root);
  const detail::team_call call = detail::typed_call<element>(detail::collective::scatter, from);
  const auto take_part = [&](const detail::meeting& all) {
    const detail::contribution whole = all.of(from);
    if (whole.count % size() != 0) {
      detail::throw_team_differs(core_, "scatter: rank " + std::to_string(from) + " brought " +
                                            std::to_string(whole.count) + " elements, which " + std::to_string(size()) +
                                            " ranks cannot have equal parts of");
    }
    const std::size_t part = whole.count / size();
    return detail::elements_in<element>(whole, part * rank(), part);
  };
  if (rank() == root) return detail::meet_with_range(core_, call, range, take_part);
  const detail::meeting all(core_, call);
  return take_part(all);
}

template <class T>
std::vector<T> team::gather_from(const detail::meeting& all) {
  std::vector<T> values;
  values.reserve(size());
  for (std::uint32_t r = 0; r < size(); ++r) values.push_back(detail::codec<T>::decode(all.of(r).body));
  return values;
}

template <class T>
std::vector<detail::travelling_t<T>> team::gather(const T& value, std::size_t root) {
  using sent = detail::travelling_t<T>;
  static_assert(detail::check_travels<sent>());
  const std::uint32_t to = checked_root("gather", root);
  decltype(auto) own = detail::as_travelling<sent>(value);
  const auto all = detail::meet_with<sent>(core_, detail::typed_call<sent>(detail::collective::gather, to), own);
  if (rank() != root) return {};
  return gather_from<sent>(all);
}

template <class T>
std::vector<detail::travelling_t<T>> team::all_gather(const T& value) {
  using sent = detail::travelling_t<T>;
  static_assert(detail::check_travels<sent>());
  decltype(auto) own = detail::as_travelling<sent>(value);
  const auto all = detail::meet_with<sent>(core_, detail::typed_call<sent>(detail::collective::all_gather), own);
  return gather_from<sent>(all);
}

template <std::ranges::input_range Range>
auto team::all_to_all(const Range& range) -> std::vector<detail::element_type<Range>> {
  using element = detail::element_type<Range>;
  static_assert(detail::check_travels<element>());
  const detail::team_call call = detail::typed_call<element>(detail::collective::all_to_all);
  return detail::meet_with_range(core_, call, range, [&](const detail::meeting& all) {
    for (std::uint32_t r = 0; r < size(); ++r) {
      if (const std::size_t count = all.of(r).count; count != size()) {
        detail::throw_team_differs(core_, "all_to_all: rank " + std::to_string(r) + " brought " +
                                              std::to_string(count) + " elements, expected were " +
                                              std::to_string(size()) + ", one for each rank");
      }
    }
    std::vector<element> values;
    values.reserve(size());
    for (std::uint32_t r = 0; r < size(); ++r) {
      detail::append_elements<element>(values, all.of(r), rank(), 1);
    }
    return values;
  });
}

template <class T>
void team::send(std::size_t rank, std::int64_t tag, const T& value) {
  using sent = detail::travelling_t<T>;
  static_assert(detail::check_travels<sent>());
  decltype(auto) own = detail::as_travelling<sent>(value);
  detail::encoder encoded;
  detail::codec<sent>::encode(encoded, own);
  detail::send_to_rank(core_, number(rank), tag, {detail::type_hash<sent>(), detail::type_name<sent>()}, encoded);
}

template <class T>
std::optional<T> team::receive_until(std::size_t rank, std::int64_t tag, detail::deadline until) {
  static_assert(detail::check_travels<T>());
  const auto message = detail::receive_from_rank(core_, number(rank), tag,
                                                 {detail::type_hash<T>(), detail::type_name<T>()}, until);
  if (!message) return std::nullopt;
  return detail::codec<T>::decode(message->body());
}

template <class T>
T team::receive(std::size_t rank, std::int64_t tag) {
  return *receive_until<T>(rank, tag, detail::deadline::never());
}

template <class T, class Rep, class Period>
std::optional<T> team::receive_for(std::size_t rank, std::int64_t tag, std::chrono::duration<Rep, Period> duration) {
  return receive_until<T>(rank, tag, detail::deadline::after(duration));
}

}  // namespace weir
