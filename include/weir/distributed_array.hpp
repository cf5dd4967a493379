// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <ostream>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/array.hpp"
#include "weir/detail/distributed_sort.hpp"
#include "weir/detail/distributed_text.hpp"
#include "weir/detail/distributed_work.hpp"
#include "weir/detail/division.hpp"
#include "weir/detail/owner_calls.hpp"
#include "weir/distributed_options.hpp"
#include "weir/distributed_views.hpp"
#include "weir/error.hpp"
#include "weir/extents.hpp"
#include "weir/worker.hpp"

namespace weir {

template <class T, std::size_t Rank>
class distributed_array;

namespace detail {

template <class T, std::size_t Rank>
struct type_name_of<distributed_array<T, Rank>> {
  static std::string get() {
    return "weir::distributed_array<" + std::string(type_name<T>()) + ", " + std::to_string(Rank) + '>';
  }
};

}  // namespace detail

/// One array, divided into blocks, each the part of one process, its owner: which is the first to touch its memory, and
/// does the block's part of the work when something is done with the whole array. This is a handle, as an array is:
/// cheap to copy, can be sent to any process of the session; what a const handle refers to is not const.
///
/// Anywhere, all elements can be read and written in place, by plain loads and stores: it is one array in shared memory,
/// storage(), which lives as that lives. The division is fixed; over() makes another one of the same elements.
///
/// Waiting   what makes an array or works on all of it waits for the owners: each does its block at the same time, by a
///           call, this process its own without one. All else does not wait.
/// Threads   any member, any thread. Elements that one writes while another uses them are theirs to order. What was
///           written before a whole-array operation begins is seen by it, and what it writes is seen once it has returned.
/// Functions what is given to an operation is run by the owners, so it is as for call: a function, or a lambda without
///           captures. Where results are combined (reduce), it is to be associative, and commutative but for Rank 1.
/// Errors    those of calls: remote_error for what a function throws on another process, worker_died if an owner has
///           gone, not_in_session if it is to be asked and there is no session; thrown when all owners are done.
///           invalid_argument if the handle refers to no array. no_space where an array is made.
/// Crash     what a dead owner wrote stays, and so do the other elements. An operation that ends with an error has been
///           done on some blocks and not on others. over(storage(), …) gives the elements to other owners.
/// Fork      in a forked child only element access may be used.
template <class T, std::size_t Rank = 1>
class distributed_array {
 public:
  using element_type = T;
  using value_type = T;
  using extents_type = std::array<std::size_t, Rank>;
  using index_type = std::array<index_range, Rank>;
  static constexpr std::size_t rank() noexcept { return Rank; }

  /// Where an element is.
  struct location {
    process_id owner = 0;
    std::size_t block = 0;  ///< number of the block, which is that of its owner in owners()
    friend bool operator==(const location&, const location&) = default;
  };

  // ---- make. All throw invalid_argument: an extent is 0, more owners are given than there are elements, one is given
  //      twice, the grid has more parts than a dimension has elements or than there are owners; and no_space.

  /// Refers to no array, until one is assigned.
  distributed_array() noexcept = default;
  static distributed_array zeros(extents_of<Rank> extents, const distributed_options& options = {}) {
    return made(extents, options);
  }
  static distributed_array ones(extents_of<Rank> extents, const distributed_options& options = {}) {
    return filled(extents, static_cast<T>(1), options);
  }
  static distributed_array filled(extents_of<Rank> extents, const T& value, const distributed_options& options = {}) {
    distributed_array d = made(extents, options);
    d.fill(value);
    return d;
  }
  /// Numbers in [0, 1), integers of all values. The same for the same seed, however the array is divided.
  static distributed_array random(extents_of<Rank> extents, std::uint64_t seed,
                                  const distributed_options& options = {}) {
    static_assert(std::is_arithmetic_v<T>, "weir: random() makes numbers");
    distributed_array d = made(extents, options);
    d.template on_owners<detail::random_block>(detail::no_function(), seed);
    return d;
  }
  /// Each element is f(its indices), computed by its owner.
  template <class F>
  static distributed_array from(extents_of<Rank> extents, F f, const distributed_options& options = {}) {
    distributed_array d = made(extents, options);
    d.template on_owners<detail::generate_block>(f);
    return d;
  }
  /// A copy of the values, which are in the order of the indices, the last fastest. Throws invalid_argument if there are
  /// more or fewer than elements.
  static distributed_array distribute(std::span<const T> values, extents_of<Rank> extents,
                                      const distributed_options& options = {}) {
    std::size_t size = 1;
    for (const std::size_t each : extents.values()) size *= each;
    if (size != values.size()) {
      throw invalid_argument("weir: distribute: there are " + std::to_string(values.size()) + " values, expected: " +
                             std::to_string(size) + " (" + detail::extents_text(extents.values()) + ")");
    }
    distributed_array d = made(extents, options);
    const block_view<T, Rank> all = d.whole();
    std::copy(values.begin(), values.end(), all.begin());
    return d;
  }
  static distributed_array distribute(std::span<const T> values,
                                      const distributed_options& options = {}) requires(Rank == 1) {
    return distribute(values, extents_type{values.size()}, options);
  }
  /// Divides an array that there is already, named or kept in a file perhaps; nothing is copied, and no memory touched.
  /// Its rows must not be resized from then on. The options' order is not looked at.
  static distributed_array over(const array<T, Rank>& storage, const distributed_options& options = {}) {
    const extents_type extents = storage.extents();
    return distributed_array(storage, divide("over", extents, options));
  }

