// SPDX-License-Identifier: BSL-1.0
#include "fuzz/channel_bytes.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

#include "segment/process_identity.hpp"
#include "weir/channel_options.hpp"

namespace weir::fuzz {
namespace {

namespace ch = weir::channels;
using detail::item_kind;

constexpr std::size_t kLong = 3000;  // lies in a block

void put(detail::channel_core& core, std::size_t bytes) {
  const std::vector<std::byte> item(bytes, std::byte{'x'});
  const std::span<const std::byte> part(item);
  static_cast<void>(detail::put(core, detail::payload{{&part, 1}, false}, detail::deadline::at_once()));
}

channel_image make(const detail::item_type& type, std::size_t capacity) {
  const std::string name = own_name("channel");
  {
    const auto core =
        detail::create_named(name, type, capacity, {.max_item_bytes = type.fixed_bytes != 0 ? 0U : 4096U});
    for (const std::size_t varying : {std::size_t{5}, kLong}) {
      if (capacity != 0) put(*core, type.fixed_bytes != 0 ? type.fixed_bytes : varying);
    }
  }
  const segment_image image(name);
  segment_file_copy file(image);
  const auto word = [&](std::size_t offset) { return file.word_at(shm::kPage + offset); };
  ch::channel_geometry g;
  g.capacity = word(offsetof(ch::channel_header, capacity));
  g.slot_count = word(offsetof(ch::channel_header, slot_count));
  g.block_stride = word(offsetof(ch::channel_header, block_stride));
  g.slot_bytes = static_cast<std::uint32_t>(word(offsetof(ch::channel_header, slot_bytes)));
  g.block_count = static_cast<std::uint32_t>(word(offsetof(ch::channel_header, block_count)));
  ch::lay_out(g);
  const shm::process_identity dead{1 << 29, shm::this_process().pid_namespace, 1};
  const std::uint64_t entry = g.participants_offset + kDeadParticipant * sizeof(ch::participant_entry);
  file.write(entry, dead);
  file.write(entry + offsetof(ch::participant_entry, used), std::uint32_t{1});
  file.write(shm::kPage + offsetof(ch::channel_header, participants_high), kDeadParticipant + 1);
  return {type, g, segment_image(name)};
}

// ---------------------------------------------------------------------------------------------------------- where

constexpr std::array<std::uint16_t, 18> kSegmentFields{0,  8,  12, 16, 24, 40,  48,  64,  68,
                                                       72, 80, 84, 88, 96, 100, 104, 108, 256};
constexpr std::array<std::uint16_t, 29> kChangingFields{128, 132, 136, 140, 256, 260, 384,  388,  512, 516,
                                                        640, 644, 648, 652, 656, 660, 664,  672,  680, 688,
                                                        696, 700, 704, 708, 712, 716, 2048, 2176, 1024};

std::uint64_t place(input& from, const ch::channel_geometry& g) {
  const std::uint8_t region = from.byte() % 11;
  const auto field = [&](std::uint64_t count) { return 8 * (from.byte() % count); };
  switch (region) {
    case 0: return kSegmentFields[from.byte() % kSegmentFields.size()];
    case 1: return shm::kPage + field(11);
    case 2: return shm::kPage + kChangingFields[from.byte() % kChangingFields.size()];
    case 3: return shm::kPage + offsetof(ch::channel_header, bindings) + field(sizeof(ch::binding_entry) / 8 * 2);
    case 4: return g.participants_offset + sizeof(ch::participant_entry) * (from.byte() % 5) + field(4);
    case 5: return g.waiters_offset + sizeof(ch::waiter_entry) * (from.byte() % 4) + field(4);
    case 6:
    case 7: return g.slots_offset + g.slot_bytes * from.below(g.slot_count) + field(6);
    case 8: return g.block_table_offset + sizeof(ch::block_entry) * from.below(g.block_count) + field(5);
    case 9: return g.blocks_offset + g.block_stride * from.below(g.block_count) + field(4);
    default: return from.number<std::uint32_t>() % g.blocks_offset;
  }
}

// ----------------------------------------------------------------------------------------------------------- what

constexpr std::array<std::uint64_t, 16> kTelling{0,
                                                 1,
                                                 2,
                                                 3,
                                                 0x7f,
                                                 0xff,
                                                 0x0fff,
                                                 4096,
                                                 0xffff,
                                                 0x7fffffff,
                                                 0x80000000,
                                                 0xffffffff,
                                                 std::uint64_t{1} << 47U,
                                                 std::uint64_t{1} << 62U,
                                                 0x7fffffffffffffff,
                                                 ~std::uint64_t{0}};

void write_what(input& from, segment_file_copy& file, std::uint64_t at) {
  switch (from.byte() % 13) {
    case 0: return file.write(at, from.number<std::uint64_t>());
    case 1: return file.write(at, from.number<std::uint32_t>());
    case 2: return file.write(at, from.byte());
    case 3: return file.write(at, kTelling[from.byte() % kTelling.size()]);
    case 4: return file.write(at, static_cast<std::uint32_t>(kTelling[from.byte() % kTelling.size()]));
    case 5: {
      const std::uint64_t turn = from.byte() % 2 == 0 ? from.byte() % 4 : from.number<std::uint64_t>();
      const std::uint8_t phase = from.byte();
      return file.write(at, ch::make_state(turn, static_cast<ch::phase>(phase % 16), from.byte() % 4));
    }
    case 6: {
      const std::uint32_t block = from.byte() % 2 == 0 ? ch::kNoBlock : from.byte();
      const std::uint64_t flags = from.byte() % 4;
      return file.write(at, ch::make_meta(block, flags, from.number<std::uint16_t>()));
    }
    case 7: {
      const std::uint64_t turn = from.byte() % 4;
      const std::size_t bytes = from.number<std::uint16_t>() % 0x800;
      const std::uint8_t phase = from.byte() % 4;
      return file.write(at, ch::make_view(turn, bytes, static_cast<ch::view_phase>(phase), from.byte() % 4));
    }
    case 8: {
      const auto phase = static_cast<ch::block_phase>(from.byte() % 6);
      return file.write(at, ch::make_block_word(phase, from.byte() % 4));
    }
    case 9: return file.write(at, file.word_at(at) + from.number<std::uint8_t>() - 128);
    case 10: return file.write(at, file.word_at(at) ^ (std::uint64_t{1} << (from.byte() % 64U)));
    case 11: return file.write(at, shm::this_process());
    default:
      return file.write(at, ch::make_waiter(from.byte() % 4, static_cast<ch::waiter_stage>(from.byte() % 4),
                                            static_cast<ch::waits_for>(from.byte() % 6)));
  }
}

/// A channel of any geometry, whose header does not contradict itself: with nothing inside.
void lay_out_anew(input& from, segment_file_copy& file) {
  ch::channel_geometry g;
  g.capacity = from.byte() % 10;
  g.slot_count = std::max<std::uint64_t>(g.capacity, 1);
  g.slot_bytes = static_cast<std::uint32_t>(ch::kLine * (1 + from.byte() % 17U));
  g.block_count = 1 + from.byte() % 80U;
  g.block_stride = ch::kLine * (1 + from.below(200));
  ch::lay_out(g);
  file.resize(g.file_bytes, /*honest=*/true);
  const std::array<std::uint64_t, 3> counts{g.capacity, g.slot_count, g.block_stride};
  file.write(shm::kPage, counts);
  const std::array<std::uint64_t, 5> offsets{g.participants_offset, g.waiters_offset, g.slots_offset,
                                             g.block_table_offset, g.blocks_offset};
  file.write(shm::kPage + offsetof(ch::channel_header, participants_offset), offsets);
  file.write(shm::kPage + offsetof(ch::channel_header, slot_bytes), g.slot_bytes);
  file.write(shm::kPage + offsetof(ch::channel_header, block_count), g.block_count);
  file.write(shm::kPage + offsetof(ch::channel_header, max_item_bytes), g.block_stride);
  file.write(offsetof(shm::segment_header, fixed_bytes), from.byte() % 2 == 0 ? 0U : from.number<std::uint16_t>());
}

}  // namespace

const std::vector<channel_image>& channel_images() {
  static const auto* const images = [] {
    const detail::item_type number{"fuzz::number", 1, item_kind::bytes, 8, 0, {}};
    const detail::item_type record{"fuzz::record", 2, item_kind::bytes, 300, 0, {}};
    const detail::item_type text{"std::string", 3, item_kind::sequence, 0, 1, "char"};
    const detail::item_type tree{"fuzz::tree", 4, item_kind::archive, 0, 0, {}};
    auto* made = new std::vector<channel_image>;
    for (const auto& [type, capacity] :
         {std::pair(number, 4), std::pair(number, 3), std::pair(text, 4), std::pair(tree, 3), std::pair(text, 0),
          std::pair(number, 0), std::pair(record, 2), std::pair(text, 1)}) {
      made->push_back(make(type, static_cast<std::size_t>(capacity)));
    }
    return made;
  }();
  return *images;
}

void damage(input& from, const channel_image& image, segment_file_copy& file, bool may_resize) {
  const std::uint8_t how = from.byte();
  constexpr std::uint8_t kResizes = 16;  // in 256
  if (how >= kResizes || !may_resize) {
    const std::uint64_t at = place(from, image.geometry);
    return write_what(from, file, at);
  }
  const bool honest = how % 2 == 0;
  switch (how / 4) {
    case 0: return file.resize(from.number<std::uint32_t>() % image.geometry.file_bytes, honest);
    case 1: return file.resize(image.geometry.file_bytes + from.number<std::uint32_t>(), honest);
    case 2: return file.resize(from.number<std::uint64_t>() % (std::uint64_t{1} << 40U), honest);
    default: return lay_out_anew(from, file);
  }
}

}  // namespace weir::fuzz
