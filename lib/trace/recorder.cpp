// SPDX-License-Identifier: BSL-1.0
#include "trace/recorder.hpp"

#include <errno.h>
#include <fmt/core.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <set>
#include <utility>

#include "segment/names.hpp"
#include "segment/segment.hpp"
#include "sync/immortal.hpp"
#include "sync/thread_id.hpp"
#include "weir/detail/crash_point.hpp"

namespace weir::trace {

constinit on_flag g_on;

namespace {

constexpr std::string_view kOperation = "trace";

template <class Clock>
std::int64_t now_ns() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count();
}

/// This process's segment. Kept by every thread that has a ring in it.
class recording {
 public:
  explicit recording(process_id self) {
    shm::segment_spec spec;
    spec.name = segment_name(self);
    spec.kind = shm::object_kind::trace;
    spec.where = self;
    spec.whence = self;
    segment_ = shm::segment::create(kOperation, spec, kTraceFileBytes, kRingsOffset, [self](shm::segment& made) {
      auto* header = new (made.base() + kTraceHeaderOffset) trace_header{};
      header->process = self;
      header->real_offset_ns = now_ns<std::chrono::system_clock>() - now_ns<std::chrono::steady_clock>();
      const std::string_view program = ::program_invocation_short_name;
      program.copy(header->program, sizeof header->program - 1);
      for (std::size_t i = 0; i < kRings; ++i) {
        new (made.base() + kThreadsOffset + i * sizeof(thread_header)) thread_header{};
      }
    });
    WEIR_CRASH_POINT("trace.made");
  }

  [[nodiscard]] trace_header& header() const noexcept { return *segment_.at<trace_header>(kTraceHeaderOffset); }
  [[nodiscard]] thread_header& thread(std::size_t ring) const noexcept {
    return segment_.at<thread_header>(kThreadsOffset)[ring];
  }
  [[nodiscard]] event_record* records(std::size_t ring) const noexcept {
    return segment_.at<event_record>(kRingsOffset + ring * kRingBytes);
  }

  /// kRings: there is none, or no memory for one.
  std::size_t take_ring() noexcept {
    const std::scoped_lock lock(mutex_);
    for (std::size_t ring = 0; ring < kRings; ++ring) {
      thread_header& t = thread(ring);
      if (t.used.load(std::memory_order_relaxed) != 0) continue;
      if (!has_memory_[ring]) {
        try {
          segment_.reserve(kOperation, kRingsOffset + ring * kRingBytes, kRingBytes);
        } catch (const std::exception&) {
          break;  // shared memory is full: the program goes on without
        }
        has_memory_[ring] = true;
        WEIR_CRASH_POINT("trace.ring.reserved");
      }
      t.used.store(1, std::memory_order_relaxed);
      WEIR_CRASH_POINT("trace.ring.taken");
      return ring;
    }
    header().refused.fetch_add(1, std::memory_order_relaxed);
    return kRings;
  }
  void give_ring_back(std::size_t ring) noexcept {
    const std::scoped_lock lock(mutex_);
    thread(ring).used.store(0, std::memory_order_relaxed);
  }

  [[nodiscard]] bool is_unnamed(name_kind kind, std::uint64_t key) {
    const std::scoped_lock lock(mutex_);
    return !named_.contains({kind, key});
  }
  void name(name_kind kind, std::uint64_t key, std::string_view text) {
    const std::scoped_lock lock(mutex_);
    const std::uint32_t count = header().names.load(std::memory_order_relaxed);
    if (count == kNames || !named_.emplace(kind, key).second) return;
    name_entry& entry = segment_.at<name_entry>(kNamesOffset)[count];
    entry.key = key;
    entry.kind = kind;
    entry.bytes = static_cast<std::uint32_t>(text.copy(entry.text, sizeof entry.text));
    WEIR_CRASH_POINT("trace.name.written");
    header().names.store(count + 1,
                         std::memory_order_release);  // pairs with the reader's look at it before the entries
    WEIR_CRASH_POINT("trace.name.counted");
  }

 private:
  shm::segment segment_;
  std::mutex mutex_;  // guards what follows, and who has which ring
  bool has_memory_[kRings] = {};
  std::set<std::pair<name_kind, std::uint64_t>> named_;
};

/// Grows with every new recording: rings of an earlier one are not written to any more.
std::atomic<std::uint64_t> g_generation{1};
std::atomic<std::uint64_t> g_calls{0};

struct process_state {
  std::mutex mutex;  // guards `current`
  std::shared_ptr<recording> current;
};

process_state& state() {
  // Threads record until the process has gone.
  static sync::immortal<process_state> made([] {
    // A forked child is no process of the session: it records nothing, and forgets its parent's rings.
    ::pthread_atfork([] { state().mutex.lock(); }, [] { state().mutex.unlock(); },
                     [] {
                       g_on.value.store(false, std::memory_order_relaxed);
                       g_generation.fetch_add(1, std::memory_order_relaxed);
                       state().current.reset();
                       state().mutex.unlock();
                     });
  });
  return *made;
}

std::shared_ptr<recording> current_recording() noexcept {
  process_state& s = state();
  const std::scoped_lock lock(s.mutex);
  return s.current;
}

/// What record() needs, without a destructor, so that looking at it costs nothing.
struct thread_ring {
  std::uint64_t generation = 0;
  thread_header* header = nullptr;  // null: there was no ring to be had
  event_record* records = nullptr;
  std::uint64_t next = 0;
};
constinit thread_local thread_ring tl_ring;
constinit thread_local bool tl_ending = false;

/// Gives the ring back when the thread ends.
class ring_lease {
 public:
  ring_lease() = default;
  ring_lease(const ring_lease&) = delete;
  ring_lease& operator=(const ring_lease&) = delete;
  ~ring_lease() {
    tl_ending = true;
    give_back();
  }
  void give_back() noexcept {
    tl_ring = {};
    // Otherwise this is a forked child, in which the ring is its parent's, or the recording is over.
    if (in_ && generation_ == g_generation.load(std::memory_order_relaxed)) in_->give_ring_back(ring_);
    in_.reset();
  }
  void take(std::shared_ptr<recording> from, std::size_t ring, std::uint64_t generation) noexcept {
    in_ = std::move(from);
    ring_ = ring;
    generation_ = generation;
  }

