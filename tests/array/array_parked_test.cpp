// SPDX-License-Identifier: BSL-1.0
// A process keeps arrays mapped for a while to which it has no handle: to the others it is as if it had let go of them.
#include <gtest/gtest.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <string>

#include "support/session.hpp"
#include "support/small_memory.hpp"
#include "weir/array.hpp"
#include "weir/session.hpp"

namespace weir::tests {
namespace {

using numbers = weir::array<std::uint64_t>;

constexpr std::size_t kMiB = std::size_t{1} << 20U;
constexpr std::size_t kLarge = 8 * kMiB / sizeof(std::uint64_t);

std::size_t free_bytes() {
  struct statvfs info {};
  EXPECT_EQ(::statvfs("/dev/shm", &info), 0);
  return static_cast<std::size_t>(info.f_bavail) * info.f_frsize;
}

/// Where the elements lie there; it touches all of them, and lets go of its handle.
std::uint64_t touch(const numbers& there) {
  for (std::uint64_t& each : there.span()) ++each;
  return reinterpret_cast<std::uint64_t>(there.data());
}

std::size_t descriptors_in_use() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

class ParkedArray : public SessionTest {};

TEST_F(ParkedArray, IsWhereItWasWhenItsNextHandleComes) {
  const auto w = start(1).front();
  const numbers a(16);
  const numbers other(16);
  const std::uint64_t first = w.fetch(touch, a);
  EXPECT_NE(w.fetch(touch, other), first);
  EXPECT_EQ(w.fetch(touch, a), first);
  EXPECT_EQ(a(3), 2U);
}

TEST_F(ParkedArray, IsOneOfAFewSoThatThousandsCanBeUsed) {
  const auto w = start(1).front();
  for (int i = 0; i < 2000; ++i) {
    const numbers a(16);
    w.fetch(touch, a);
    ASSERT_EQ(a(0), 1U);
  }
  constexpr std::size_t kAsManyAsThat = 200;
  EXPECT_LT(w.fetch([] { return descriptors_in_use(); }), kAsManyAsThat);
}

TEST_F(ParkedArray, OfANameIsNotTakenForTheNextOneOfThatName) {
  const auto w = start(1).front();
  const std::string name = "test-" + std::to_string(::getpid()) + ".parked";
  {
    const auto a = numbers::create(name, 16);
    w.fetch(touch, a);
  }
  numbers::remove(name);
  const auto b = numbers::create(name, 32);
  w.fetch(touch, b);
  EXPECT_EQ(b(31), 1U);
  EXPECT_EQ(b(0), 1U);
  numbers::remove(name);
}

TEST(ParkedArrays, GiveTheirMemoryBackWithTheLastHandleOfAnyProcess) {
  with_memory_of("64M", [] {
    session here;
    const auto w = here.add_workers(1).front();
    const std::size_t before = free_bytes();
    for (int i = 0; i < 20; ++i) {
      const numbers a(kLarge);
      w.fetch(touch, a);
      EXPECT_LT(free_bytes(), before - 4 * kMiB);
    }
    // The worker lets go of its handle after it has answered.
    EXPECT_TRUE(comes_true([&] { return free_bytes() > before - kMiB; }));
  });
}

TEST(ParkedArrays, GiveTheirMemoryBackWhenTheNameIsRemoved) {
  with_memory_of("64M", [] {
    session here;
    const auto w = here.add_workers(1).front();
    const std::size_t before = free_bytes();
    for (int i = 0; i < 20; ++i) {
      w.fetch(touch, numbers::create("parked", kLarge));
      numbers::remove("parked");
    }
    // The worker lets go of its handle after it has answered.
    EXPECT_TRUE(comes_true([&] { return free_bytes() > before - kMiB; }));
    const auto a = numbers::create("parked", kLarge);
    w.fetch(touch, a);
    numbers::remove("parked");
    EXPECT_EQ(a(kLarge - 1), 1U) << "those who have it go on using it";
  });
}

}  // namespace
}  // namespace weir::tests
