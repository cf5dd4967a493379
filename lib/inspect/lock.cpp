// SPDX-License-Identifier: BSL-1.0
#include "inspect/lock.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/futex.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace weir::inspect {
namespace {

std::string read_proc(std::int32_t id, const char* file) {
  const std::string path = fmt::format("/proc/{}/{}", id, file);
  const shm::unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 2048> text{};
  const ssize_t got = fd ? ::read(fd.get(), text.data(), text.size()) : 0;
  return got > 0 ? std::string(text.data(), static_cast<std::size_t>(got)) : std::string();
}

/// What glibc writes into the kind of the mutexes that robust_mutex::make() makes.
std::int32_t kind_of_own_mutexes() {
  pthread_mutexattr_t attributes;
  pthread_mutex_t mutex;
  ::pthread_mutexattr_init(&attributes);
  ::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  ::pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  ::pthread_mutex_init(&mutex, &attributes);
  const std::int32_t kind = mutex.__data.__kind;
  ::pthread_mutex_destroy(&mutex);
  ::pthread_mutexattr_destroy(&attributes);
  return kind;
}

}  // namespace

std::int32_t process_of_thread(std::int32_t thread) {
  const std::string status = read_proc(thread, "status");
  constexpr const char* kField = "\nTgid:";
  const auto at = status.find(kField);
  if (at == std::string::npos) return 0;
  return static_cast<std::int32_t>(std::strtol(status.c_str() + at + std::strlen(kField), nullptr, 10));
}

std::string program_of(std::int32_t pid) {
  std::string name = read_proc(pid, "comm");
  if (!name.empty() && name.back() == '\n') name.pop_back();
  return name;
}

lock_words words_of(const sync::robust_mutex& mutex) {
  pthread_mutex_t inner;
  lock_words out;
  const auto* bytes = reinterpret_cast<const std::byte*>(&mutex);
  std::memcpy(&inner, bytes, sizeof inner);
  std::memcpy(&out.damaged, bytes + sizeof inner, sizeof out.damaged);
  out.word = static_cast<std::uint32_t>(inner.__data.__lock);
  out.owner = inner.__data.__owner;
  out.kind = inner.__data.__kind;
  return out;
}

lock_report describe_lock(const lock_words& words, std::uint32_t pid_namespace,
                          std::span<const participant_report> participants) {
  // glibc's marks in the copy of the owner: given up for good, and told of a death but not yet consistent again.
  constexpr std::int32_t kNotRecoverable = std::numeric_limits<std::int32_t>::max() - 1;
  constexpr std::int32_t kInconsistent = std::numeric_limits<std::int32_t>::max();
  const auto holder = static_cast<std::int32_t>(words.word & FUTEX_TID_MASK);

  lock_report out;
  out.unusable = words.owner == kNotRecoverable || words.kind != kind_of_own_mutexes();
  if (out.unusable) return out;
  out.held = holder != 0;
  out.owner_died = (words.word & FUTEX_OWNER_DIED) != 0;  // which the kernel sets when it takes the holder out
  out.contended = (words.word & FUTEX_WAITERS) != 0;
  out.damaged = words.damaged != 0;
  if (!out.held && !out.owner_died) return out;
  out.thread = holder != 0 ? holder : words.owner;
  if (out.thread == kInconsistent || out.thread < 0) out.thread = 0;
  if (pid_namespace != shm::this_process().pid_namespace) {
    out.life = shm::liveness::unknown;
    return out;
  }
  if (out.held) out.pid = process_of_thread(out.thread);
  out.life = out.pid != 0 ? shm::liveness::alive : shm::liveness::dead;
  if (out.pid == 0) {  // its own process has that number if it was the first thread
    const auto same = [&](const participant_report& p) { return p.who.pid == out.thread; };
    if (std::any_of(participants.begin(), participants.end(), same)) out.pid = out.thread;
  }
  return out;
}

}  // namespace weir::inspect