  // ---- elements, anywhere. Undefined for indices out of range, but in at() and locate().

  template <std::integral... I>
  requires(sizeof...(I) == Rank) [[nodiscard]] T& operator()(I... indices) const noexcept {
    return storage_(indices...);
  }
  /// Throws std::out_of_range.
  template <std::integral... I>
  requires(sizeof...(I) == Rank) [[nodiscard]] T& at(I... indices) const { return storage().at(indices...); }
  /// Throws std::out_of_range.
  template <std::integral... I>
  requires(sizeof...(I) == Rank) [[nodiscard]] location locate(I... indices) const {
    static_cast<void>(at(indices...));
    const extents_type index{static_cast<std::size_t>(indices)...};
    const std::size_t block = how().block_at(index);
    return {how().owners()[block], block};
  }
  /// A copy of all elements in the order of their indices, the last fastest.
  [[nodiscard]] std::vector<T> gather() const {
    if (storage().order() == order::row_major || Rank == 1) {
      const std::span<T> all = storage_.span();
      return {all.begin(), all.end()};
    }
    const block_view<T, Rank> all = whole();
    return {all.begin(), all.end()};
  }
  /// The array that has the elements.
  [[nodiscard]] const array<T, Rank>& storage() const {
    if (!how_) detail::throw_no_array(detail::type_name<distributed_array>());
    return storage_;
  }

  // ---- the division

  [[nodiscard]] extents_type extents() const {
    extents_type found;
    for (std::size_t d = 0; d < Rank; ++d) found[d] = how().cuts(d).back();
    return found;
  }
  /// Throws std::out_of_range.
  [[nodiscard]] std::size_t extent(std::size_t dimension) const { return extents().at(dimension); }
  [[nodiscard]] std::size_t size() const {
    std::size_t product = 1;
    for (const std::size_t each : extents()) product *= each;
    return product;
  }
  /// Into how many parts each dimension is divided.
  [[nodiscard]] extents_type grid() const {
    extents_type found;
    std::copy_n(how().grid().begin(), Rank, found.begin());
    return found;
  }
  /// Number of blocks, and of owners.
  [[nodiscard]] std::size_t blocks() const { return how().blocks(); }
  /// Owner b has block b; the first dimension's index in the grid runs fastest. Throws not_in_session in a program
  /// without a session, where owner_ids() says who it is: this process.
  [[nodiscard]] std::vector<worker> owners() const {
    std::vector<worker> found;
    for (const process_id each : owner_ids()) found.emplace_back(each);
    return found;
  }
  [[nodiscard]] const std::vector<process_id>& owner_ids() const { return how().owners(); }
  /// The elements of one block. Throws std::out_of_range.
  [[nodiscard]] index_type indices(std::size_t block) const {
    check_block(block);
    index_type found;
    for (std::size_t d = 0; d < Rank; ++d) found[d] = {how().begin_of(block, d), how().end_of(block, d)};
    return found;
  }
  /// Throws std::out_of_range.
  [[nodiscard]] block_view<T, Rank> block(std::size_t block) const {
    const index_type part = indices(block);
    const extents_type strides = storage_.strides();
    T* first = storage_.data();
    extents_type found;
    for (std::size_t d = 0; d < Rank; ++d) {
      first += part[d].begin * strides[d];
      found[d] = part[d].size();
    }
    return {first, found, strides};
  }

  // ---- on an owner: its own block. On other processes it has no elements.

