// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <complex>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <ostream>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "weir/array_mutex.hpp"
#include "weir/array_options.hpp"
#include "weir/codec.hpp"
#include "weir/detail/array_core.hpp"
#include "weir/detail/plain_type.hpp"
#include "weir/detail/process_handle.hpp"
#include "weir/detail/type_name.hpp"
#include "weir/error.hpp"
#include "weir/extents.hpp"
#include "weir/globals.hpp"
#include "weir/ids.hpp"

namespace weir {

template <class T, std::size_t Rank>
class array;

namespace detail {

/// From the untyped array to the typed one and back.
template <class T, std::size_t Rank>
struct array_access;

template <class T, std::size_t Rank>
struct type_name_of<array<T, Rank>> {
  static std::string get() { return "weir::array<" + std::string(type_name<T>()) + ", " + std::to_string(Rank) + '>'; }
};

template <class T>
inline constexpr bool kIsComplex = false;
template <class T>
inline constexpr bool kIsComplex<std::complex<T>> = true;

/// NumPy's name of an element type: `<f8`. What it has no name for is so many bytes to it.
template <class T>
[[nodiscard]] std::string npy_descr() {
  char kind = 'V';
  if constexpr (std::same_as<T, bool>) {
    kind = 'b';
  } else if constexpr (std::floating_point<T>) {
    kind = 'f';
  } else if constexpr (std::integral<T>) {
    kind = std::is_signed_v<T> ? 'i' : 'u';
  } else if constexpr (kIsComplex<T>) {
    kind = 'c';
  }
  return (sizeof(T) == 1 || kind == 'V' ? "|" : "<") + (kind + std::to_string(sizeof(T)));
}

template <class T, std::size_t Rank>
[[nodiscard]] const item_type& array_type() {
  static const item_type kType{.name = type_name<array<T, Rank>>(),
                               .hash = type_hash<array<T, Rank>>(),
                               .kind = item_kind::sequence,
                               .element_bytes = static_cast<std::uint32_t>(sizeof(T)),
                               .element_name = type_name<T>()};
  return kType;
}

template <std::size_t Rank>
[[nodiscard]] array_shape to_shape(const extents_of<Rank>& extents, weir::order order) noexcept {
  array_shape shape{.rank = static_cast<std::uint32_t>(Rank), .order = order, .extents = {}};
  std::copy_n(extents.values().begin(), Rank, shape.extents.begin());
  return shape;
}

/// A type of its own, so that no element that is written can be one of these.
enum class array_stride : std::size_t {};

}  // namespace detail

/// Elements in shared memory, in `Rank` dimensions, that all processes with a handle read and write by plain loads and
/// stores. This is such a handle: cheap to copy, can be sent to any process of the session (argument, result, item); the
/// receiver maps the same memory. As with a std::span, what a const handle refers to is not const.
///
/// Lifetime  unnamed: until its last handle goes, those on their way in messages included. Named: until remove(). Kept in
///           a file: as long as the file. It survives the worker it lives with.
/// Waiting   nothing waits but lock() and lock_shared().
/// Threads   any member, any thread. Elements that one writes while another uses them are theirs to order: by lock(),
///           atomic(), or by anything of weir's (what was written before a call or a put is seen after).
/// Crash     what a dead process wrote stays; its lock is let go of (array_mutex).
/// Fork      in a forked child a handle's elements can be used; everything else throws invalid_argument there.
/// Errors    besides those named below, all throw corrupt_segment if the shared memory is damaged and invalid_argument if
///           the handle refers to no array.
template <class T, std::size_t Rank = 1>
class array {
  static_assert(detail::plain<T>,
                "weir: this type cannot be an array's element: it is not trivially copyable, or holds a pointer");
  static_assert(Rank >= 1 && Rank <= kMaxRank, "weir: an array has 1 to 8 dimensions");

 public:
  using element_type = T;
  using value_type = T;
  using extents_type = std::array<std::size_t, Rank>;
  static constexpr std::size_t rank() noexcept { return Rank; }

  // ---- make and find