 private:
  std::shared_ptr<recording> in_;
  std::size_t ring_ = 0;
  std::uint64_t generation_ = 0;
};
thread_local ring_lease tl_lease;

void append(thread_ring& mine, const event& what) noexcept {
  const std::uint64_t index = mine.next++;
  mine.records[index % kRecords] = {.time_ns = now_ns<std::chrono::steady_clock>(),
                                    .number = what.number,
                                    .object = what.object,
                                    .peer = what.peer,
                                    .sequence = static_cast<std::uint16_t>(index),
                                    .kind = what.kind,
                                    .detail = what.detail};
  WEIR_CRASH_POINT("trace.record.written");
  // For whoever reads the file (inspect/trace.cpp): the head before the records, and once more after them.
  mine.header->head.store(index + 1, std::memory_order_release);
  WEIR_CRASH_POINT("trace.record.counted");
  std::atomic_thread_fence(std::memory_order_release);  // the next record is not written before this is counted
}

bool take_ring() noexcept {
  if (tl_ending) return false;
  const std::uint64_t generation = g_generation.load(std::memory_order_acquire);
  tl_lease.give_back();
  tl_ring.generation = generation;  // whatever comes: not asked for again
  const std::shared_ptr<recording> in = current_recording();
  if (!in) return false;
  const std::size_t ring = in->take_ring();
  if (ring == kRings) return false;
  thread_header& header = in->thread(ring);
  const std::int32_t before = header.thread.load(std::memory_order_relaxed);
  const std::int32_t me = sync::thread_id();
  tl_ring = {generation, &header, in->records(ring), header.head.load(std::memory_order_relaxed)};
  tl_lease.take(in, ring, generation);
  // Before the header says it: whoever reads the ring goes by this record, and by the header where there is none.
  append(tl_ring, {.kind = event_kind::thread,
                   .object = static_cast<std::uint64_t>(before),
                   .peer = static_cast<std::uint32_t>(me)});
  header.thread.store(me, std::memory_order_relaxed);
  WEIR_CRASH_POINT("trace.ring.named");
  return true;
}

}  // namespace

bool record(const event& what) noexcept {
  thread_ring& mine = tl_ring;
  if (mine.generation != g_generation.load(std::memory_order_relaxed) && !take_ring()) return false;
  if (mine.header == nullptr) return false;
  append(mine, what);
  return true;
}

void name(name_kind kind, std::uint64_t key, std::string_view text) noexcept {
  try {
    if (const auto in = current_recording()) in->name(kind, key, text);
  } catch (const std::bad_alloc&) {
    // It stays a number.
  }
}

bool is_unnamed(name_kind kind, std::uint64_t key) noexcept {
  const auto in = current_recording();
  return in && in->is_unnamed(kind, key);
}

std::uint64_t next_call() noexcept { return is_on() ? g_calls.fetch_add(1, std::memory_order_relaxed) + 1 : 0; }

void start(process_id self) {
  process_state& s = state();
  std::shared_ptr<recording> in = current_recording();
  if (!in) {
    in = std::make_shared<recording>(self);
    const std::scoped_lock lock(s.mutex);
    s.current = in;
    g_generation.fetch_add(1, std::memory_order_release);  // pairs with the acquire in take_ring(): it finds this one
  }
  trace_header& header = in->header();
  header.on_since_ns.store(now_ns<std::chrono::steady_clock>(), std::memory_order_relaxed);
  header.on.store(1, std::memory_order_relaxed);
  WEIR_CRASH_POINT("trace.starting");
  g_on.value.store(true, std::memory_order_release);
}

void stop() noexcept {
  g_on.value.store(false, std::memory_order_relaxed);
  if (const auto in = current_recording()) in->header().on.store(0, std::memory_order_relaxed);
  WEIR_CRASH_POINT("trace.stopped");
}

void say_followed(std::uint32_t word) noexcept {
  if (const auto in = current_recording()) in->header().follows.store(word, std::memory_order_release);
  WEIR_CRASH_POINT("trace.followed");
}

void leave() noexcept {
  g_on.value.store(false, std::memory_order_relaxed);
  process_state& s = state();
  std::shared_ptr<recording> gone;  // unmapped, if it is, outside the lock
  const std::scoped_lock lock(s.mutex);
  if (!s.current) return;
  s.current->header().on.store(0, std::memory_order_relaxed);
  g_generation.fetch_add(1, std::memory_order_release);
  gone = std::move(s.current);
}

std::string segment_name(process_id id) { return shm::own_name(fmt::format("trace.{}", id)); }

bool is_trace_name(std::string_view name) noexcept {
  const std::size_t word = name.find('.');
  return name.starts_with('@') && word != std::string_view::npos && name.substr(word).starts_with(".trace.");
}

}  // namespace weir::trace
