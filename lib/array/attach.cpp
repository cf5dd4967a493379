// SPDX-License-Identifier: BSL-1.0
#include "array/attach.hpp"

#include <fmt/core.h>
#include <pthread.h>

#include <algorithm>
#include <limits>
#include <map>
#include <mutex>
#include <new>
#include <optional>
#include <set>
#include <utility>

#include "array/file.hpp"
#include "array/parked.hpp"
#include "array/plan.hpp"
#include "segment/names.hpp"
#include "sync/immortal.hpp"
#include "weir/detail/crash_point.hpp"
#include "weir/error.hpp"

namespace weir::detail {
namespace {

/// This process's attachments. Named arrays are found by their file (a name can be removed and made again), unnamed ones,
/// whose names are never used twice, by name, without a look at the file.
struct registry {
  std::mutex mutex;
  std::map<std::uint64_t, std::weak_ptr<array_core>> by_file;
  std::map<std::string, std::weak_ptr<array_core>, std::less<>> by_name;
  std::set<array_core*> all;
  parked_arrays parked;
};

registry& attached() {
  // Arrays with static storage may outlive what is destroyed.
  static sync::immortal<registry> made([] {
    // A forked child has the parent's mappings but no seat: its handles are marked, and it starts afresh.
    ::pthread_atfork([] { attached().mutex.lock(); }, [] { attached().mutex.unlock(); },
                     [] {
                       for (array_core* core : attached().all) core->mark_forked();
                       attached().all.clear();
                       attached().by_file.clear();
                       attached().by_name.clear();
                       attached().parked.clear();
                       attached().mutex.unlock();
                     });
  });
  return *made;
}

void retire(array_core* retired) {
  const std::unique_ptr<array_core> core(retired);
  registry& r = attached();
  {
    const std::scoped_lock lock(r.mutex);
    r.all.erase(retired);
  }
  std::optional<shm::segment> segment = core->leave_and_release();
  if (!segment) return;
  try {
    const std::scoped_lock lock(r.mutex);
    r.parked.park(*std::move(segment));
  } catch (const std::bad_alloc&) {
    return;  // it goes now
  }
}

/// False: there is nothing that it could forget.
bool forget_the_parked() noexcept {
  registry& r = attached();
  const std::scoped_lock lock(r.mutex);
  return r.parked.clear();
}

/// What is parked makes room, if need be: of descriptors, or address space.
template <class Map>
shm::segment with_room(const Map& map) {
  try {
    return map();
  } catch (const no_space&) {
    if (!forget_the_parked()) throw;
  }
  return map();
}

/// The mapping that this process still has of an array to which it had a handle lately, checked as one that is opened;
/// nothing: none, or that array has gone. Throws as segment::open.
std::optional<shm::segment> unpark(std::string_view operation, std::string_view segment_name) {
  registry& r = attached();
  std::optional<shm::segment> found;
  {
    const std::scoped_lock lock(r.mutex);
    found = r.parked.take(segment_name);
  }
  if (!found) return std::nullopt;
  const shm::segment_look seen = shm::look_at_segment(operation, segment_name, shm::access::read);
  if (seen.file_number != found->file_number()) return std::nullopt;
  return found;
}

}  // namespace

array_handle known_array(std::uint64_t file_number) {
  registry& r = attached();
  const std::scoped_lock lock(r.mutex);
  const auto known = r.by_file.find(file_number);
  return known == r.by_file.end() ? nullptr : known->second.lock();
}

array_handle known_array_by_name(std::string_view segment_name) {
  registry& r = attached();
  const std::scoped_lock lock(r.mutex);
  const auto known = r.by_name.find(segment_name);
  return known == r.by_name.end() ? nullptr : known->second.lock();
}

array_handle remember_array(std::unique_ptr<array_core> core) {
  registry& r = attached();
  array_handle mine;
  {
    const std::scoped_lock lock(r.mutex);
    std::erase_if(r.by_file, [](const auto& entry) { return entry.second.expired(); });
    std::erase_if(r.by_name, [](const auto& entry) { return entry.second.expired(); });
    std::weak_ptr<array_core>& known = r.by_file[core->segment().file_number()];
    // Another thread may have attached the same array meanwhile; the first stays, ours goes once this lock is released.
    if (array_handle first = known.lock()) return first;
    r.all.insert(core.get());
    mine = array_handle(core.release(), retire);
    known = mine;
    if (mine->segment().header().named == 0) r.by_name[std::string(mine->segment().name())] = mine;
  }
  return mine;
}

arrays::checked_constants check_array(std::string_view operation, const shm::segment& segment) {
  arrays::checked_constants found;
  const auto& h = *segment.at<arrays::array_header>(arrays::kHeaderOffset);
  const char* why = segment.bytes() < arrays::kDataOffset ? "the file is shorter than an array's header"
                                                          : contradiction_in(h, segment.bytes(), found);
  if (why == nullptr && (!h.gate.is_sound() || !h.resizing.is_sound())) why = "its lock is not a mutex that weir made";
  if (why == nullptr && segment.header().element_bytes != found.element_bytes) {
    why = "its elements have two different sizes";
  }
  if (why != nullptr) {
    throw corrupt_segment(fmt::format("weir: {} \"{}\": {} (to remove it: rm '/dev/shm/{}{}')", operation,
                                      segment.name(), why, shm::kFilePrefix, segment.name()));
  }
  return found;
}

void check_array_type(std::string_view operation, const shm::segment& segment, const item_type& type) {
  const shm::segment_header& h = segment.header();
  if (h.type_hash == type.hash && h.item_kind == static_cast<std::uint32_t>(type.kind) &&
      h.element_bytes == type.element_bytes) {
    return;
  }
  throw type_mismatch(fmt::format("weir: {} \"{}\": it is {}, asked for {}", operation, segment.name(),
                                  std::string_view(h.type, std::min<std::size_t>(h.type_bytes, sizeof h.type)),
                                  type.name));
}

shm::segment make_array_segment(std::string_view operation, const shm::segment_spec& spec,
                                const arrays::checked_constants& constants, reserve_when when,
                                const std::string& path_of_elements, std::uint64_t device, std::uint64_t file_number) {
  const std::size_t elements = constants.file_bound ? 0 : bytes_of(constants, constants.extents[0]);
  const auto fill = [&](shm::segment& made) {
    made.reserve(operation, arrays::kSeatsOffset, shm::kPage);
    if (when == reserve_when::at_once) made.reserve(operation, constants.data_offset, elements);
    auto* h = new (made.base() + arrays::kHeaderOffset) arrays::array_header{};
    write_constants(*h, constants);
    h->resizing.make();
    h->gate.make();
    h->path_bytes = static_cast<std::uint32_t>(path_of_elements.copy(h->path, sizeof h->path - 1));
    h->file_device = device;
    h->file_number = file_number;
  };
  const std::size_t end =
      constants.file_bound ? arrays::kDataOffset : constants.data_offset + bytes_of(constants, constants.max_rows);
  const std::size_t file_bytes = (end + shm::kPage - 1) / shm::kPage * shm::kPage;
  return with_room([&] { return shm::segment::create(operation, spec, file_bytes, arrays::kSeatsOffset, fill); });
}

array_handle attach_array_segment(std::string_view operation, std::string_view segment_name, const item_type* type) {
  if (array_handle known = known_array_by_name(segment_name)) {
    if (type != nullptr) check_array_type(operation, known->segment(), *type);
    return known;
  }
  shm::segment segment = with_room([&] {
    if (std::optional<shm::segment> parked = unpark(operation, segment_name)) return *std::move(parked);
    return shm::segment::open(operation, segment_name, shm::object_kind::array);
  });
  const arrays::checked_constants constants = check_array(operation, segment);
  if (type != nullptr) check_array_type(operation, segment, *type);
  if (array_handle known = known_array(segment.file_number())) return known;
  return remember_array(constants.file_bound ? attach_file_bound(operation, std::move(segment), constants)
                                             : std::make_unique<array_core>(std::move(segment), constants));
}

void remove_named_array_segment(std::string_view operation, std::string_view name) {
  array_handle held;  // so that its memory goes with the last who has it, also where it is parked
  try {
    held = attach_array_segment(operation, name, nullptr);
  } catch (const permission_denied&) {
    throw;
  } catch (const error&) {
    // Of another kind, or damaged, or there is no room: the name goes all the same; or there is none, as remove() says.
  }
  shm::segment::remove(operation, name);
}

void remove_array_unless_attached(std::string_view segment_name) noexcept {
  try {
    if (known_array_by_name(segment_name)) return;
    try {
      constexpr auto kAnyPins = std::numeric_limits<std::int32_t>::max();
      remove_abandoned_array(segment_name, kAnyPins);
    } catch (const corrupt_segment&) {
      shm::segment::remove("remove array", segment_name);
    }
  } catch (const std::exception&) {
    return;  // gone meanwhile, or of a kind that is not ours
  }
}

abandoned_array remove_abandoned_array(std::string_view segment_name, std::int32_t most_pins) {
  try {
    shm::segment segment = shm::segment::open("look for the dead", segment_name, shm::object_kind::array);
    arrays::checked_constants constants = check_array("look for the dead", segment);
    constants.file_bound = false;  // the elements are not looked at
    array_core core(std::move(segment), constants);
    return core.remove_if_alone(most_pins) ? abandoned_array::cleared : abandoned_array::in_use;
  } catch (const not_found&) {
    return abandoned_array::gone;
  }
}

}  // namespace weir::detail
