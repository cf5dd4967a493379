// SPDX-License-Identifier: BSL-1.0
#include "runtime/member.hpp"

#include <fmt/core.h>
#include <pthread.h>

#include <cstddef>
#include <new>
#include <utility>

#include "runtime/continuations.hpp"
#include "runtime/executor.hpp"
#include "segment/membership.hpp"
#include "segment/names.hpp"
#include "sync/immortal.hpp"
#include "sync/waits.hpp"
#include "weir/detail/type_name.hpp"
#include "weir/error.hpp"

namespace weir::runtime {
namespace {

/// Calls that wait to be run; callers wait when there are more. A sleeping caller costs less than slots that every
/// process sets aside, and a process that is behind by this many has its callers' attention anyway.
constexpr std::size_t kInboxCapacity = 256;
/// Larger arguments travel in a file of their own. Bounds the address space that each inbox takes in each process.
constexpr std::size_t kLargestMessage = std::size_t{16} << 20U;
/// Memory that a place for a large message keeps for the next one.
constexpr std::size_t kKeptMessageBytes = std::size_t{4} << 20U;

struct current_member {
  std::mutex mutex;
  std::shared_ptr<member> value;
};

current_member& holder() {
  // It is asked for while the process ends.
  static sync::immortal<current_member> made([] {
    ::pthread_atfork([] { holder().mutex.lock(); }, [] { holder().mutex.unlock(); }, &member::leave_after_fork);
  });
  return *made;
}

}  // namespace

std::string inbox_name(process_id id) { return shm::own_name(fmt::format("inbox.{}", id)); }

const detail::item_type& inbox_type() {
  static const detail::item_type kType{.name = "weir::call",
                                       .hash = detail::hash_of("weir::call"),
                                       .kind = detail::item_kind::bytes,
                                       .element_name = {}};
  return kType;
}

member::member(session_table table, process_id id)
    : id_(id),
      table_(std::move(table)),
      results_(table_, id),
      inbox_(detail::create_internal(inbox_name(id), inbox_type(), kInboxCapacity,
                                     {.max_item_bytes = kLargestMessage, .idle_block_bytes = kKeptMessageBytes})),
      continuations_(std::make_unique<continuations>(table_)) {}

member::~member() = default;

void member::set_executor(std::unique_ptr<executor> runner) { executor_ = std::move(runner); }

/// In the child, with the lock that was taken before fork(). What belongs to threads is left alone: they are not here.
void member::leave_after_fork() noexcept {
  alignas(std::shared_ptr<member>) static std::byte storage[sizeof(std::shared_ptr<member>)];
  auto* const left_alone = new (storage) std::shared_ptr<member>;
  left_alone->swap(holder().value);
  if (*left_alone) (*left_alone)->forked_.store(true, std::memory_order_relaxed);
  if (my_id() != kControlProcess) shm::set_my_id(kControlProcess);
  executor::forget_thread();
  holder().mutex.unlock();
}

std::shared_ptr<member> member::current() {
  current_member& here = holder();
  const std::scoped_lock lock(here.mutex);
  return here.value;
}

std::shared_ptr<member> member::current_or_throw(const std::string& operation) {
  std::shared_ptr<member> self = current();
  if (!self) {
    throw not_in_session(fmt::format("weir: {}: this program has no session (make a weir::session first)", operation));
  }
  return self;
}

void member::set_current(std::shared_ptr<member> self) {
  std::shared_ptr<sync::wait_table> waits;
  if (self) waits = self->table().waits_of(self->id());
  sync::set_wait_table(std::move(waits));
  current_member& here = holder();
  const std::scoped_lock lock(here.mutex);
  here.value.swap(self);
}

std::shared_ptr<link> member::link_to(process_id id) {
  const std::scoped_lock lock(mutex_);
  if (const auto known = links_.find(id); known != links_.end()) return known->second;
  forget_the_gone();
  return links_[id] = std::make_shared<link>(id);
}

/// Lets go of what processes that have ended have left mapped here. Under the lock.
void member::forget_the_gone() {
  std::erase_if(links_, [&](const auto& entry) {
    if (!table_.is_gone(entry.first)) return false;
    const std::unique_lock lock(entry.second->mutex, std::try_to_lock);
    if (!lock) return false;
    entry.second->inbox.reset();  // handles to the worker may live on
    return true;
  });
  std::erase_if(other_results_, [&](const auto& entry) { return table_.is_gone(entry.first); });
}

std::shared_ptr<results_segment> member::results_of(process_id id) {
  if (id == id_) return results_.segment();
  {
    const std::scoped_lock lock(mutex_);
    if (const auto known = other_results_.find(id); known != other_results_.end()) return known->second;
  }
  std::shared_ptr<results_segment> found = results_segment::attach(id);
  const std::scoped_lock lock(mutex_);
  return other_results_.try_emplace(id, std::move(found)).first->second;
}

}  // namespace weir::runtime
