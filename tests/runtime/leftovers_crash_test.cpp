// SPDX-License-Identifier: BSL-1.0
// Creators, removers and sweepers that are killed at each of the points where they can be: a sweep leaves nothing.
#include "support/crash.hpp"
#include "support/leftovers.hpp"
#include "support/session.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

using runtime::fate;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::string name_of(const testing::TestParamInfo<const char*>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

void make_and_drop() { const channel<int> made(2); }

// ---- creators

class ACreatorKilledAt : public testing::TestWithParam<const char*> {};

TEST_P(ACreatorKilledAt, LeavesNothingThatASweepDoesNotRemove) {
  in_own_memory([] {
    killed_after([] {
      die_at(GetParam());
      make_and_drop();
    });
    const bool has_name = segments().size() == 1;
    EXPECT_EQ(has_name, std::string(GetParam()).find("segment.create.") != 0 ||
                            std::string(GetParam()) == "segment.create.linked");
    EXPECT_THAT(names_of(sweep_all(), fate::removed), SizeIs(has_name ? 1 : 0));
    EXPECT_THAT(segments(), IsEmpty());
  });
}
INSTANTIATE_TEST_SUITE_P(Point, ACreatorKilledAt,
                         testing::Values("segment.create.mapped", "segment.create.filled", "segment.create.magic",
                                         "segment.create.linked", "participant.written", "participant.entered"),
                         name_of);

TEST(ACreatorOfANamedChannel, KilledBeforeItHasEnteredLeavesTheName) {
  in_own_memory([] {
    killed_after([] {
      die_at("segment.create.linked");
      channel<int>::create("jobs", 2);
    });
    EXPECT_THAT(names_of(sweep_all(), fate::kept), ElementsAre("jobs"));
    EXPECT_NO_THROW(channel<int>::open("jobs").put(1));
  });
}

TEST(ACreatorOfASession, KilledAtEachOfItsSegmentsLeavesNothingThatASweepDoesNotRemove) {
  in_own_memory([] {
    for (int made = 1; made <= 3; ++made) {  // the table, its results, its inbox
      killed_after([made] {
        die_at("segment.create.linked", made);
        const session s;
      });
      EXPECT_THAT(segments(), SizeIs(made));
      EXPECT_THAT(names_of(sweep_all(), fate::removed), SizeIs(made));
      EXPECT_THAT(segments(), IsEmpty());
    }
  });
}

// ---- removers

class ARemoverKilledAt : public testing::TestWithParam<const char*> {};

TEST_P(ARemoverKilledAt, LeavesNothingThatASweepDoesNotRemove) {
  in_own_memory([] {
    killed_after([] {
      die_at(GetParam());
      make_and_drop();
    });
    sweep_all();
    EXPECT_THAT(segments(), IsEmpty());
  });
}
INSTANTIATE_TEST_SUITE_P(Point, ARemoverKilledAt,
                         testing::Values("participant.left", "segment.remove.marked", "segment.remove.unlinked"),
                         name_of);

TEST(ARemoverKilledAtTheMark, HasSaidWhyTheSegmentGoes) {
  in_own_memory([] {
    killed_after([] {
      die_at("segment.remove.marked");
      make_and_drop();
    });
    ASSERT_THAT(segments(), SizeIs(1));
    EXPECT_EQ(sweep_all().front().why, "whoever was removing it did not finish");
  });
}

TEST(ASessionsEnd, KilledAtEachSegmentLeavesNothingThatASweepDoesNotRemove) {
  in_own_memory([] {
    // Its inbox and its objects are removed as channels; the rest by name, which has no points of its own.
    for (const char* const point : {"segment.remove.marked", "segment.remove.unlinked", "participant.left"}) {
      killed_after([point] {
        const channel<int> held(2);
        auto s = std::make_unique<session>();
        channel<int> object(1);
        detail::pin(*detail::attach(object.name(), detail::codec<int>::type()));
        die_at(point);
        s.reset();
      });
      sweep_all();
      EXPECT_THAT(segments(), IsEmpty()) << point;
    }
  });
}

// ---- sweepers

class ASweeperKilledAt : public testing::TestWithParam<const char*> {};

/// Something of each kind that a sweep deals with.
void leave_all_kinds() {
  killed_after([] {
    const session s;
    channel<channel<int>> outer(1);
    outer.put(channel<int>(1));
    channel<int> pinned(1);
    detail::pin(*detail::attach(pinned.name(), detail::codec<int>::type()));
    auto jobs = channel<int>::open_or_create("jobs", 2);
    jobs.try_put(1);
    jobs.put_for(2, std::chrono::seconds(0));
    die_at("ring.put.claimed");
    channel<int> unfinished(1);
    unfinished.put(1);
  });
}

TEST_P(ASweeperKilledAt, LeavesTheRestToTheNext) {
  in_own_memory([] {
    auto jobs = channel<int>::create("jobs", 8);
    int deaths = 0;
    for (int hit = 1;; ++hit) {  // at the first, the second, … passing of the point, until there is none
      leave_all_kinds();
      child sweeper([hit] {
        die_at(GetParam(), hit);
        sweep_all();
        return 0;
      });
      const int status = sweeper.wait();
      if (WIFEXITED(status)) break;
      ++deaths;
      sweep_all();
      ASSERT_THAT(segments(), ElementsAre("jobs")) << "after a death at passing " << hit;
      while (jobs.try_take()) continue;
    }
    EXPECT_GT(deaths, 0);
    EXPECT_EQ(jobs.take(), 1);
  });
}
INSTANTIATE_TEST_SUITE_P(Point, ASweeperKilledAt,
                         testing::Values("sweep.looked", "sweep.done_with_one", "participant.written",
                                         "participant.entered", "participant.left", "recovery.begin", "recovery.slot",
                                         "recovery.end", "segment.remove.marked", "segment.remove.unlinked"),
                         name_of);

}  // namespace
}  // namespace weir::tests
