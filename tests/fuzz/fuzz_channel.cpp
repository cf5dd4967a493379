// SPDX-License-Identifier: BSL-1.0
// A channel whose bytes are not what they should be, when it is opened or while it is used: every operation ends soon,
// with a result or a weir::error, and touches nothing outside the mapping.
#include <array>
#include <chrono>
#include <vector>

#include "channel/channel_core.hpp"
#include "fuzz/channel_bytes.hpp"
#include "weir/detail/select_case.hpp"
#include "weir/error.hpp"

namespace weir::fuzz {
namespace {

namespace ch = weir::channels;
using detail::deadline;
using detail::hold;

/// Which case of a select this is; takes go as try_take goes.
class fuzzed_case final : public detail::select_case {
 public:
  fuzzed_case(kind what, detail::core_handle core, detail::payload item)
      : select_case(what, std::move(core)), item_(item) {}
  [[nodiscard]] detail::payload item() override { return item_; }
  void was_put() noexcept override {}
  bool try_now() override {
    detail::taken_item item;
    return detail::take(core(), item, deadline::at_once()) == detail::take_status::taken;
  }

 private:
  detail::payload item_;
};

class user {
 public:
  user(const channel_image& image, segment_file_copy& file)
      : image_(image), file_(file), core_(detail::open_named(image.bytes.name(), image.type)) {}
  user(const user&) = delete;
  user& operator=(const user&) = delete;
  ~user() {
    held_.clear();
    loaned_ = {};
    // A forged view of our own would keep the channel mapped until this process ends, for the sake of whoever reads it.
    const ch::channel_geometry& g = core_->constants().geometry;  // it may have been laid out anew
    for (std::uint64_t slot = 0; slot < g.slot_count; ++slot) {
      file_.write(g.offset_of_slot(slot) + offsetof(ch::slot, view), std::uint64_t{0});
    }
  }

  void do_one(input& from) {
    const std::uint8_t what = from.byte();
    try {
      operate(what, from);
    } catch (const weir::error&) {
      // Any of them fits what was done to the bytes.
    }
  }

 private:
  [[nodiscard]] deadline soon(std::uint8_t choice) const {
    // At once may wait for a taker that is about to come, of whom the damaged bytes speak.
    const bool rendezvous = image_.geometry.capacity == 0;
    return choice < 128 && !rendezvous ? deadline::at_once() : deadline::after(std::chrono::nanoseconds(1));
  }
  [[nodiscard]] bool is_fixed() const { return image_.type.fixed_bytes != 0; }
  [[nodiscard]] std::size_t item_bytes(std::uint8_t choice) const {
    constexpr std::array<std::size_t, 8> kVarying{0, 1, 30, 700, 1056, 1057, 2000, 4096};
    return is_fixed() ? image_.type.fixed_bytes : kVarying[choice % kVarying.size()];
  }

