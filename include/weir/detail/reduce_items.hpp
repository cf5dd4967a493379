// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/detail/future_core.hpp"
#include "weir/detail/map_call.hpp"
#include "weir/detail/map_core.hpp"
#include "weir/detail/map_items.hpp"
#include "weir/detail/session_core.hpp"

/// session::reduce with its types.
namespace weir::detail {

/// The integers that a range counts through; void: it is no such view.
template <class Range>
struct integers_of {
  using type = void;
};
template <std::integral W, std::integral B>
struct integers_of<std::ranges::iota_view<W, B>> {
  using type = W;
};

/// Parts of a whole, as equal as can be, the longer ones first.
class even_parts {
 public:
  even_parts(std::size_t whole, std::size_t most_parts) noexcept
      : parts_(std::max<std::size_t>(1, std::min(whole, most_parts))), whole_(whole) {}
  [[nodiscard]] std::size_t count() const noexcept { return parts_; }
  [[nodiscard]] std::size_t size_of(std::size_t part) const noexcept {
    return whole_ / parts_ + (part < whole_ % parts_ ? 1 : 0);
  }

 private:
  std::size_t parts_;
  std::size_t whole_;
};

/// The parts of a reduction: sent to the workers, or done here if there are none.
class part_calls {
 public:
  explicit part_calls(const call_target& target) : target_(target), workers_(running_peers()) {}
  [[nodiscard]] std::size_t most_parts() const noexcept { return std::max<std::size_t>(1, workers_.size()); }
  /// The next part, to the next worker. An error is kept for when its turn comes.
  void send(encoder& arguments);
  /// When all calls have ended: gives the answers, in order, to `use(body)`, or throws the first error in that order.
  template <class Use>
  void take_all(const Use& use) {
    for (const part& each : parts_) {
      if (each.answer) static_cast<void>(wait_settled(each.answer, deadline::never()));
    }
    for (const part& each : parts_) {
      if (each.error) std::rethrow_exception(each.error);
      if (each.here) {
        use(each.here->body());
      } else {
        use(result_bytes(each.answer).body());
      }
    }
  }

 private:
  struct part {
    future_handle answer;
    std::unique_ptr<answer_here> here;
    std::exception_ptr error;
  };
  call_target target_;
  std::vector<peer_handle> workers_;
  std::vector<part> parts_;
};

/// What a reduction without an initial value gives.
template <class F, class Range>
struct reduction_result {
  using answer = typename item_function<F, std::ranges::range_value_t<std::remove_reference_t<Range>>>::answer;
  static_assert(!std::is_void_v<answer>, "weir: the function of a reduction must return something");
  using type = std::conditional_t<std::is_void_v<answer>, int, answer>;
};
template <class F, class Range>
using reduction_result_t = typename reduction_result<F, Range>::type;

/// Folds the parts into what is there; `folded` may be empty if it has the type of the function's result.
template <class F, class Op, class Range, class Folded>
void reduce_items(const F& f, const Op& op, Range& range, std::optional<Folded>& folded) {
  using function = item_function<F, std::ranges::range_value_t<Range>>;
  using argument = typename function::argument;
  using answer = reduction_result_t<F, Range>;
  using integer = typename integers_of<std::remove_const_t<Range>>::type;
  static_assert(check_callable<Op>());
  static_assert(
      requires(const Op& o, answer a) { static_cast<answer>(o(std::move(a), std::move(a))); },
      "weir: the operation of a reduction must take two results of the function, and return one");
  if constexpr (!counted<Range>) {
    std::vector<argument> all;
    for (auto&& each : range) all.push_back(as_travelling<argument>(std::forward<decltype(each)>(each)));
    reduce_items(f, op, all, folded);
  } else {
    const auto size = static_cast<std::size_t>(std::ranges::size(range));
    if (size == 0) return;
    part_calls calls({&fold_part<function, Op, integer>::run, address_of_function(f)});
    const even_parts parts(size, calls.most_parts());
    auto next = std::ranges::begin(range);
    for (std::size_t part = 0; part < parts.count(); ++part) {
      const std::size_t count = parts.size_of(part);
      std::vector<std::conditional_t<lends<Range, argument>, const argument*, std::optional<argument>>> values;
      encoder arguments;
      const std::size_t frame = arguments.begin_frame();
      encode_code(arguments, address_of_function(op));
      arguments.end_frame(frame);
      if constexpr (!std::is_void_v<integer>) {
        encode_framed(arguments, stretch<integer>{*next, count});
        next += static_cast<std::ranges::range_difference_t<Range>>(count);
      } else {
        values.reserve(count);
        for (std::size_t i = 0; i < count; ++i, ++next) {
          if constexpr (lends<Range, argument>) {
            values.push_back(std::addressof(*next));
          } else {
            values.emplace_back(as_travelling<argument>(*next));
          }
        }
        encode_framed(arguments, std::uint64_t{count});
        value_list<argument>::encode(arguments, count, [&](std::size_t i) -> const argument& { return *values[i]; });
      }
      calls.send(arguments);
    }
    calls.take_all([&](std::span<const std::byte> body) {
      answer part = codec<answer>::decode(body);
      if (folded) {
        folded.emplace(static_cast<Folded>(op(std::move(*folded), std::move(part))));
      } else if constexpr (std::same_as<Folded, answer>) {
        folded.emplace(std::move(part));
      }
    });
  }
}

}  // namespace weir::detail
