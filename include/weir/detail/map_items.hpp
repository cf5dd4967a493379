// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <any>
#include <concepts>
#include <cstddef>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/detail/map_call.hpp"
#include "weir/detail/map_core.hpp"
#include "weir/detail/type_name.hpp"
#include "weir/map_options.hpp"

/// session::map with its types.
namespace weir::detail {

// ----------------------------------------------------------------------------------------------------- substitutes

/// Tells, type by type, whether the value is a T.
template <class R, class T>
[[nodiscard]] bool convert_from(const std::any& value, std::optional<R>& to) {
  if constexpr (std::is_convertible_v<const T&, R>) {
    const T* held = std::any_cast<T>(&value);
    if (held == nullptr) return false;
    if constexpr (std::is_arithmetic_v<R>) {
      to.emplace(static_cast<R>(*held));
    } else {
      to.emplace(*held);
    }
    return true;
  } else {
    return false;
  }
}

template <class T>
inline constexpr bool kIsOptional = false;
template <class T>
inline constexpr bool kIsOptional<std::optional<T>> = true;

/// What a handler returned, as a result: its own type is not known any more. Nothing: it is of no use as one.
template <class R>
[[nodiscard]] std::optional<R> as_result(const std::any& value) {
  std::optional<R> found;
  const auto is_one_of = [&]<class... Ts>(std::tuple<Ts...>*) { return (convert_from<R, Ts>(value, found) || ...); };
  using numbers = std::tuple<bool, char, signed char, unsigned char, short, unsigned short, int, unsigned, long,
                             unsigned long, long long, unsigned long long, float, double, long double>;
  using others = std::tuple<R, std::string, const char*, std::string_view, std::nullopt_t>;
  if constexpr (std::is_arithmetic_v<R>) {
    is_one_of(static_cast<numbers*>(nullptr));
  } else if constexpr (kIsOptional<R>) {
    if (is_one_of(static_cast<others*>(nullptr))) return found;
    if (auto inner = as_result<typename R::value_type>(value)) found.emplace(std::move(inner));
  } else {
    static_cast<void>(is_one_of(static_cast<others*>(nullptr)) || is_one_of(static_cast<numbers*>(nullptr)));
  }
  return found;
}

// ----------------------------------------------------------------------------------------------------------- results

/// Results that come in any order.
template <class R>
class map_results {
 public:
  void set(std::size_t index, R value) {
    if (index >= results_.size()) results_.resize(index + 1);
    results_[index] = std::move(value);
  }
  void reserve(std::size_t count) { results_.reserve(count); }
  [[nodiscard]] std::vector<R> take() {
    if constexpr (kDirect) {
      return std::move(results_);
    } else {
      std::vector<R> all;
      all.reserve(results_.size());
      for (std::optional<R>& each : results_) all.push_back(std::move(*each));
      return all;
    }
  }

 private:
  static constexpr bool kDirect = std::default_initializable<R> && std::is_move_assignable_v<R>;
  std::vector<std::conditional_t<kDirect, R, std::optional<R>>> results_;
};
template <>
class map_results<void> {
 public:
  void reserve(std::size_t /*count*/) noexcept {}
  void take() noexcept {}
};

// --------------------------------------------------------------------------------------------------------------- job

/// Whether the range knows how many elements it will give. What a channel says of itself is no such number.
template <class Range>
concept counted = std::ranges::forward_range<Range> && std::ranges::sized_range<Range>;

/// Whether the range's elements stay where they are, and travel as they are: they need not be copied first.
template <class Range, class Argument>
concept lends =
    std::ranges::forward_range<Range> && std::is_lvalue_reference_v<std::ranges::range_reference_t<Range>> &&
    std::same_as<std::remove_cvref_t<std::ranges::range_reference_t<Range>>, Argument>;

template <class F, class Range>
class map_job_of final : public map_job {
 public:
  using function = item_function<F, std::ranges::range_value_t<Range>>;
  using argument = typename function::argument;
  using answer = typename function::answer;
  static constexpr bool kHasResults = !std::is_void_v<answer>;

