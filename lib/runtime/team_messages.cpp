// SPDX-License-Identifier: BSL-1.0
// Messages from rank to rank. Each rank has an inbox, a channel that is made with the first message; what it does not want
// yet, it keeps in its own memory, in the order it came.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "runtime/team_core.hpp"
#include "runtime/team_sleep.hpp"
#include "weir/detail/crash_point.hpp"
#include "weir/detail/type_name.hpp"
#include "weir/error.hpp"

namespace weir::detail {
namespace {

using runtime::rank_state;
using runtime::team_message;

constexpr std::size_t kInboxCapacity = 64;
// As long as a sender waits for room before it looks into its own inbox, and after that.
constexpr std::chrono::milliseconds kFirstSlice{1};
constexpr std::chrono::milliseconds kLongestSlice{50};

const item_type& message_items() {
  static const item_type kType{
      .name = "weir::message", .hash = hash_of("weir::message"), .kind = item_kind::bytes, .element_name = {}};
  return kType;
}

/// What is before the value, up to a multiple of kValueAlignment.
std::vector<std::byte> make_front(std::uint32_t from, std::int64_t tag, const message_type& type) {
  const std::string_view name = type.name.substr(0, runtime::kTypeNameBytes);
  team_message front;
  front.from = from;
  front.name_bytes = static_cast<std::uint32_t>(name.size());
  front.tag = tag;
  front.type_hash = type.hash;
  const std::size_t bytes = sizeof front + name.size();
  std::vector<std::byte> out((bytes + kValueAlignment - 1) / kValueAlignment * kValueAlignment);
  std::memcpy(out.data(), &front, sizeof front);
  std::memcpy(out.data() + sizeof front, name.data(), name.size());
  return out;
}

struct message_parts {
  team_message front;
  std::string_view type_name;
  std::size_t offset = 0;