  /// Refers to no array, until one is assigned.
  array() noexcept = default;
  /// Makes an unnamed array, zero-filled; all its memory is there. Throws invalid_argument if an extent is 0 or the
  /// product of all cannot be counted; no_space.
  explicit array(extents_of<Rank> extents, array_options options = {})
      : array(detail::create_unnamed_array(type(), detail::to_shape(extents, options.order), options, 0,
                                           detail::reserve_when::at_once)) {}
  /// The same of `({n})`, which could also be read as a copy of an array of n.
  template <std::integral I>
  requires(Rank == 1) explicit array(const I (&extent)[1], array_options options = {})
      : array(extents_of<Rank>(extent[0]), options) {}
  /// Makes a named array: it lives until remove(). Throws also already_exists; invalid_argument for a name that is
  /// empty, has a slash, begins with '@' or is over 200 characters long; permission_denied.
  static array create(std::string_view name, extents_of<Rank> extents, array_options options = {}) {
    return array(detail::create_named_array(name, type(), detail::to_shape(extents, options.order), options));
  }
  /// Opens a named array of this user. Throws not_found, type_mismatch (another element type or rank), layout_mismatch,
  /// corrupt_segment, permission_denied, invalid_argument (name).
  static array open(std::string_view name) { return array(detail::open_named_array(name, type())); }
  /// open() if it exists, otherwise create(). Throws invalid_argument if it exists with other extents or order.
  static array open_or_create(std::string_view name, extents_of<Rank> extents, array_options options = {}) {
    return array(detail::open_or_create_named_array(name, type(), detail::to_shape(extents, options.order), options));
  }
  /// Makes an unnamed array that lives with a worker: where() is the worker, which is the first to touch its memory. It
  /// survives the worker. Waits for the worker. Throws as array(extents); worker_died.
  template <detail::process_handle Worker>
  static array on(const Worker& worker, extents_of<Rank> extents, array_options options = {}) {
    array made(detail::create_unnamed_array(type(), detail::to_shape(extents, options.order), options, worker.id(),
                                            detail::reserve_when::later));
    detail::without_remote_error(
        [&] { worker.fetch([](const array& there) { detail::first_touch_array(*there.core()); }, made); });
    return made;
  }
  /// Removes the name. Those who have the array can go on using it. Throws not_found, permission_denied,
  /// invalid_argument.
  static void remove(std::string_view name) { detail::remove_named_array(name); }
  /// Maps an ordinary file that holds the elements and nothing before them; made, zero-filled, if there is none. What is
  /// written is in the file when the kernel says so: at once for who reads it on this machine, on the disk in time. All
  /// who map one file at a time share the array, lock and all. Throws invalid_argument (a file that is too short or no
  /// ordinary file), permission_denied (also: read-only), not_found (no such folder), type_mismatch (others have mapped
  /// it as something else), no_space.
  static array map_file(const std::filesystem::path& path, extents_of<Rank> extents, array_options options = {}) {
    return array(detail::map_array_file(path, type(), detail::to_shape(extents, options.order), options));
  }
  /// The same of the elements in an existing .npy file, with the extents and the order that it gives. Throws
  /// type_mismatch if it has another element type or rank; corrupt_segment if it is no .npy file.
  static array map_npy(const std::filesystem::path& path) {
    return array(detail::map_array_npy(path, type(), static_cast<std::uint32_t>(Rank), detail::npy_descr<T>()));
  }
  /// Writes the elements into a .npy file, in their order, in place of what had that name: it is the old or the new one
  /// whenever this process dies. Throws permission_denied, not_found (no such folder), no_space.
  void write_npy(const std::filesystem::path& path) const {
    detail::write_array_npy(*core(), path, detail::npy_descr<T>());
  }

  // ---- elements. Undefined for indices out of range, but in at(), and for a handle that refers to no array.

  template <std::integral... I>
  requires(sizeof...(I) == Rank) [[nodiscard]] T& operator()(I... indices) const noexcept {
    return data_[offset_of(indices...)];
  }
  /// Throws std::out_of_range.
  template <std::integral... I>
  requires(sizeof...(I) == Rank) [[nodiscard]] T& at(I... indices) const {
    const extents_type now = extents();
    const bool inside = [&]<std::size_t... D>(std::index_sequence<D...>) {
      return ((std::cmp_greater_equal(indices, 0) && std::cmp_less(indices, now[D])) && ...);
    }
    (std::make_index_sequence<Rank>());
    if (!inside) {
      const std::array<std::size_t, Rank> asked{static_cast<std::size_t>(indices)...};
      detail::throw_out_of_range(*core_, asked);
    }
    return data_[offset_of(indices...)];
  }
  template <std::integral... I>
  requires(sizeof...(I) == Rank) [[nodiscard]] std::atomic_ref<T> atomic(I... indices) const {
    return std::atomic_ref<T>(at(indices...));
  }
  /// All elements, as they lie in memory.
  [[nodiscard]] std::span<T> span() const { return {data_, size()}; }
  [[nodiscard]] T* data() const noexcept { return data_; }
  [[nodiscard]] extents_type extents() const {
    const detail::array_shape now = detail::shape_of(*core());
    extents_type found;
    std::copy_n(now.extents.begin(), Rank, found.begin());
    return found;
  }
  /// Throws std::out_of_range.
  [[nodiscard]] std::size_t extent(std::size_t dimension) const { return extents().at(dimension); }
  [[nodiscard]] std::size_t size() const {
    std::size_t product = 1;
    for (const std::size_t extent : extents()) product *= extent;
    return product;
  }
  /// Distance of neighbours in each dimension, in elements.
  [[nodiscard]] extents_type strides() const noexcept {
    extents_type found;
    for (std::size_t d = 0; d < Rank; ++d) found[d] = static_cast<std::size_t>(strides_[d]);
    return found;
  }
  [[nodiscard]] weir::order order() const { return detail::shape_of(*core()).order; }
  void fill(const T& value) const { std::ranges::fill(span(), T(value)); }

