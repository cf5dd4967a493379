// SPDX-License-Identifier: BSL-1.0
#include "sync/thread_id.hpp"

#include <pthread.h>
#include <unistd.h>

namespace weir::sync {
namespace {

thread_local std::int32_t tl_id = 0;  // 0: not asked yet

}  // namespace

std::int32_t thread_id() noexcept {
  // The child of a fork has the one thread that forked, with its number of before.
  [[maybe_unused]] static const int kRegistered = ::pthread_atfork(nullptr, nullptr, [] { tl_id = 0; });
  if (tl_id == 0) tl_id = ::gettid();
  return tl_id;
}

}  // namespace weir::sync