  void operate(std::uint8_t what, input& from) {
    const std::uint8_t choice = from.byte();
    std::array<std::byte, 4096> bytes{};
    const std::span<const std::byte> part = std::span(bytes).first(item_bytes(choice));
    const detail::payload item{{&part, 1}, false};
    detail::fast_path& way = *detail::fast_path_of(core_);
    const auto any_size = [](std::size_t) { return true; };
    switch (what % 20) {
      case 0:
        if (!is_fixed()) static_cast<void>(detail::put(*core_, item, soon(choice)));
        if (is_fixed()) static_cast<void>(detail::put_fixed(*core_, part.data(), part.size(), soon(choice)));
        return;
      case 1:
        if (is_fixed()) {
          static_cast<void>(way.put_fixed(part.data(), part.size()));
        } else {
          static_cast<void>(way.put_piece(part.data(), part.size()));
        }
        return;
      case 2:
        if (is_fixed() && core_->items_fit_slots()) {
          static_cast<void>(detail::take_fixed(*core_, bytes.data(), part.size(), soon(choice)));
          return;
        }
        [[fallthrough]];
      case 3: {
        detail::taken_item taken;
        static_cast<void>(detail::take(core_, taken, soon(choice), choice % 2 == 0 ? hold::copy : hold::view));
        use(taken.bytes());
        if (choice % 8 == 7) return taken.give_back();
        if (choice % 8 > 4 && held_.size() < 3) held_.push_back(std::move(taken).release());
        return;
      }
      case 4:
        if (is_fixed()) {
          static_cast<void>(way.take_fixed(bytes.data(), part.size()));
        } else {
          static_cast<void>(way.take_piece(any_size, [this](std::span<const std::byte> body) { use(body); }));
        }
        return;
      case 5: {
        detail::held_item view;
        if (!is_fixed() && view.take(way, any_size)) use(view.bytes());
        if (held_.size() < 3) held_.push_back(std::move(view));
        return;
      }
      case 6: return held_.clear();
      case 7: {
        detail::item_copy copy;
        static_cast<void>(detail::fetch(*core_, copy, soon(choice)));
        return;
      }
      case 8: return static_cast<void>(detail::peek(*core_));
      case 9:
        sum_ += detail::size(*core_) + detail::capacity(*core_) + detail::name(*core_).size();
        sum_ += (detail::is_ready(*core_) ? 1U : 0U) + (detail::is_open(*core_) ? 1U : 0U);
        return;
      case 10: return detail::close(*core_, choice % 2 == 0 ? "" : "because");
      case 11: static_cast<void>(core_->look_for_the_dead(/*even_if_just_looked=*/true)); return;
      case 12: return loan(choice);
      case 13:
        if (loaned_) static_cast<void>(detail::put(*core_, loaned_, loaned_.bytes().size(), soon(choice)));
        return;
      case 14: return select(item, choice);
      case 15: return core_->bind(2, shm::this_process(), choice % 2 == 0);
      case 16: return detail::pin(*core_);
      case 17: return detail::unpin(detail::reference_of(*core_));
      default: return damage(from, image_, file_, /*may_resize=*/false);
    }
  }

  /// A loan waits for a block however long that takes.
  void loan(std::uint8_t choice) {
    const ch::channel_geometry& g = core_->constants().geometry;  // it may have been laid out anew
    bool one_is_free = false;
    for (std::uint32_t block = 0; block < g.block_count && !one_is_free; ++block) {
      one_is_free = file_.word_at(g.block_table_offset + block * sizeof(ch::block_entry)) == 0;
    }
    if (!one_is_free) return;
    loaned_ = detail::loan(core_, item_bytes(choice));
    for (std::byte& b : loaned_.bytes()) b = std::byte{7};
  }

  void select(const detail::payload& item, std::uint8_t choice) {
    using kind = detail::select_case::kind;
    fuzzed_case first((choice & 16U) != 0 ? kind::put : kind::take, core_, item);
    fuzzed_case second((choice & 32U) != 0 ? kind::put : kind::take, core_, item);
    std::array<detail::select_case*, 2> cases{&first, &second};
    static_cast<void>(detail::do_first(cases, soon(choice), {}));
  }

  void use(std::span<const std::byte> bytes) {
    for (const std::byte b : bytes) sum_ += static_cast<std::size_t>(b);
  }

  const channel_image& image_;
  segment_file_copy& file_;
  detail::core_handle core_;
  std::vector<detail::held_item> held_;
  detail::loaned_block loaned_;
  std::size_t sum_ = 0;
};

void run(input from) {
  const auto& images = channel_images();
  const channel_image& image = images[from.byte() % images.size()];
  segment_file_copy file(image.bytes);
  for (std::uint32_t left = from.byte() % 8; left > 0; --left) damage(from, image, file, /*may_resize=*/true);
  try {
    user one(image, file);
    constexpr int kMost = 40;
    for (int done = 0; done < kMost && !from.is_done(); ++done) one.do_one(from);
  } catch (const weir::error&) {
    // Not opened.
  }
}

}  // namespace
}  // namespace weir::fuzz

// The name is libFuzzer's.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::fuzz::run({data, size});
  return 0;
}
