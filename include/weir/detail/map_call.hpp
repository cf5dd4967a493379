// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/codec.hpp"
#include "weir/detail/call.hpp"
#include "weir/detail/map_core.hpp"
#include "weir/error.hpp"

/// What a map's or reduction's call to a worker holds, and what runs it there.
namespace weir::detail {

// ----------------------------------------------------------------------------------------------- many values of a type

/// Several values in frames: those of types that are their bytes side by side in one, others in a frame each. The count
/// is known to both sides.
template <class T>
struct value_list {
  static constexpr bool kPacked = kind_of<T>() == item_kind::bytes;

  /// `value(i)`: a reference to the i-th. Large values are referred to: they must live until the put.
  template <class Value>
  static void encode(encoder& to, std::size_t count, const Value& value) {
    std::size_t frame = kPacked ? to.begin_frame() : 0;
    for (std::size_t i = 0; i < count; ++i) {
      const T& each = value(i);
      if constexpr (!kPacked) frame = to.begin_frame();
      codec<T>::encode(to, each);
      if constexpr (!kPacked) to.end_frame(frame);
    }
    if constexpr (kPacked) to.end_frame(frame);
  }

  /// Reads such a list, value by value.
  class reader {
   public:
    reader(frame_reader& frames, std::size_t count) : frames_(frames) {
      if constexpr (kPacked) {
        rest_ = frames_.next();
        if (rest_.size() != count * sizeof(T)) {
          throw_wrong_size(type_name<T>(), rest_.size(), std::to_string(count) + " times " + std::to_string(sizeof(T)));
        }
      }
    }
    /// What codec<T>::decode takes.
    [[nodiscard]] std::span<const std::byte> next() {
      if constexpr (kPacked) {
        const auto value = rest_.first(sizeof(T));
        rest_ = rest_.subspan(sizeof(T));
        return value;
      } else {
        return frames_.next();
      }
    }

   private:
    frame_reader& frames_;
    std::span<const std::byte> rest_;
  };
};

[[nodiscard]] inline std::size_t decode_count(frame_reader& frames) {
  return codec<std::uint64_t>::decode(frames.next());
}

// ------------------------------------------------------------------------------------------------ what f is, for both

template <class Parameters>
struct only_parameter {
  static_assert(sizeof(Parameters) == 0, "weir: the function takes another number of arguments");
};
template <class P>
struct only_parameter<types<P>> {
  using type = P;
};

/// A function of one item: how item and result travel.
template <class F, class Element>
struct item_function {
  using callable = std::decay_t<F>;
  static_assert(check_callable<callable>());
  using signature = call_signature<callable, Element>;
  using parameter = typename only_parameter<typename signature::parameters>::type;
  using argument = travelling_t<parameter>;
  using result = typename signature::result;
  using answer = travelling_t<result>;
  static_assert(check_travels<argument>());
  static_assert(check_travels<answer>());
  using runner = remote_function<callable, types<parameter>, result>;

  /// The result as it travels.
  template <class Value>
  static answer to_answer(Value&& value) {
    if constexpr (std::same_as<std::remove_cvref_t<Value>, answer>) {
      return std::forward<Value>(value);
    } else {
      return as_travelling<answer>(std::forward<Value>(value));
    }
  }
};

// ----------------------------------------------------------------------------------------------------------------- map

/// Runs a batch. Arguments: u64 count; value_list of the items. Answer: value_list of the results (nothing if there are
/// none; what stands for an item that failed is to be ignored); u64 how many failed; for each u64 which, its error.
template <class Function>
struct map_batch {
  using argument = typename Function::argument;
  using answer = typename Function::answer;
  static constexpr bool kHasResults = !std::is_void_v<answer>;
  struct nothing {};
  using kept = std::conditional_t<kHasResults, std::optional<answer>, nothing>;

  struct failure {
    std::size_t index;
    std::exception_ptr error;
  };

