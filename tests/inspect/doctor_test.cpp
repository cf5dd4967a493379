// SPDX-License-Identifier: BSL-1.0
#include "inspect/doctor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "inspect/code_names.hpp"
#include "runtime/code_symbols.hpp"

namespace weir::tests {
namespace {

using inspect::finding;
using inspect::severity;
using testing::AllOf;
using testing::Contains;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

auto is(const std::string& check, severity level, const std::string& mend) {
  return AllOf(Field(&finding::check, check), Field(&finding::level, level), Field(&finding::mend, HasSubstr(mend)));
}
auto is_bad() { return Field(&finding::level, Not(severity::ok)); }

inspect::memory_facts good_memory() {
  inspect::memory_facts facts;
  facts.is_there = facts.is_tmpfs = true;
  facts.total_bytes = std::uint64_t{8} << 30U;
  facts.free_bytes = std::uint64_t{7} << 30U;
  facts.inodes = facts.free_inodes = 100'000;
  facts.options = "rw,nosuid,nodev";
  return facts;
}

TEST(Doctor, HasNothingToSayAgainstAGoodMachine) {
  EXPECT_THAT(inspect::judge_memory(good_memory()), Not(Contains(is_bad())));
  inspect::limit_facts limits;
  limits.open_files = 4096;
  EXPECT_THAT(inspect::judge_limits(limits), Not(Contains(is_bad())));
  EXPECT_THAT(inspect::judge_segments({}), Not(Contains(is_bad())));
}

TEST(Doctor, KnowsDockersDefaultAndSaysHowToGetMore) {
  inspect::memory_facts facts = good_memory();
  facts.total_bytes = std::uint64_t{64} << 20U;
  facts.free_bytes = std::uint64_t{60} << 20U;
  EXPECT_THAT(inspect::judge_memory(facts), Contains(is("memory", severity::warning, "--shm-size")));
  facts.free_bytes = std::uint64_t{1} << 20U;
  EXPECT_THAT(inspect::judge_memory(facts), Contains(is("memory", severity::problem, "--shm-size")));
}

TEST(Doctor, FindsAFullMissingOrReadOnlyMemory) {
  inspect::memory_facts facts = good_memory();
  facts.free_bytes = 4096;
  EXPECT_THAT(inspect::judge_memory(facts), Contains(is("memory", severity::problem, "weir gc")));
  facts = good_memory();
  facts.options = "ro,nosuid";
  EXPECT_THAT(inspect::judge_memory(facts), Contains(is("mount", severity::problem, "remount,rw")));
  facts = good_memory();
  facts.free_inodes = 3;
  EXPECT_THAT(inspect::judge_memory(facts), Contains(is("inodes", severity::problem, "nr_inodes")));
  EXPECT_THAT(inspect::judge_memory({}), Contains(is("memory", severity::problem, "mount -t tmpfs")));
}

TEST(Doctor, ComparesTheControlGroupsLimitWithWhatTheFileSystemPromises) {
  inspect::memory_facts facts = good_memory();
  facts.cgroup_limit_bytes = std::uint64_t{1} << 30U;
  facts.cgroup_used_bytes = std::uint64_t{512} << 20U;
  EXPECT_THAT(inspect::judge_memory(facts), Contains(is("cgroup", severity::warning, "size=512m")));
  facts.cgroup_used_bytes = facts.cgroup_limit_bytes;
  EXPECT_THAT(inspect::judge_memory(facts), Contains(is("cgroup", severity::problem, "remount")));
  facts.cgroup_limit_bytes = std::uint64_t{100} << 30U;
  EXPECT_THAT(inspect::judge_memory(facts), Not(Contains(is_bad())));
}

TEST(Doctor, FindsLimitsThatAreTooLow) {
  inspect::limit_facts limits;
  limits.open_files = 64;
  limits.address_space = std::uint64_t{1} << 30U;
  limits.file_size = 1024;
  limits.overcommit = 2;
  const auto found = inspect::judge_limits(limits);
  EXPECT_THAT(found, Contains(is("open files", severity::warning, "ulimit -n")));
  EXPECT_THAT(found, Contains(is("address space", severity::problem, "ulimit -v")));
  EXPECT_THAT(found, Contains(is("file size", severity::problem, "ulimit -f")));
  EXPECT_THAT(found, Contains(is("overcommit", severity::warning, "sysctl")));
}

TEST(Doctor, SaysWhatIsLostWithoutAKernelFeature) {
  inspect::kernel_facts facts = inspect::look_at_kernel();
  EXPECT_TRUE(facts.has_pidfd_open && facts.has_waitid_pidfd && facts.has_robust_futexes);
  EXPECT_TRUE(facts.has_file_description_locks && facts.has_proc);
  facts.has_futex_waitv = false;
  EXPECT_THAT(inspect::judge_kernel(facts), Contains(is("kernel", severity::warning, "newer kernel")));
  facts.has_pidfd_open = false;
  EXPECT_THAT(inspect::judge_kernel(facts), Contains(is("kernel", severity::problem, "seccomp")));
  facts.has_proc = false;
  EXPECT_THAT(inspect::judge_kernel(facts), Contains(is("proc", severity::problem, "mount -t proc")));
}

TEST(Doctor, CountsSegmentsThatSomebodyShouldDoSomethingAbout) {
  std::vector<inspect::segment_report> segments(5);
  segments[0].state = inspect::segment_state::alive;
  segments[1].state = segments[2].state = inspect::segment_state::stale;
  segments[3].state = inspect::segment_state::corrupt;
  segments[4].state = inspect::segment_state::other_layout;
  const auto found = inspect::judge_segments(segments);
  EXPECT_THAT(found, Contains(is("segments", severity::problem, "weir gc")));
  EXPECT_THAT(found, Contains(is("segments", severity::problem, "weir rm")));
  EXPECT_THAT(found, Contains(is("segments", severity::warning, "weir rm")));
}

TEST(Doctor, ReadsTheOptionsOfTheMountThatLiesOnTop) {
  constexpr const char* kMounts =
      "30 23 0:26 / /dev/shm rw,nosuid shared:4 - tmpfs tmpfs rw,size=100k\n"
      "31 23 0:27 / /dev/shm ro,nodev - tmpfs shm rw,size=65536k\n"
      "32 23 0:28 / /proc rw - proc proc rw,hidepid=2\n"
      "broken\n";
  EXPECT_EQ(inspect::mount_options_in(kMounts, "/dev/shm"), "ro,nodev,rw,size=65536k");
  EXPECT_EQ(inspect::mount_options_in(kMounts, "/proc"), "rw,rw,hidepid=2");
  EXPECT_THAT(inspect::mount_options_in(kMounts, "/nowhere"), IsEmpty());
}

// ---- names of code

TEST(CodeNames, AreWithoutWhatWeirHasPutAround) {
  EXPECT_EQ(runtime::without_trampoline("area(double)"), "area(double)");
  EXPECT_EQ(
      runtime::without_trampoline("weir::detail::remote_function<main::{lambda(double)#1}, weir::detail::types<double"
                                  ">, double>::run(weir::detail::incoming_call&)"),
      "main::{lambda(double)#1}");
  EXPECT_EQ(runtime::without_trampoline("weir::detail::outer<weir::detail::inner<half<int>, 3>, int>::run(x)"),
            "half<int>");
}

TEST(CodeNames, OfWhatHasNoSymbolTellTheOffset) {
  inspect::code_names names;
  EXPECT_EQ(names.name_of(1, "/nowhere/libx.so", 0x40), "libx.so+0x40");
  EXPECT_EQ(names.name_of(0, "", 0x40), "program+0x40");
}

}  // namespace
}  // namespace weir::tests