  [[nodiscard]] block_view<T, Rank> local() const {
    const std::size_t mine = how().block_of(my_id());
    return mine == blocks() ? block_view<T, Rank>() : block(mine);
  }
  [[nodiscard]] index_type local_indices() const {
    const std::size_t mine = how().block_of(my_id());
    return mine == blocks() ? index_type{} : indices(mine);
  }
  /// The block with `width` elements around it, fewer where the array ends, read and written in place. When neighbours'
  /// elements are as they should be is for the program to say: a barrier, a channel.
  [[nodiscard]] halo_view<T, Rank> halo(std::size_t width) const {
    const std::size_t mine = how().block_of(my_id());
    if (mine == blocks()) return {};
    const index_type part = indices(mine);
    const extents_type all = extents();
    std::array<std::ptrdiff_t, Rank> begins;
    std::array<std::ptrdiff_t, Rank> ends;
    for (std::size_t d = 0; d < Rank; ++d) {
      begins[d] = -static_cast<std::ptrdiff_t>(std::min(width, part[d].begin));
      ends[d] = static_cast<std::ptrdiff_t>(part[d].size() + std::min(width, all[d] - part[d].end));
    }
    return {block(mine), begins, ends};
  }

  // ---- the whole array, by its owners

  /// A new array of the same division, each element f(the one here).
  template <class F>
  [[nodiscard]] auto map(F f) const {
    using result = std::decay_t<std::invoke_result_t<F&, const T&>>;
    auto to = distributed_array<result, Rank>::made_like(*this);
    on_owners<detail::map_block>(f, to);
    return to;
  }
  template <class F>
  void map_inplace(F f) const {
    on_owners<detail::map_block_inplace>(f);
  }
  void fill(const T& value) const { on_owners<detail::fill_block>(detail::no_function(), value); }
  /// Each owner folds its block with op(T, T), in the order in which the elements lie in memory; then the results are
  /// folded here, in the order of the blocks.
  template <class Op>
  [[nodiscard]] T reduce(Op op) const {
    return folded(on_owners<detail::fold_block>(op), op);
  }
  /// The same, with `init` before the first: it is counted once.
  template <class Op, class Init>
  [[nodiscard]] Init reduce(Op op, Init init) const {
    for (const T& each : on_owners<detail::fold_block>(op)) {
      init = static_cast<Init>(std::invoke(op, std::as_const(init), each));
    }
    return init;
  }
  /// Of integers as std::int64_t or std::uint64_t. In partial sums: other divisions may round otherwise.
  [[nodiscard]] auto sum() const { return folded(on_owners<detail::sum_block>(detail::no_function()), std::plus<>()); }
  /// Of floating-point numbers one that is not a number, if there is one.
  [[nodiscard]] T min() const { return reduce(detail::smaller()); }
  [[nodiscard]] T max() const { return reduce(detail::larger()); }
  /// The sum of the products. Throws invalid_argument if the extents differ.
  [[nodiscard]] auto dot(const distributed_array& other) const {
    static_assert(std::is_arithmetic_v<T>, "weir: dot() multiplies numbers");
    check_same_extents("dot", other);
    return folded(on_owners<detail::dot_block>(detail::no_function(), other), std::plus<>());
  }
  /// The Euclidean one; does not overflow before the result does.
  [[nodiscard]] auto norm() const {
    static_assert(std::is_arithmetic_v<T>, "weir: norm() is of numbers");
    using result = detail::norm_of<T>;
    result squares = sum_of_squares(1);
    if (std::isfinite(squares) && squares > std::numeric_limits<result>::min() * 16) return std::sqrt(squares);
    if constexpr (std::floating_point<T>) {  // too large, too small, or not a number somewhere
      const T largest = folded(on_owners<detail::fold_block>(detail::larger_amount()), detail::larger_amount());
      const T amount = std::abs(largest);
      if (amount == 0 || !std::isfinite(amount)) return amount;
      return amount * std::sqrt(sum_of_squares(amount));
    } else {
      return std::sqrt(squares);
    }
  }
  /// Sorts the elements where they are, by `less`; of equal ones the order stays. Without one: from small to large, what
  /// is not a number at the end. Takes as much memory again meanwhile. If an owner dies or `less` throws, the elements
  /// are in no order, and some may be there twice and others not. Returns this array.
  template <class Less = detail::ascending>
  const distributed_array& sort(Less less = {}) const requires(Rank == 1) {
    on_owners<detail::sort_block>(less);
    if (blocks() > 1) {
      const distributed_array merged = made_like(*this);
      on_owners<detail::merge_block>(less, merged);
      merged.template on_owners<detail::copy_block>(detail::no_function(), *this);
    }
    return *this;
  }
  /// A new array with the same elements and division.
  [[nodiscard]] distributed_array copy() const {
    distributed_array to = made_like(*this);
    on_owners<detail::copy_block>(detail::no_function(), to);
    return to;
  }
  /// The same extents, and all elements equal; however they are divided.
  [[nodiscard]] friend bool operator==(const distributed_array& a, const distributed_array& b) {
    if (!a || !b) return !a && !b;
    if (a.extents() != b.extents()) return false;
    const auto equal = a.template on_owners<detail::compare_block>(detail::no_function(), b);
    return std::find(equal.begin(), equal.end(), false) == equal.end();
  }

