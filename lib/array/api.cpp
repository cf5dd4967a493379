// SPDX-License-Identifier: BSL-1.0
#include <fmt/format.h>
#include <sys/mman.h>

#include <stdexcept>

#include "array/attach.hpp"
#include "array/plan.hpp"
#include "segment/membership.hpp"
#include "segment/names.hpp"
#include "weir/detail/crash_point.hpp"
#include "weir/error.hpp"
#include "weir/extents.hpp"

// The functions of weir/detail/array_core.hpp, in its order.
namespace weir::detail {
namespace {

constexpr std::string_view kCreate = "create array";

array_handle make_array(shm::segment_spec& spec, const item_type& type, const array_shape& shape,
                        const array_options& options, reserve_when when) {
  spec.kind = shm::object_kind::array;
  spec.type = type;
  spec.whence = my_id();
  const arrays::checked_constants constants =
      arrays::plan_array(fmt::format("{} \"{}\"", kCreate, spec.name), type.element_bytes, shape, options);
  shm::segment made = make_array_segment(kCreate, spec, constants, when);
  try {
    return remember_array(std::make_unique<array_core>(std::move(made), constants));
  } catch (...) {
    shm::segment::remove(kCreate, spec.name);  // nobody has a handle to it
    throw;
  }
}

}  // namespace

void throw_bad_extent(std::size_t dimension, long long value) {
  throw invalid_argument(fmt::format("weir: extents: that of dimension {} is {}, must be 1 or more", dimension, value));
}

std::array<std::size_t, kMaxRank> strides_of(const array_shape& shape) noexcept {
  std::array<std::size_t, kMaxRank> strides{};
  std::size_t stride = 1;
  for (std::uint32_t step = 0; step < shape.rank; ++step) {
    const std::uint32_t d = shape.order == order::row_major ? shape.rank - 1 - step : step;
    strides[d] = stride;
    stride *= shape.extents[d];
  }
  return strides;
}

std::string text_of(const array_shape& shape) {
  return fmt::format("{}", fmt::join(shape.extents.begin(), shape.extents.begin() + shape.rank, "x"));
}

array_handle create_unnamed_array(const item_type& type, const array_shape& shape, const array_options& options,
                                  process_id where, reserve_when when) {
  shm::segment_spec spec;
  spec.where = where == 0 ? my_id() : where;
  spec.id = shm::next_object_id();
  spec.name = shm::own_name(fmt::format("{}.{}.{}", spec.where, my_id(), spec.id));
  return make_array(spec, type, shape, options, when);
}

array_handle create_named_array(std::string_view name, const item_type& type, const array_shape& shape,
                                const array_options& options) {
  shm::check_user_name(kCreate, name);
  shm::segment_spec spec;
  spec.name = name;
  spec.named = true;
  spec.where = my_id();
  spec.id = shm::next_object_id();
  return make_array(spec, type, shape, options, reserve_when::at_once);
}

array_handle open_named_array(std::string_view name, const item_type& type) {
  shm::check_user_name("open array", name);
  return attach_array_segment("open array", name, &type);
}

array_handle open_or_create_named_array(std::string_view name, const item_type& type, const array_shape& shape,
                                        const array_options& options) {
  constexpr int kTries = 1000;  // each one lost to somebody who made or removed it at that very moment
  for (int left = kTries;; --left) {
    try {
      array_handle found = open_named_array(name, type);
      const array_shape has = shape_of(*found);
      if (has == shape) return found;
      throw invalid_argument(fmt::format("weir: open array \"{}\": it is {} in {} order, asked for {} in {} order",
                                         name, text_of(has),
                                         has.order == order::row_major ? "row_major" : "column_major", text_of(shape),
                                         shape.order == order::row_major ? "row_major" : "column_major"));
    } catch (const not_found&) {
      if (left == 0) throw;
    }
    try {
      return create_named_array(name, type, shape, options);
    } catch (const already_exists&) {
      if (left == 0) throw;
    }
  }
}

void remove_named_array(std::string_view name) {
  shm::check_user_name("remove array", name);
  remove_named_array_segment("remove array", name);
}

void reserve_array(array_core& core, std::size_t first_byte, std::size_t bytes) {
  core.expect_not_forked();
  core.reserve("reserve array", first_byte, bytes);
}

void first_touch_array(array_core& core) {
  core.expect_not_forked();
  const std::size_t bytes = bytes_of(core.constants(), core.rows());
  core.reserve("reserve array", 0, bytes);
#ifdef MADV_POPULATE_WRITE  // a kernel without it leaves it to the first use
  ::madvise(core.data(), bytes, MADV_POPULATE_WRITE);
#endif
}

std::byte* data_of(const array_handle& core) noexcept { return core->data(); }

array_shape shape_of(const array_core& core) {
  core.expect_not_forked();
  const arrays::checked_constants& c = core.constants();
  array_shape shape{.rank = c.rank, .order = c.order, .extents = {}};
  std::copy(std::begin(c.extents), std::end(c.extents), shape.extents.begin());
  shape.extents[0] = core.rows();
  return shape;
}

void resize_array_rows(array_core& core, std::size_t rows) { core.resize_rows(rows); }
array_mutex& mutex_of(array_core& core) noexcept { return core.mutex(); }

std::string name(const array_core& core) {
  core.expect_not_forked();
  return std::string(core.segment().name());
}
process_id where(const array_core& core) {
  core.expect_not_forked();
  return core.segment().header().where;
}
process_id whence(const array_core& core) {
  core.expect_not_forked();
  return core.segment().header().whence;
}
std::uint64_t id(const array_core& core) {
  core.expect_not_forked();
  return core.segment().header().id;
}

void throw_no_array(std::string_view type) {
  throw invalid_argument(
      fmt::format("weir: {}: this handle refers to no array (make one, open one, or assign one)", type));
}

void throw_out_of_range(const array_core& core, std::span<const std::size_t> indices) {
  std::string asked;
  for (const std::size_t index : indices) {
    // A negative one has wrapped round.
    asked += fmt::format("{}{}", asked.empty() ? "" : ", ", static_cast<std::ptrdiff_t>(index));
  }
  throw std::out_of_range(fmt::format("weir: array \"{}\": index ({}) is not within {}", core.segment().name(), asked,
                                      text_of(shape_of(core))));
}

void print_array(std::ostream& out, std::string_view type, const array_handle& core) {
  constexpr std::string_view kNamespace = "weir::";
  out << type.substr(type.starts_with(kNamespace) ? kNamespace.size() : 0);
  if (!core) {
    out << "()";
    return;
  }
  const array_shape shape = shape_of(*core);
  out << '(' << where(*core) << ", " << whence(*core) << ", " << id(*core) << ") " << text_of(shape);
}

void array_core::reserve(std::string_view operation, std::size_t first_byte, std::size_t bytes) {
  const std::size_t all = bytes_of(constants_, rows());
  if (first_byte > all || bytes > all - first_byte) {
    throw invalid_argument(fmt::format("weir: {} \"{}\": bytes {} to {} are beyond its {}", operation, segment_.name(),
                                       first_byte, first_byte + bytes, all));
  }
  if (!constants_.file_bound) segment_.reserve(operation, constants_.data_offset + first_byte, bytes);
}

}  // namespace weir::detail
