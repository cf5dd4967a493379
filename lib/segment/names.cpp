// SPDX-License-Identifier: BSL-1.0
#include "segment/names.hpp"

#include <fmt/core.h>
#include <pthread.h>
#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <system_error>

#include "sync/immortal.hpp"
#include "weir/error.hpp"

namespace weir::shm {
namespace {

struct realm_state {
  std::mutex mutex;
  std::string name;
};

realm_state& this_realm() {
  // Objects with static storage may still be removed at exit.
  static sync::immortal<realm_state> made([] {
    // A forked child is another process, and must not make names that its parent will make too.
    ::pthread_atfork([] { this_realm().mutex.lock(); }, [] { this_realm().mutex.unlock(); },
                     [] {
                       this_realm().name.clear();
                       this_realm().mutex.unlock();
                     });
  });
  return *made;
}

std::string draw_realm() {
  std::array<unsigned char, 6> random{};
  std::size_t have = 0;
  while (have < random.size()) {
    const ssize_t got = ::getrandom(random.data() + have, random.size() - have, 0);
    if (got < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "weir: getrandom");
    if (got > 0) have += static_cast<std::size_t>(got);
  }
  std::string name;
  for (const unsigned char byte : random) name += fmt::format("{:02x}", byte);
  return name;
}

}  // namespace

void check_user_name(std::string_view operation, std::string_view name) {
  const auto refuse = [&](std::string_view why) {
    throw invalid_argument(fmt::format("weir: {}: the name \"{}\" {}", operation, name.substr(0, kMaxNameLength), why));
  };
  if (name.empty()) refuse("is empty: a name has 1 to 200 characters");
  if (name.size() > kMaxNameLength) refuse(fmt::format("has {} characters: at most 200 are allowed", name.size()));
  if (name.front() == '@') refuse("begins with '@', which is kept for unnamed objects");
  for (const char c : name) {
    if (c == '/') refuse("has a '/' in it: a name is one word, not a path");
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) refuse("has a control character in it");
  }
}

std::string realm() {
  realm_state& state = this_realm();
  const std::scoped_lock lock(state.mutex);
  if (state.name.empty()) state.name = draw_realm();
  return state.name;
}

void join_realm(std::string_view realm) {
  realm_state& state = this_realm();
  const std::scoped_lock lock(state.mutex);
  state.name = realm;
}

std::string own_name(std::string_view word) { return fmt::format("@{}.{}", realm(), word); }

}  // namespace weir::shm