  /// Makes the first extent `rows`: other handles see it at their next look. Elements stay where they are; new ones are
  /// zero. Nobody may use rows that are being removed. Throws invalid_argument for 0, for more than the array has address
  /// space for (array_options::max_rows), and for an array in column_major order of more than one dimension, whose rows
  /// lie apart; no_space, which changes nothing.
  void resize_rows(std::size_t rows) const { detail::resize_array_rows(*core(), rows); }

  // ---- the array's own lock; see array_mutex

  [[nodiscard]] array_mutex& mutex() const { return detail::mutex_of(*core()); }
  [[nodiscard]] std::unique_lock<array_mutex> lock() const { return std::unique_lock(mutex()); }
  [[nodiscard]] std::shared_lock<array_mutex> lock_shared() const { return std::shared_lock(mutex()); }

  // ---- state

  /// Refers to an array.
  explicit operator bool() const noexcept { return core_ != nullptr; }
  /// An unnamed array has a name too, which begins with '@'.
  [[nodiscard]] std::string name() const { return detail::name(*core()); }
  /// The process it lives with, the process that made it, and that process's running number.
  [[nodiscard]] process_id where() const { return detail::where(*core()); }
  [[nodiscard]] process_id whence() const { return detail::whence(*core()); }
  [[nodiscard]] std::uint64_t id() const { return detail::id(*core()); }

  /// `array<double, 2>(1, 1, 3) 1000x1000`: where, whence, id.
  friend std::ostream& operator<<(std::ostream& out, const array& a) {
    detail::print_array(out, detail::type_name<array>(), a.core_);
    return out;
  }
  /// The same array.
  [[nodiscard]] friend bool operator==(const array& a, const array& b) noexcept { return a.core_ == b.core_; }

 private:
  friend struct detail::array_access<T, Rank>;
  explicit array(detail::array_handle core)
      : core_(std::move(core)), data_(reinterpret_cast<T*>(detail::data_of(core_))) {
    const auto all = detail::strides_of(detail::shape_of(*core_));
    for (std::size_t d = 0; d < Rank; ++d) strides_[d] = detail::array_stride{all[d]};
  }
  [[nodiscard]] static const detail::item_type& type() { return detail::array_type<T, Rank>(); }
  [[nodiscard]] const detail::array_handle& core() const {
    if (!core_) detail::throw_no_array(detail::type_name<array>());
    return core_;
  }
  template <class... I>
  [[nodiscard]] std::size_t offset_of(I... indices) const noexcept {
    if constexpr (Rank == 1) {
      return (static_cast<std::size_t>(indices), ...);  // they lie side by side
    } else {
      return [&]<std::size_t... D>(std::index_sequence<D...>) {
        return ((static_cast<std::size_t>(indices) * static_cast<std::size_t>(strides_[D])) + ...);
      }
      (std::make_index_sequence<Rank>());
    }
  }

  detail::array_handle core_;
  T* data_ = nullptr;
  std::array<detail::array_stride, Rank> strides_{};
};

namespace detail {

template <class T, std::size_t Rank>
struct array_access {
  static array<T, Rank> make(array_handle core) { return array<T, Rank>(std::move(core)); }
  /// Throws invalid_argument if there is none.
  static const array_handle& core(const array<T, Rank>& handle) { return handle.core(); }
};

template <class T, std::size_t Rank>
struct handle_traits<array<T, Rank>> {
  static const item_type& type() { return type_of_kind<array<T, Rank>>(item_kind::handle); }
  static std::string reference(const array<T, Rank>& handle) { return pin_array(array_access<T, Rank>::core(handle)); }
  static array<T, Rank> attach(std::string_view reference) {
    return array_access<T, Rank>::make(attach_array(reference, array_type<T, Rank>()));
  }
};

}  // namespace detail
}  // namespace weir
