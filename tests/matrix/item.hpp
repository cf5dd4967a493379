// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "weir/channel.hpp"

/// Items that bear a number and show when they are torn: of one size, short and of any size (both in the slot), and
/// long ones in a block.
namespace weir::tests {

enum class payload { fixed, piece, block };

template <payload P>
struct item_of {
  using type = std::vector<int>;
  static constexpr std::size_t kLength = P == payload::piece ? 20 : 40'000;
  static type make(int number) { return type(kLength, number); }
  template <class Sequence>
  static int number(const Sequence& item) {
    if (item.size() != kLength) return -2;
    const int first = *item.begin();
    return std::all_of(item.begin(), item.end(), [first](int each) { return each == first; }) ? first : -2;
  }
};

template <>
struct item_of<payload::fixed> {
  struct type {
    int first = 0;
    int number[4] = {};
    int last = 0;
  };
  static type make(int number) { return {number, {number, number, number, number}, number}; }
  static int number(const type& item) {
    const bool whole = item.first == item.last &&
                       std::all_of(item.number, item.number + 4, [&](int each) { return each == item.first; });
    return whole ? item.first : -2;
  }
};

template <payload P>
using channel_of = channel<typename item_of<P>::type>;

/// Of what a view shows.
template <payload P, class View>
int number_seen(const View& view) {
  if constexpr (P == payload::fixed) {
    return item_of<P>::number(*view);
  } else {
    return item_of<P>::number(view);
  }
}

}  // namespace weir::tests