  map_job_of(const F& f, Range& range) : target_{&map_batch<function>::run, address_of_function(f)}, range_(range) {
    if constexpr (counted<Range>) total_ = static_cast<std::size_t>(std::ranges::size(range));
    results_.reserve(total_);
  }

  [[nodiscard]] call_target target() const noexcept override { return target_; }
  [[nodiscard]] std::size_t total() const noexcept override { return total_; }

  [[nodiscard]] std::optional<map_item> pull() override {
    // The range begins with the first item: that of a channel is waited for.
    if (!next_) {
      next_.emplace(std::ranges::begin(range_));
    } else if (*next_ != std::ranges::end(range_)) {
      ++*next_;
    }
    if (*next_ == std::ranges::end(range_)) return std::nullopt;
    if (free_.empty()) {
      places_.emplace_back();
      free_.reserve(places_.capacity());
      free_.push_back(places_.size() - 1);
    }
    const std::size_t place = free_.back();
    if constexpr (kLends) {
      places_[place] = std::addressof(**next_);
    } else {
      places_[place].emplace(as_travelling<argument>(**next_));
    }
    free_.pop_back();
    map_item item;
    item.index = pulled_++;
    item.place = place;
    return item;
  }

  void encode(encoder& to, std::span<const map_item> items) const override {
    encode_framed(to, std::uint64_t{items.size()});
    value_list<argument>::encode(to, items.size(),
                                 [&](std::size_t i) -> const argument& { return *places_[items[i].place]; });
  }

  void store(std::span<const map_item> items, std::span<const std::byte> body, process_id from,
             std::span<std::exception_ptr> errors) override {
    // The errors come last, and say which results are none.
    for (const bool only_look : {true, false}) {
      frame_reader frames(body);
      if constexpr (kHasResults) {
        typename value_list<answer>::reader values(frames, items.size());
        for (std::size_t i = 0; i < items.size(); ++i) {
          const std::span<const std::byte> value = values.next();
          if (only_look || errors[i]) continue;
          try {
            results_.set(items[i].index, codec<answer>::decode(value));
          } catch (...) {
            errors[i] = std::current_exception();
          }
        }
      }
      if (!only_look) return;
      for (std::size_t left = decode_count(frames); left != 0; --left) {
        const std::size_t index = decode_count(frames);
        const std::span<const std::byte> error = frames.next();
        if (index >= items.size()) throw corrupt_segment("weir: map: an answer speaks of an item that was not sent");
        errors[index] = decode_error(error, from);
      }
      frames.expect_end();
    }
  }

  [[nodiscard]] bool substitute(const map_item& item, const std::any& value) override {
    if constexpr (kHasResults) {
      std::optional<answer> found = as_result<answer>(value);
      if (!found) return false;
      results_.set(item.index, std::move(*found));
    }
    return true;
  }
  [[nodiscard]] std::string_view result_type() const noexcept override {
    if constexpr (kHasResults) {
      return type_name<answer>();
    } else {
      return {};
    }
  }

  void let_go(const map_item& item) noexcept override {
    if constexpr (!kLends) places_[item.place].reset();
    free_.push_back(item.place);  // cannot throw: there is room for all
  }

  /// The results, once.
  auto take() { return results_.take(); }

 private:
  static constexpr bool kLends = lends<Range, argument>;

  call_target target_;
  Range& range_;
  std::size_t total_ = 0;
  std::optional<std::ranges::iterator_t<Range>> next_;  // the last one pulled
  std::size_t pulled_ = 0;
  std::vector<std::conditional_t<kLends, const argument*, std::optional<argument>>> places_;
  std::vector<std::size_t> free_;
  map_results<answer> results_;
};

template <class F, class Range>
auto map_items(const F& f, Range& range, const map_options& options) {
  map_job_of<F, Range> job(f, range);
  run_map(job, options);
  return job.take();
}

}  // namespace weir::detail