  /// Refers to an array.
  explicit operator bool() const noexcept { return how_ != nullptr; }

  /// What it is, its division, and its elements, of a large array those in the corners.
  friend std::ostream& operator<<(std::ostream& out, const distributed_array& d) {
    detail::print_division(out, detail::type_name<distributed_array>(), d.how_.get());
    if constexpr (requires { out << std::declval<const T&>(); }) {
      if (d) d.print_elements(out);
    }
    return out;
  }

 private:
  template <class, std::size_t>
  friend class distributed_array;
  friend struct detail::reserve_block;
  friend struct detail::codec<distributed_array>;

  distributed_array(array<T, Rank> storage, detail::division how)
      : storage_(std::move(storage)), how_(std::make_shared<const detail::division>(std::move(how))) {}

  static detail::division divide(const char* operation, const extents_type& extents,
                                 const distributed_options& options) {
    detail::division_request request{{}, !options.owners.empty(), options.grid.values()};
    for (const worker& each : options.owners) request.owners.push_back(each.id());
    if (options.owners.empty()) request.owners = detail::running_workers();
    if (request.owners.empty() && options.owners.empty()) request.owners = {my_id()};
    return detail::division(operation + (' ' + std::string(detail::type_name<distributed_array>())), extents,
                            std::move(request));
  }
  static distributed_array made(const extents_of<Rank>& extents, const distributed_options& options) {
    return made_as(divide("make", extents, options), extents, options.order);
  }
  template <class U>
  static distributed_array made_like(const distributed_array<U, Rank>& other) {
    return made_as(other.how(), other.extents(), other.storage().order());
  }
  static distributed_array made_as(detail::division how, const extents_of<Rank>& extents, weir::order order) {
    distributed_array d(detail::array_access<T, Rank>::make(detail::create_unnamed_array(
                            detail::array_type<T, Rank>(), detail::to_shape(extents, order), {.order = order},
                            /*where=*/0, detail::reserve_when::later)),
                        std::move(how));
    try {
      d.on_owners<detail::reserve_block>(detail::no_function());
    } catch (const remote_error& e) {  // as if it had been tried here
      e.rethrow_nested();
    }
    return d;
  }

  [[nodiscard]] const detail::division& how() const {
    if (!how_) detail::throw_no_array(detail::type_name<distributed_array>());
    return *how_;
  }
  [[nodiscard]] const detail::array_handle& core() const { return detail::array_access<T, Rank>::core(storage()); }
  void check_block(std::size_t block) const {
    if (block < blocks()) return;
    throw std::out_of_range("weir: " + std::string(detail::type_name<distributed_array>()) + ": block " +
                            std::to_string(block) + ", expected: less than " + std::to_string(blocks()));
  }
  void check_same_extents(const char* operation, const distributed_array& other) const {
    if (extents() == other.extents()) return;
    throw invalid_argument("weir: " + std::string(operation) + ": one array is " + detail::extents_text(extents()) +
                           ", the other " + detail::extents_text(other.extents()) + ", expected: the same");
  }
  [[nodiscard]] block_view<T, Rank> whole() const { return {storage_.data(), extents(), storage_.strides()}; }
  template <class Work, class F, class... Args>
  auto on_owners(const F& f, const Args&... arguments) const {
    return detail::on_owners<Work>(how().owners(), f, *this, arguments...);
  }
  template <class R, class Op>
  [[nodiscard]] static R folded(const std::vector<R>& parts, Op op) {
    R total = parts.front();
    for (std::size_t i = 1; i < parts.size(); ++i)
      total = static_cast<R>(std::invoke(op, std::as_const(total), parts[i]));
    return total;
  }
  [[nodiscard]] detail::norm_of<T> sum_of_squares(detail::norm_of<T> scale) const {
    return folded(on_owners<detail::squares_block>(detail::no_function(), scale), std::plus<>());
  }
  void print_elements(std::ostream& out) const {
    out << '\n';
    const extents_type strides = storage_.strides();
    detail::print_elements(out, extents(), [&](std::span<const std::size_t> index) {
      std::size_t offset = 0;
      for (std::size_t d = 0; d < Rank; ++d) offset += index[d] * strides[d];
      return detail::text_of_element(out, storage_.data()[offset]);
    });
  }

  array<T, Rank> storage_;
  std::shared_ptr<const detail::division> how_;
};

}  // namespace weir

#include "weir/detail/distributed_codec.hpp"
