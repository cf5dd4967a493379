// SPDX-License-Identifier: BSL-1.0
// Channels between processes.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/child.hpp"
#include "support/names.hpp"
#include "support/sanitizers.hpp"
#include "weir/channel.hpp"
#include "weir/error.hpp"

namespace weir::tests {
namespace {

using namespace std::chrono_literals;
constexpr auto kWatchdog = 20s;

using children = std::vector<std::unique_ptr<child>>;

void expect_all_well(children& all) {
  for (const auto& one : all) {
    const int status = one->wait();
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "wait status " << status;
  }
}

class ChannelBetweenProcesses : public NamedSegments {};

// --------------------------------------------------------------------------------------- many putters and many takers

constexpr int kPutters = 4;
constexpr int kTakers = 4;
constexpr std::int64_t kItemsInAll = kIsAddressSanitized ? 100'000 : 1'000'000;

struct tally {
  std::array<std::int64_t, kPutters> items;
  std::array<std::int64_t, kPutters> sum;
};

// Vectors are of one of two lengths: those that lie in their slots, and those that lie in blocks.
constexpr std::size_t kShort = 16;
constexpr std::size_t kLong = 160;

std::int64_t number_in(std::int64_t item) { return item; }
std::int64_t number_in(const std::vector<std::int64_t>& item) {
  for (const std::int64_t part : item) {
    if (part != item.front()) return -1;  // torn
  }
  return item.size() == kShort || item.size() == kLong ? item.front() : -1;
}
void fill(std::int64_t& item, std::size_t /*words*/, std::int64_t number) { item = number; }
void fill(std::vector<std::int64_t>& item, std::size_t words, std::int64_t number) { item.assign(words, number); }

template <class Item, std::size_t Words = 1>
void put_and_take_all(const std::string& items_name, const std::string& tally_name, std::size_t capacity) {
  auto items = channel<Item>::create(items_name, capacity);
  auto tallies = channel<tally>::create(tally_name, kTakers);
  constexpr std::int64_t kEach = kItemsInAll / kPutters;
  children putters;
  children takers;
  for (int p = 0; p < kPutters; ++p) {
    putters.push_back(std::make_unique<child>([&, p] {
      auto out = channel<Item>::open(items_name);
      Item item{};
      for (std::int64_t i = 0; i < kEach; ++i) {
        fill(item, Words, i * kPutters + p);
        out.put(item);
      }
      return 0;
    }));
  }
  for (int t = 0; t < kTakers; ++t) {
    takers.push_back(std::make_unique<child>([&] {
      auto in = channel<Item>::open(items_name);
      tally mine{};
      std::array<std::int64_t, kPutters> last;
      last.fill(-1);
      for (const Item& item : in) {
        const std::int64_t number = number_in(item);
        if (number < 0) return 2;
        const auto putter = static_cast<std::size_t>(number % kPutters);
        if (number <= last[putter]) return 3;  // out of its putter's order, or a second time
        last[putter] = number;
        ++mine.items[putter];
        mine.sum[putter] += number / kPutters;
      }
      channel<tally>::open(tally_name).put(mine);
      return 0;
    }));
  }
  expect_all_well(putters);
  items.close();
  expect_all_well(takers);
  tally all{};
  for (int t = 0; t < kTakers; ++t) {
    const auto one = tallies.take_for(kWatchdog);
    ASSERT_TRUE(one.has_value());
    for (std::size_t p = 0; p < kPutters; ++p) {
      all.items[p] += one->items[p];
      all.sum[p] += one->sum[p];
    }
  }
  for (std::size_t p = 0; p < kPutters; ++p) {
    EXPECT_EQ(all.items[p], kEach);
    EXPECT_EQ(all.sum[p], kEach * (kEach - 1) / 2);
  }
  EXPECT_EQ(items.size(), 0U);
}

class ManyPuttersAndTakers : public ChannelBetweenProcesses, public testing::WithParamInterface<std::size_t> {
 protected:
  // The parameterised test's name has a slash in it.
  static std::string segment(const char* word) {
    return "test-" + std::to_string(::getpid()) + ".many-" + std::to_string(GetParam()) + '.' + word;
  }
  ~ManyPuttersAndTakers() override {
    channel<std::int64_t>::remove(segment("items"));
    channel<tally>::remove(segment("tally"));
  }
};

TEST_P(ManyPuttersAndTakers, PassEachSmallItemOnceAndInItsPuttersOrder) {
  put_and_take_all<std::int64_t>(segment("items"), segment("tally"), GetParam());
}
TEST_P(ManyPuttersAndTakers, PassEachShortVectorOnceAndInItsPuttersOrder) {
  put_and_take_all<std::vector<std::int64_t>, kShort>(segment("items"), segment("tally"), GetParam());
}
TEST_P(ManyPuttersAndTakers, PassEachItemInABlockOnceAndInItsPuttersOrder) {
  put_and_take_all<std::vector<std::int64_t>, kLong>(segment("items"), segment("tally"), GetParam());
}
INSTANTIATE_TEST_SUITE_P(ThroughCapacity, ManyPuttersAndTakers, testing::Values(1, 3, 64),
                         testing::PrintToStringParamName());

// -------------------------------------------------------------------------------------------------------------- close

TEST_F(ChannelBetweenProcesses, ClosingWakesAllWhoWaitToPutAndNoneOfTheirItemsGoesIn) {
  auto full = channel<int>::create(name(), 2);
  full.put(1);
  full.put(2);
  children putters;
  for (int i = 0; i < 3; ++i) {
    putters.push_back(std::make_unique<child>([&] {
      auto mine = channel<int>::open(name());
      try {
        mine.put(99);
        return 2;
      } catch (const channel_closed& e) {
        return e.reason() == "enough" ? 0 : 3;
      }
    }));
  }
  std::this_thread::sleep_for(100ms);  // until they wait
  full.close("enough");
  expect_all_well(putters);
  EXPECT_EQ(full.take(), 1);
  EXPECT_EQ(full.take(), 2);
  EXPECT_THROW((void)full.take(), channel_closed);
}

TEST_F(ChannelBetweenProcesses, ClosingWakesAllWhoWaitToTake) {
  auto empty = channel<int>::create(name(), 2);
  children takers;
  for (int i = 0; i < 3; ++i) {
    takers.push_back(std::make_unique<child>([&] {
      auto mine = channel<int>::open(name());
      try {
        (void)mine.take();
        return 2;
      } catch (const channel_closed& e) {
        return e.reason().empty() ? 0 : 3;
      }
    }));
  }
  std::this_thread::sleep_for(100ms);
  empty.close();
  expect_all_well(takers);
}

// ------------------------------------------------------------------------------------------------ stopped, not killed

TEST_F(ChannelBetweenProcesses, AStoppedProcessIsNotRobbedOfWhatItViews) {
  auto ch = channel<std::vector<int>>::create(name(), 2);
  auto seen = channel<int>::create(name("seen"), 2);
  ch.put(std::vector<int>(1000, 7));
  child viewer([&] {
    auto mine = channel<std::vector<int>>::open(name());
    auto report = channel<int>::open(name("seen"));
    const auto view = mine.take_view();
    report.put(1);
    report.put(2);
    std::this_thread::sleep_for(200ms);
    return view[999] == 7 ? 0 : 2;
  });
  EXPECT_EQ(seen.take_for(kWatchdog), 1);
  ::kill(viewer.pid(), SIGSTOP);
  EXPECT_EQ(ch.take_for(1s), std::nullopt);  // several looks for the dead later
  ::kill(viewer.pid(), SIGCONT);
  EXPECT_EQ(viewer.wait(), 0);
  EXPECT_EQ(ch.take_for(500ms), std::nullopt);  // it has taken it
}

// ----------------------------------------------------------------------------------------------------------- lifetime

TEST_F(ChannelBetweenProcesses, AnUnnamedOneGoesWithItsLastHandle) {
  std::string its_name;
  {
    const channel<int> one(3);
    const channel<int> copy = one;  // NOLINT(performance-unnecessary-copy-initialization): a second handle is the point
    its_name = copy.name();
    EXPECT_EQ(shm::list_segments(its_name).size(), 1U);
  }
  EXPECT_EQ(shm::list_segments(its_name).size(), 0U);
}

TEST_F(ChannelBetweenProcesses, AnUnnamedOneStaysWhileAnotherProcessHoldsIt) {
  auto go = channel<int>::create(name("go"), 1);
  std::optional<channel<int>> mine(std::in_place, 3);
  const std::string its_name = mine->name();
  child other([&] {
    const auto core = detail::attach(its_name, detail::codec<int>::type());
    auto own_go = channel<int>::open(name("go"));
    own_go.put(1);
    std::this_thread::sleep_for(100ms);
    detail::put_fixed(*core, "abc", sizeof(int), detail::deadline::at_once());
    return 0;
  });
  EXPECT_EQ(go.take_for(kWatchdog), 1);
  mine.reset();
  EXPECT_EQ(shm::list_segments(its_name).size(), 1U);
  EXPECT_EQ(other.wait(), 0);
  EXPECT_EQ(shm::list_segments(its_name).size(), 0U);
}

TEST_F(ChannelBetweenProcesses, AHandleThatCameThroughForkIsRefused) {
  auto ch = channel<int>::create(name(), 1);
  child other([&] {
    try {
      ch.put(1);
      return 2;
    } catch (const invalid_argument&) {
      channel<int>::open(name()).put(5);  // a handle of its own is good
      return 0;
    }
  });
  EXPECT_EQ(other.wait(), 0);
  EXPECT_EQ(ch.take_for(kWatchdog), 5);
}

TEST_F(ChannelBetweenProcesses, ANamedOneSurvivesItsCreator) {
  child creator([&] {
    auto ch = channel<std::string>::create(name(), 4);
    ch.put("still here");
    return 0;
  });
  EXPECT_EQ(creator.wait(), 0);
  EXPECT_EQ(channel<std::string>::open(name()).take(), "still here");
}

TEST_F(ChannelBetweenProcesses, ThousandsFitOneProcess) {
  std::vector<channel<std::vector<double>>> all;
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  const std::size_t count = std::min<std::size_t>(2000, files.rlim_cur - 50);  // each has a descriptor open
  for (std::size_t i = 0; i < count; ++i) all.emplace_back(1);
  all.back().put(std::vector<double>(1000, 1.5));
  EXPECT_EQ(all.back().take().size(), 1000U);
}

TEST_F(ChannelBetweenProcesses, OpenOrCreateInManyProcessesGivesOneChannel) {
  children all;
  for (int i = 0; i < 8; ++i) {
    all.push_back(std::make_unique<child>([&] {
      channel<int>::open_or_create(name(), 8).put(1);
      return 0;
    }));
  }
  expect_all_well(all);
  EXPECT_EQ(channel<int>::open(name()).size(), 8U);
}

}  // namespace
}  // namespace weir::tests
