// SPDX-License-Identifier: BSL-1.0
// Processes that make, open and remove one name at the same time: whoever gets the channel gets a whole one.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "segment/segment.hpp"
#include "support/child.hpp"
#include "support/names.hpp"
#include "weir/channel.hpp"
#include "weir/error.hpp"

namespace weir::tests {
namespace {

constexpr int kRounds = 1000;
constexpr int kProcesses = 5;
constexpr std::size_t kCapacity = 4;

/// Where the processes meet, so that each round begins for all at once.
struct meeting {
  std::atomic<int> arrived;
  std::atomic<int> whole;  // channels that were made or opened
  void wait_for(int all) {
    arrived.fetch_add(1);
    while (arrived.load() < all) ::sched_yield();
  }
};

class CreateRaces : public NamedSegments {
 protected:
  CreateRaces()
      : meeting_(static_cast<meeting*>(
            ::mmap(nullptr, sizeof(meeting), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
  ~CreateRaces() override { ::munmap(meeting_, sizeof(meeting)); }
  meeting* meeting_;
};

/// A channel that has just been made is as it should be from the first moment on, also for those who open it.
template <class Item>
void use(channel<Item> ch, const Item& item) {
  if (ch.capacity() != kCapacity) throw std::logic_error("a half-made channel");
  static_cast<void>(ch.try_put(item));
  const auto got = ch.try_take();
  if (got && *got != item) throw std::logic_error("a torn item");
}

template <class Item>
void race(const std::string& name, meeting& at, int process, int round, const Item& item) {
  try {
    switch ((process + round) % kProcesses) {
      case 0: use(channel<Item>::create(name, kCapacity), item); break;
      case 1: use(channel<Item>::open(name), item); break;
      case 2: channel<Item>::remove(name); return;
      default: use(channel<Item>::open_or_create(name, kCapacity), item);
    }
    at.whole.fetch_add(1);
  } catch (const not_found&) {
    if ((process + round) % kProcesses > 2) throw;  // would be open_or_create's
  } catch (const already_exists&) {
    if ((process + round) % kProcesses != 0) throw;
  }
}

template <class Item>
void race_all(const std::string& name, meeting& at, const Item& item) {
  std::vector<std::unique_ptr<child>> all;
  for (int process = 0; process < kProcesses; ++process) {
    all.push_back(std::make_unique<child>([&, process] {
      for (int round = 0; round < kRounds; ++round) {
        at.wait_for((round + 1) * kProcesses);
        race(name, at, process, round, item);
      }
      return 0;
    }));
  }
  for (const auto& one : all) EXPECT_EQ(one->wait(), 0);
  EXPECT_GT(at.whole.load(), 2 * kRounds);  // open_or_create always succeeds
}

TEST_F(CreateRaces, GiveAWholeChannelOrAClearAnswer) {
  race_all<int>(name(), *meeting_, 7);
  if (shm::list_segments(name()).empty()) return;
  channel<int>::remove(name());
  EXPECT_EQ(shm::list_segments(name()), std::vector<std::string>());
}

TEST_F(CreateRaces, OfChannelsWithBlocksToo) {
  race_all<std::vector<int>>(name(), *meeting_, std::vector<int>(2000, 7));
  if (shm::list_segments(name()).empty()) return;
  channel<std::vector<int>>::remove(name());
  EXPECT_EQ(shm::list_segments(name()), std::vector<std::string>());
}

/// The last handle of an unnamed channel goes while another process opens it by its reference.
TEST_F(CreateRaces, WithTheEndOfAnUnnamedChannel) {
  auto names = channel<std::string>::create(name(), 1);
  child opener([&] {
    auto in = channel<std::string>::open(name());
    for (int round = 0; round < kRounds; ++round) {
      const std::string reference = in.take();
      try {
        const auto core = detail::attach(reference, detail::codec<int>::type());
        if (detail::capacity(*core) != kCapacity) return 1;
      } catch (const not_found&) {
        continue;
      }
    }
    return 0;
  });
  std::vector<std::string> left;
  for (int round = 0; round < kRounds; ++round) {
    const channel<int> ch(kCapacity);
    left.push_back(ch.name());
    names.put(ch.name());
  }
  EXPECT_EQ(opener.wait(), 0);
  for (const std::string& each : left) EXPECT_TRUE(shm::list_segments(each).empty()) << each;
}

}  // namespace
}  // namespace weir::tests
