// SPDX-License-Identifier: BSL-1.0
// What goes and what stays when the processes that held it are dead: channels.
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>

#include <cstddef>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>

#include "channel/channel_core.hpp"
#include "segment/names.hpp"
#include "segment/process_identity.hpp"
#include "support/leftovers.hpp"
#include "weir/channel.hpp"
#include "weir/session.hpp"

namespace weir::tests {
namespace {

using runtime::fate;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

template <class T>
void overwrite(const std::string& name, std::size_t offset, const T& value) {
  const shm::unique_fd file(::open(path_of(name).c_str(), O_WRONLY | O_CLOEXEC));
  ASSERT_EQ(::pwrite(file.get(), &value, sizeof value, static_cast<off_t>(offset)), static_cast<ssize_t>(sizeof value));
}

/// The only segment there is.
std::string only_name() {
  const auto all = segments();
  EXPECT_THAT(all, SizeIs(1));
  return all.empty() ? "" : all.front();
}

constexpr std::size_t kFirstParticipant = 2 * shm::kPage + sizeof(channels::participant_entry);

/// An unnamed channel whose only process, also its creator, is dead; its first entry says that it is `who`.
std::string leave_channel_of(const shm::process_identity& who) {
  killed_after([] {
    const channel<int> made(2);
    ::raise(SIGKILL);
  });
  const std::string name = only_name();
  overwrite(name, kFirstParticipant, who);
  return name;
}

// ---- unnamed channels

TEST(AnUnnamedChannel, OfAKilledProcessGoes) {
  in_own_memory([] {
    const pid_t dead = killed_after([] {
      const channel<int> made(2);
      ::raise(SIGKILL);
    });
    const std::string name = only_name();
    const auto done = sweep_all();
    EXPECT_EQ(of(done, name).what, fate::removed);
    EXPECT_EQ(of(done, name).kind, "channel");
    EXPECT_GT(of(done, name).bytes, 0U);
    EXPECT_EQ(of(done, name).why, fmt::format("only dead processes are attached: pid {}", dead));
    EXPECT_THAT(segments(), IsEmpty());
  });
}

TEST(AnUnnamedChannel, OfALivingProcessStaysAndForgetsTheDead) {
  in_own_memory([] {
    channel<int> made(2);
    made.put(5);
    killed_after([&] {
      const auto other = detail::attach(made.name(), detail::codec<int>::type());
      ::raise(SIGKILL);
    });
    EXPECT_THAT(names_of(sweep_all(), fate::released), ElementsAre(made.name()));
    EXPECT_THAT(names_of(sweep_all(), fate::kept), ElementsAre(made.name()));
    EXPECT_EQ(made.take(), 5);
  });
}

TEST(AnUnnamedChannel, ThatAnotherProcessHasAttachedOutlivesItsCreator) {
  in_own_memory([] {
    auto belt = channel<channel<int>>::create("belt", 1);
    killed_after([] {
      channel<int> made(2);
      made.put(7);
      channel<channel<int>>::open("belt").put(made);
      ::raise(SIGKILL);
    });
    {
      channel<int> taken = belt.take();
      EXPECT_EQ(of(sweep_all(), taken.name()).what, fate::released);
      EXPECT_EQ(taken.take(), 7);
    }
    EXPECT_THAT(segments(), ElementsAre("belt"));
  });
}

TEST(AnUnnamedChannel, IsJudgedByStartTimeNotByPidAlone) {
  in_own_memory([] {
    shm::process_identity earlier = shm::this_process();
    earlier.start_time -= 1;
    const std::string name = leave_channel_of(earlier);
    EXPECT_EQ(of(sweep_all(), name).what, fate::removed);
    const std::string own = leave_channel_of(shm::this_process());
    EXPECT_EQ(of(sweep_all(), own).what, fate::kept);
  });
}

TEST(AnUnnamedChannel, OfAnotherPidNamespaceStays) {
  in_own_memory([] {
    shm::process_identity elsewhere = shm::this_process();
    elsewhere.pid_namespace += 1;
    const std::string name = leave_channel_of(elsewhere);
    const auto done = sweep_all();
    EXPECT_EQ(of(done, name).what, fate::undecided);
    EXPECT_THAT(of(done, name).why, HasSubstr("another pid namespace"));
    EXPECT_FALSE(of(done, name).is_problem);
    EXPECT_THAT(segments(), ElementsAre(name));
  });
}

TEST(AnUnnamedChannel, OfAStoppedProcessStays) {
  in_own_memory([] {
    child stopped([] {
      const channel<int> made(2);
      ::raise(SIGSTOP);
      return 0;
    });
    siginfo_t info{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(stopped.pid()), &info, WSTOPPED | WNOWAIT), 0);
    EXPECT_THAT(names_of(sweep_all(), fate::kept), SizeIs(1));
    ::kill(stopped.pid(), SIGCONT);
    EXPECT_EQ(stopped.wait(), 0);
    EXPECT_THAT(segments(), IsEmpty());
  });
}

TEST(AnUnnamedChannel, WhoseLockSomebodyHoldsIsNotWaitedFor) {
  in_own_memory([] {
    killed_after([] {
      const channel<int> made(2);
      ::raise(SIGKILL);
    });
    const std::string name = only_name();
    shm::segment here = shm::segment::open("hold", name, shm::object_kind::channel);
    here.at<channels::channel_header>(shm::kPage)->mutex.lock();
    EXPECT_EQ(of(sweep_all(), name).what, fate::kept);
    here.at<channels::channel_header>(shm::kPage)->mutex.unlock();
    EXPECT_EQ(of(sweep_all(), name).what, fate::removed);
  });
}

TEST(AnUnnamedChannel, WhoseLockADeadProcessHoldsGoes) {
  in_own_memory([] {
    killed_after([] {
      const channel<int> made(2);
      detail::attach(made.name(), detail::codec<int>::type())->header().mutex.lock();
      ::raise(SIGKILL);
    });
    EXPECT_THAT(names_of(sweep_all(), fate::removed), SizeIs(1));
    EXPECT_THAT(segments(), IsEmpty());
  });
}

// ---- references

TEST(AReference, ThatADeadProcessTookOutAndDidNotPutKeepsNothing) {
  in_own_memory([] {
    killed_after([] {
      const channel<int> made(2);
      detail::pin(*detail::attach(made.name(), detail::codec<int>::type()));
      ::raise(SIGKILL);
    });
    EXPECT_THAT(names_of(sweep_all(), fate::removed), SizeIs(1));
    EXPECT_THAT(segments(), IsEmpty());
  });
}

TEST(AReference, InAnItemOfANamedChannelKeepsWhatItRefersTo) {
  in_own_memory([] {
    using belt_type = channel<channel<channel<int>>>;
    killed_after([] {
      channel<channel<int>> outer(1);
      channel<int> inner(1);
      inner.put(3);
      outer.put(inner);
      belt_type::create("belt", 1).put(outer);
      ::raise(SIGKILL);
    });
    ASSERT_THAT(segments(), SizeIs(3));
    EXPECT_THAT(names_of(sweep_all(), fate::released), SizeIs(2));
    const auto done = sweep_all();
    EXPECT_THAT(names_of(done, fate::kept), SizeIs(3));  // the inner one by way of the outer one
    for (const std::string& name : segments()) {
      EXPECT_EQ(of(done, name).why.find("refers to it") != std::string::npos, name != "belt") << name;
    }
    EXPECT_EQ(belt_type::open("belt").take().take().take(), 3);
    EXPECT_THAT(segments(), ElementsAre("belt"));
  });
}

TEST(AReference, MayBeOnItsWayAsLongAsSomebodyUsesAChannelOfHandles) {
  in_own_memory([] {
    killed_after([] {
      const channel<int> made(2);
      detail::pin(*detail::attach(made.name(), detail::codec<int>::type()));
      ::raise(SIGKILL);
    });
    const std::string name = only_name();
    {
      const channel<int> of_numbers(1);
      const auto belt = channel<channel<int>>::create("belt", 1);
      const auto done = sweep_all();
      EXPECT_EQ(of(done, name).what, fate::undecided);
      EXPECT_EQ(of(done, name).why, "a handle to it may be on its way through \"belt\"");
      EXPECT_FALSE(of(done, name).is_problem);
    }
    const channel<int> of_numbers(1);
    EXPECT_EQ(of(sweep_all(), name).what, fate::removed);
  });
}

TEST(AReference, InAChannelThatGoesIsLetGoWithIt) {
  in_own_memory([] {
    auto belt = channel<channel<int>>::create("belt", 1);
    auto ours = std::make_optional<channel<int>>(1);
    const std::string name = ours->name();
    belt.put(*ours);
    killed_after([] {
      channel<channel<int>> made(1);
      made.put(channel<channel<int>>::open("belt").take());
      ::raise(SIGKILL);
    });
    ASSERT_THAT(segments(), SizeIs(3));
    EXPECT_THAT(names_of(sweep_all(), fate::removed), SizeIs(1));
    EXPECT_THAT(segments(), testing::UnorderedElementsAre(name, "belt"));
    ours.reset();
    EXPECT_THAT(segments(), ElementsAre("belt"));  // nothing keeps the other any more
  });
}

// ---- named channels

TEST(ANamedChannel, StaysWhenAllWhoUsedItAreDead) {
  in_own_memory([] {
    const pid_t dead = killed_after([] {
      auto jobs = channel<int>::create("jobs", 4);
      jobs.put(1);
      ::raise(SIGKILL);
    });
    const auto done = sweep_all();
    EXPECT_EQ(of(done, "jobs").what, fate::released);
    EXPECT_EQ(of(done, "jobs").why, fmt::format("dead processes are attached: pid {}", dead));
    EXPECT_EQ(of(sweep_all(), "jobs").what, fate::kept);
    EXPECT_EQ(channel<int>::open("jobs").take(), 1);
  });
}

TEST(ANamedChannel, GetsBackWhatTheDeadHeldInIt) {
  in_own_memory([] {
    auto jobs = channel<std::string>::create("jobs", 4);
    jobs.put(std::string(5000, 'x'));
    killed_after([] {
      const auto view = channel<std::string>::open("jobs").take_view();
      ::raise(SIGKILL);
    });
    EXPECT_EQ(jobs.size(), 0U);
    EXPECT_EQ(of(sweep_all(), "jobs").what, fate::released);
    EXPECT_EQ(jobs.try_take(), std::string(5000, 'x'));
  });
}

TEST(ANamedChannel, MadeByAWorkerOutlivesItsSession) {
  in_own_memory([] {
    killed_after([] {
      session s;
      s.add_workers(1).front().fetch([] { channel<int>::create("jobs", 1).put(9); });
    });
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (segments().size() > 1 && std::chrono::steady_clock::now() < give_up) sweep_all();
    EXPECT_THAT(segments(), ElementsAre("jobs"));
    EXPECT_EQ(channel<int>::open("jobs").take(), 9);
  });
}

// ---- what is no segment of this layout

TEST(Whatever, CannotBeReadStaysAndIsTold) {
  in_own_memory([] {
    const std::string unnamed = "@0123456789ab.1.1.1";
    for (const std::string& name : {std::string("short"), unnamed}) std::ofstream(path_of(name)) << "hello";
    std::ofstream(path_of("zeroed")) << std::string(8192, '\0');
    ASSERT_EQ(::symlink("/dev/null", path_of("@0123456789ab.link").c_str()), 0);
    ASSERT_EQ(::mkfifo(path_of("@0123456789ab.pipe").c_str(), 0600), 0);
    ASSERT_EQ(::mkdir(path_of("@0123456789ab.folder").c_str(), 0700), 0);
    channel<int>::create("other", 1);
    overwrite("other", offsetof(shm::segment_header, layout), shm::kLayout + 1);
    const auto before = segments();
    const auto done = sweep_all();
    EXPECT_EQ(segments(), before);
    EXPECT_THAT(names_of(done, fate::undecided), SizeIs(before.size()));
    for (const auto& each : done) EXPECT_TRUE(each.is_problem) << each.name;
    EXPECT_THAT(of(done, "short").why, HasSubstr("the file has 5 bytes"));
    EXPECT_THAT(of(done, "zeroed").why, HasSubstr("the segment is empty"));
    EXPECT_THAT(of(done, "@0123456789ab.link").why, HasSubstr("a symbolic link"));
    EXPECT_THAT(of(done, "@0123456789ab.pipe").why, HasSubstr("not an ordinary file"));
    EXPECT_THAT(of(done, "other").why, HasSubstr("has layout"));
  });
}

TEST(Whatever, HasANameThatWeirDoesNotGiveStays) {
  in_own_memory([] {
    killed_after([] {
      shm::join_realm("not-hexadecimal");
      const channel<int> made(2);
      ::raise(SIGKILL);
    });
    const std::string name = only_name();
    EXPECT_EQ(of(sweep_all(), name).what, fate::undecided);
    EXPECT_THAT(segments(), ElementsAre(name));
  });
}

TEST(Whatever, ContradictsItselfStays) {
  in_own_memory([] {
    killed_after([] {
      const channel<int> made(2);
      ::raise(SIGKILL);
    });
    const std::string name = only_name();
    overwrite(name, shm::kPage + offsetof(channels::channel_header, participants_high), ~std::uint32_t{0});
    EXPECT_EQ(of(sweep_all(), name).what, fate::undecided);
    EXPECT_THAT(segments(), ElementsAre(name));
  });
}

// ---- how it is done

TEST(ADryRun, ChangesNothing) {
  in_own_memory([] {
    killed_after([] {
      const channel<int> made(2);
      auto jobs = channel<int>::create("jobs", 2);
      ::raise(SIGKILL);
    });
    using contents = std::map<std::string, std::pair<std::vector<long>, std::string>>;
    const auto look = [] {
      contents all;
      for (const std::string& name : segments()) {
        struct stat info {};
        EXPECT_EQ(::stat(path_of(name).c_str(), &info), 0);
        const shm::segment_look header = shm::look_at_segment("look", name, shm::access::read);
        std::string bytes(1U << 20U, '\0');
        bytes.resize(static_cast<std::size_t>(::pread(header.file.get(), bytes.data(), bytes.size(), 0)));
        all[name] = {{info.st_blocks, info.st_atim.tv_nsec, info.st_mtim.tv_nsec, info.st_ctim.tv_nsec},
                     std::move(bytes)};
      }
      return all;
    };
    const contents before = look();
    const auto said = runtime::sweep({.is_dry_run = true});
    EXPECT_TRUE(look() == before);
    const auto done = sweep_all();
    EXPECT_EQ(names_of(said, fate::removed), names_of(done, fate::removed));
    EXPECT_EQ(names_of(said, fate::released), names_of(done, fate::released));
    EXPECT_THAT(names_of(done, fate::removed), SizeIs(1));
  });
}

TEST(ASweep, TouchesOnlyWhatIsChosen) {
  in_own_memory([] {
    killed_after([] {
      const channel<int> one(2);
      const channel<int> two(2);
      ::raise(SIGKILL);
    });
    const auto all = segments();
    ASSERT_THAT(all, SizeIs(2));
    const auto done = runtime::sweep({.chooses = [&](std::string_view name) { return name == all[1]; }});
    EXPECT_THAT(names_of(done, fate::removed), ElementsAre(all[1]));
    EXPECT_THAT(segments(), ElementsAre(all[0]));
  });
}

}  // namespace
}  // namespace weir::tests