  explicit message_parts(std::span<const std::byte> item) {
    if (item.size() >= sizeof front) std::memcpy(&front, item.data(), sizeof front);
    offset = (sizeof front + front.name_bytes + kValueAlignment - 1) / kValueAlignment * kValueAlignment;
    if (item.size() < sizeof front || item.size() < offset) {
      throw corrupt_segment(fmt::format("weir: receive from a rank: a message is cut off at {} bytes", item.size()));
    }
    type_name = {reinterpret_cast<const char*>(item.data()) + sizeof front, front.name_bytes};
  }
  [[nodiscard]] bool is_for(std::uint32_t from, std::int64_t tag) const noexcept {
    return front.from == from && front.tag == tag;
  }
};

std::string receive_text(const message_type& type, std::uint32_t from, std::int64_t tag) {
  return fmt::format("receive<{}>(rank {}, tag {})", type.name, from, tag);
}

void check_type(std::uint64_t hash, std::string_view name, const message_type& wanted, std::uint32_t from,
                std::int64_t tag) {
  if (hash == wanted.hash) return;
  throw type_mismatch(fmt::format("weir: {}: the message is a {}", receive_text(wanted, from, tag), name));
}

}  // namespace

// ----------------------------------------------------------------------------------------------------- received_message

received_message::received_message(taken_item item, std::size_t offset) noexcept
    : item_(std::move(item)), offset_(offset), has_references_(item_.has_references()) {}

received_message::received_message(std::vector<std::byte> copy, std::size_t offset, bool has_references) noexcept
    : copy_(std::move(copy)), offset_(offset), has_references_(has_references) {}

received_message::received_message(received_message&& other) noexcept
    : item_(std::move(other.item_)),
      copy_(std::move(other.copy_)),
      offset_(other.offset_),
      has_references_(std::exchange(other.has_references_, false)) {}

received_message::~received_message() {
  if (!has_references_) return;
  try {
    release_references(bytes());
  } catch (const std::exception&) {
    // Nonsense where references should be: there is nothing to take back.
  }
}

std::span<const std::byte> received_message::body() const {
  return split_references(bytes(), has_references_).body.subspan(offset_);
}

// ---------------------------------------------------------------------------------------------------------------- inbox

const core_handle& team_core::inbox_of(std::uint32_t rank) {
  core_handle& inbox = inboxes_[rank];
  if (inbox) return inbox;
  const std::string name = fmt::format("{}.inbox.{}", segment_.file().name(), rank);
  while (!inbox) {
    try {
      inbox = attach(name, message_items());
    } catch (const not_found&) {
      segment_.rank(rank).has_inbox.store(1, std::memory_order_release);  // first: it is to be removed at the end
      WEIR_CRASH_POINT("team.inbox.marked");
      try {
        inbox = create_internal(name, message_items(), kInboxCapacity, {});
        WEIR_CRASH_POINT("team.inbox.made");
      } catch (const already_exists&) {
        continue;  // somebody else's first message
      }
    }
  }
  return inbox;
}

void team_core::stash(const taken_item& item) {
  const message_parts parts(item.bytes());
  stash_.push_back(
      {parts.front, std::string(parts.type_name),
       received_message(std::vector(item.bytes().begin(), item.bytes().end()), parts.offset, item.has_references())});
}

void team_core::drain_inbox() {
  if (own_.has_inbox.load(std::memory_order_acquire) == 0) return;
  taken_item item;
  while (take(inbox_of(rank_), item, deadline::at_once()) == take_status::taken) {
    WEIR_CRASH_POINT("team.stashing");
    stash(item);
    item = {};
    WEIR_CRASH_POINT("team.stashed");
  }
}

std::optional<received_message> team_core::find_stashed(std::uint32_t from, std::int64_t tag,
                                                        const message_type& type) {
  const auto found = std::find_if(stash_.begin(), stash_.end(), [&](const stashed& each) {
    return each.front.from == from && each.front.tag == tag;
  });
  if (found == stash_.end()) return std::nullopt;
  check_type(found->front.type_hash, found->type_name, type, from, tag);
  std::optional<received_message> message(std::move(found->message));
  // Not erase(): messages are not assigned to each other.
  std::deque<stashed> rest;
  for (auto at = stash_.begin(); at != stash_.end(); ++at) {
    if (at != found) rest.push_back(std::move(*at));
  }
  stash_.swap(rest);
  return message;
}

void team_core::check_other(std::uint32_t other, runtime::death_watch& watch, const std::string& operation) {
  const auto& failed = segment_.header().failed;
  const rank_state state = segment_.rank(other).state.load(std::memory_order_acquire);
  if (state != rank_state::left && state != rank_state::failed && watch.ended()) {
    segment_.set_failed(runtime::team_failure::died, other);
  }
  if (const std::uint32_t how = failed.load(std::memory_order_acquire); how != 0) throw_failure(how, operation);
}

// ------------------------------------------------------------------------------------------------------ send and receive

void team_core::send(std::uint32_t to, std::int64_t tag, const message_type& type, encoder& value) {
  const auto text = [&] { return fmt::format("send<{}>(rank {}, tag {})", type.name, to, tag); };
  if (const std::uint32_t how = segment_.header().failed.load(std::memory_order_acquire); how != 0) {
    throw_failure(how, text());
  }
  const std::vector<std::byte> front = make_front(rank_, tag, type);
  const payload item = value.item();
  std::vector<std::span<const std::byte>> parts{front};
  parts.insert(parts.end(), item.parts.begin(), item.parts.end());
  const payload message{parts, item.has_references};
  if (to == rank_) {
    std::vector<std::byte> copy;
    for (const auto& part : parts) copy.insert(copy.end(), part.begin(), part.end());
    const message_parts own(copy);
    drain_inbox();  // what came before stays before
    stash_.push_back(
        {own.front, std::string(own.type_name), received_message(std::move(copy), own.offset, item.has_references)});
    return value.sent();
  }
  const core_handle& inbox = inbox_of(to);
  WEIR_CRASH_POINT("team.sending");
  if (!put(*inbox, message, deadline::at_once())) {
    asleep sleeper(*this, runtime::rank_waits::send, to, tag);
    runtime::death_watch watch(member_->table(), segment_.rank(to).process);
    std::chrono::milliseconds slice = kFirstSlice;
    do {
      const std::size_t had = stash_.size();
      drain_inbox();  // two who send to each other would else wait for ever
      slice = stash_.size() != had ? kFirstSlice : std::min(2 * slice, kLongestSlice);
      check_other(to, watch, text());
      if (segment_.rank(to).state.load(std::memory_order_acquire) == rank_state::left) {
        throw invalid_argument(
            fmt::format("weir: {}: that rank has returned from the function, and its inbox is full", text()));
      }
    } while (!put(*inbox, message, deadline::after(slice)));
  }
  WEIR_CRASH_POINT("team.sent");
  value.sent();
}

std::optional<received_message> team_core::receive(std::uint32_t from, std::int64_t tag, const message_type& type,
                                                   deadline until) {
  if (const std::uint32_t how = segment_.header().failed.load(std::memory_order_acquire); how != 0) {
    throw_failure(how, receive_text(type, from, tag));
  }
  if (auto found = find_stashed(from, tag, type)) return found;
  const core_handle& inbox = inbox_of(rank_);
  const auto take_one = [&](deadline slice) -> std::optional<received_message> {
    taken_item item;
    while (take(inbox, item, slice) == take_status::taken) {
      WEIR_CRASH_POINT("team.received");
      const message_parts parts(item.bytes());
      const bool fits = parts.is_for(from, tag) && parts.front.type_hash == type.hash;
      if (fits) return received_message(std::move(item), parts.offset);
      stash(item);
      item = {};
      WEIR_CRASH_POINT("team.stashed");
      if (auto found = find_stashed(from, tag, type)) return found;  // throws: it is of another type
    }
    return std::nullopt;
  };
  const auto slice_from_now = [&] {
    const auto end = std::chrono::steady_clock::now() + sync::kLongestSleep;
    return until.is_at_once() ? until : deadline::at(std::min(until.when(), end));
  };
  std::optional<runtime::death_watch> watch;
  std::optional<asleep> sleeper;
  for (;;) {
    const bool has_left =
        from == rank_ || segment_.rank(from).state.load(std::memory_order_acquire) == rank_state::left;
    if (auto found = take_one(has_left ? deadline::at_once() : slice_from_now())) return found;
    if (until.has_passed()) return std::nullopt;
    if (has_left) {
      throw invalid_argument(
          fmt::format("weir: {}: {}, and no such message is there", receive_text(type, from, tag),
                      from == rank_ ? "that is this rank itself" : "that rank has returned from the function"));
    }
    if (!watch) {
      watch.emplace(member_->table(), segment_.rank(from).process);
      sleeper.emplace(*this, runtime::rank_waits::receive, from, tag);
    }
    check_other(from, *watch, receive_text(type, from, tag));
  }
}

void send_to_rank(team_core& core, std::uint32_t to, std::int64_t tag, const message_type& type, encoder& value) {
  check_rank(core, "send", to);
  core.send(to, tag, type, value);
}

std::optional<received_message> receive_from_rank(team_core& core, std::uint32_t from, std::int64_t tag,
                                                  const message_type& type, deadline until) {
  check_rank(core, "receive", from);
  return core.receive(from, tag, type, until);
}

}  // namespace weir::detail