  static void run(incoming_call& call) {
    const void* function = call.function();
    std::vector<failure> failures;
    // All are decoded before the first is run: the memory that they came in is given back, and handles are held.
    std::vector<std::optional<std::tuple<argument>>> arguments;
    {
      frame_reader frames(call.arguments());
      const std::size_t count = decode_count(frames);
      typename value_list<argument>::reader values(frames, count);
      for (std::size_t i = 0; i < count; ++i) {
        const auto bytes = values.next();
        arguments.emplace_back();
        try {
          arguments.back().emplace(codec<argument>::decode(bytes));
        } catch (...) {
          failures.push_back({i, std::current_exception()});
        }
      }
      frames.expect_end();
    }
    call.arguments_taken();

    std::vector<kept> results(kHasResults ? arguments.size() : 0);  // they live until they have been put
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      if (!arguments[i]) continue;
      try {
        if constexpr (kHasResults) {
          decltype(auto) value = Function::runner::invoke(function, *arguments[i]);
          results[i].emplace(Function::to_answer(std::forward<decltype(value)>(value)));
        } else {
          Function::runner::invoke(function, *arguments[i]);
        }
      } catch (...) {
        failures.push_back({i, std::current_exception()});
      }
      arguments[i].reset();
    }
    encoder encoded;
    if (call.wants_result()) encode(encoded, results, failures);
    call.give_result(encoded);
  }

 private:
  static void encode(encoder& to, const std::vector<kept>& results, std::vector<failure>& failures) {
    if constexpr (kHasResults) {
      if constexpr (value_list<answer>::kPacked) {
        static constexpr std::array<std::byte, sizeof(answer)> kZeros{};
        const std::size_t frame = to.begin_frame();
        for (const kept& each : results) {
          to.write(each ? static_cast<const void*>(std::addressof(*each)) : kZeros.data(), sizeof(answer));
        }
        to.end_frame(frame);
      } else {
        for (std::size_t i = 0; i < results.size(); ++i) {
          const std::size_t frame = to.begin_frame();
          try {
            if (results[i]) codec<answer>::encode(to, *results[i]);
          } catch (...) {
            failures.push_back({i, std::current_exception()});  // what has been written of it is ignored
          }
          to.end_frame(frame);
        }
      }
    }
    encode_framed(to, std::uint64_t{failures.size()});
    for (const failure& each : failures) {
      encode_framed(to, std::uint64_t{each.index});
      const std::size_t frame = to.begin_frame();
      encode_error(to, each.error);
      to.end_frame(frame);
    }
  }
};

// -------------------------------------------------------------------------------------------------------------- reduce

/// A stretch of integers, which travels as its ends.
template <class W>
struct stretch {
  W first;
  std::uint64_t count;
};

/// Folds a part. Arguments: the operation's code (nothing for a functor); then a stretch of integers, or u64 count and a
/// value_list of the items. Answer: the fold of the function's results by the operation, from the left.
template <class Function, class Op, class Integer>
struct fold_part {
  using argument = typename Function::argument;
  using answer = typename Function::answer;
  static constexpr bool kOfIntegers = !std::is_void_v<Integer>;

  static void run(incoming_call& call) {
    const void* function = call.function();
    frame_reader frames(call.arguments());
    const Op op = operation(frames.next());
    std::optional<answer> folded;
    const auto add = [&](argument item) {
      std::tuple<argument> values(std::move(item));
      answer next = Function::to_answer(Function::runner::invoke(function, values));
      if (folded) {
        folded.emplace(static_cast<answer>(op(std::move(*folded), std::move(next))));
      } else {
        folded.emplace(std::move(next));
      }
    };
    if constexpr (kOfIntegers) {
      const auto all = codec<stretch<Integer>>::decode(frames.next());
      frames.expect_end();
      call.arguments_taken();
      for (std::uint64_t i = 0; i < all.count; ++i) {
        add(as_travelling<argument>(static_cast<Integer>(all.first + static_cast<Integer>(i))));
      }
    } else {
      std::vector<argument> arguments;
      const std::size_t count = decode_count(frames);
      typename value_list<argument>::reader values(frames, count);
      for (std::size_t i = 0; i < count; ++i) arguments.push_back(codec<argument>::decode(values.next()));
      frames.expect_end();
      call.arguments_taken();
      for (std::size_t i = 0; i < arguments.size(); ++i) add(std::move(arguments[i]));
    }
    if (!folded) throw corrupt_segment("weir: receive a part of a reduction: it is empty");
    encoder encoded;
    if (call.wants_result()) codec<answer>::encode(encoded, *folded);
    call.give_result(encoded);
  }

 private:
  static Op operation(std::span<const std::byte> code) {
    if constexpr (function_pointer<Op>) {
      return reinterpret_cast<Op>(const_cast<void*>(decode_code(code)));
    } else {
      return Op();
    }
  }
};

}  // namespace weir::detail
