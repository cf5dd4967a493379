// SPDX-License-Identifier: BSL-1.0
// Teams whose ranks do not do the same, throw, or stop; and messages.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <exception>
#include <functional>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/session.hpp"
#include "weir/channel.hpp"
#include "weir/spmd.hpp"

namespace weir::tests {
namespace {

using namespace std::chrono_literals;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

class TeamFailure : public SessionTest {
 protected:
  /// What spmd throws, and what is nested in it, as lines; "nothing" if it throws nothing.
  template <class F, class... Args>
  std::vector<std::string> thrown_by(F f, const Args&... arguments) {
    try {
      static_cast<void>(session().spmd(f, arguments...));
    } catch (const std::exception& e) {
      return chain_of(e);
    }
    return {"nothing"};
  }
};

/// What a rank's action throws; "nothing" if it throws nothing.
template <class Action>
std::string what_of(const Action& action) {
  try {
    action();
  } catch (const invalid_argument& e) {
    return std::string("invalid_argument ") + e.what();
  } catch (const worker_died& e) {
    return std::string("worker_died ") + e.what();
  } catch (const error& e) {
    return std::string("error ") + e.what();
  } catch (const std::exception& e) {
    return std::string("other ") + e.what();
  }
  return "nothing";
}

TEST_F(TeamFailure, DifferentOperationsAreNamedOnAllRanks) {
  start(3);
  const auto differ = [](team& team) {
    return what_of([&] {
      if (team.rank() == 1) {
        team.all_reduce(1.0, std::plus<>());
      } else {
        team.barrier();
      }
    });
  };
  EXPECT_THAT(session().spmd(differ), Each("invalid_argument weir: spmd: the ranks do not do the same: rank 0 called "
                                           "barrier(), rank 1 called all_reduce<double>()"));
  EXPECT_THAT(session().spmd([](team& team) { return team.all_reduce(1, std::plus<>()); }), Each(3));
}

TEST_F(TeamFailure, DifferentTypesAndRootsAreNamedOnAllRanks) {
  start(2);
  const auto types = [](team& team) {
    return what_of([&] {
      if (team.rank() == 0) {
        team.all_gather(1);
      } else {
        team.all_gather(std::string("1"));
      }
    });
  };
  EXPECT_THAT(session().spmd(types), Each(HasSubstr("rank 0 called all_gather<int>(), rank 1 called "
                                                    "all_gather<std::string>()")));
  const auto roots = [](team& team) { return what_of([&] { team.broadcast(1, team.rank()); }); };
  EXPECT_THAT(session().spmd(roots), Each(HasSubstr("rank 0 called broadcast<int>(root 0), rank 1 called "
                                                    "broadcast<int>(root 1)")));
}

TEST_F(TeamFailure, DifferentSizesAreNamedOnAllRanks) {
  start(3);
  const auto lengths = [](team& team) {
    return what_of([&] { team.all_reduce(std::vector<int>(team.rank() == 2 ? 4 : 3, 1), std::plus<>()); });
  };
  EXPECT_THAT(session().spmd(lengths), Each("invalid_argument weir: all_reduce: rank 0 brought 3 elements, rank 2 4"));
  const auto lists = [](team& team) {
    return what_of([&] { team.reduce(std::vector<std::string>(1 + team.rank()), std::plus<>(), 1); });
  };
  EXPECT_THAT(session().spmd(lists), Each("invalid_argument weir: reduce: rank 0 brought 1 elements, rank 1 2"));
  const auto parts = [](team& team) { return what_of([&] { team.scatter(std::vector<int>(10), 2); }); };
  EXPECT_THAT(session().spmd(parts), Each("invalid_argument weir: scatter: rank 2 brought 10 elements, which 3 ranks "
                                          "cannot have equal parts of"));
  const auto exchanged = [](team& team) {
    return what_of([&] { team.all_to_all(std::vector<int>(team.rank() == 1 ? 2 : 3)); });
  };
  EXPECT_THAT(session().spmd(exchanged), Each(HasSubstr("rank 1 brought 2 elements, expected were 3")));
}

TEST_F(TeamFailure, RanksThatThereAreNotAreRefused) {
  start(2);
  const auto wrong = [](team& team) {
    return what_of([&] { team.broadcast(1, 2); }) + what_of([&] { static_cast<void>(team.process(7)); }) +
           what_of([&] { team.send(static_cast<std::size_t>(-1), 0, 1); }) + what_of([&] { team.receive<int>(2, 0); });
  };
  for (const std::string& found : session().spmd(wrong)) {
    EXPECT_THAT(found, HasSubstr("broadcast: rank 2 asked for, the team has ranks 0 to 1"));
    EXPECT_THAT(found, HasSubstr("process: rank 7 asked for"));
    EXPECT_THAT(found, HasSubstr("send: rank -1 asked for"));
    EXPECT_THAT(found, HasSubstr("receive: rank 2 asked for"));
  }
}

TEST_F(TeamFailure, OneThatReturnsEarlyIsNamedOnTheOthers) {
  start(3);
  const auto leave = [](team& team) {
    team.barrier();
    if (team.rank() != 1) team.barrier();
  };
  EXPECT_THAT(thrown_by(leave).back(), HasSubstr("spmd: rank 1 has returned from the function, rank "));
  EXPECT_THAT(thrown_by(leave).back(), HasSubstr(" called barrier()"));
}

TEST_F(TeamFailure, WhatOneThrowsIsWhatSpmdThrows) {
  start(3);
  const auto throws = [](team& team) {
    if (team.rank() == 1) throw std::out_of_range("index 7");
    team.barrier();
  };
  EXPECT_THAT(thrown_by(throws), ElementsAre("On worker 3: std::out_of_range: index 7", "index 7"));
  EXPECT_LT(milliseconds_of([&] { thrown_by(throws); }), 5000);
}

TEST_F(TeamFailure, WhatOneThrowsIsToldToAllWhoWaitAndAllWhoComeLater) {
  start(3);
  const channel<std::string> seen(8);
  const auto throws = [](team& team, channel<std::string> found) {
    if (team.rank() == 0) throw std::runtime_error("boom");
    for (int i = 0; i < 2; ++i) {
      found.put(what_of([&] {
        if (team.rank() == 1) {
          team.barrier();
        } else if (i == 0) {
          team.receive<int>(1, 3);
        } else {
          team.send(1, 3, 3);
        }
      }));
    }
  };
  EXPECT_THAT(thrown_by(throws, seen).front(), "On worker 2: std::runtime_error: boom");
  std::vector<std::string> texts = seen.peek();
  EXPECT_THAT(texts, testing::UnorderedElementsAre(
                         "error weir: barrier(): rank 0, worker 2, threw std::runtime_error: boom",
                         "error weir: barrier(): rank 0, worker 2, threw std::runtime_error: boom",
                         "error weir: receive<int>(rank 1, tag 3): rank 0, worker 2, threw std::runtime_error: boom",
                         "error weir: send<int>(rank 1, tag 3): rank 0, worker 2, threw std::runtime_error: boom"));
}

TEST_F(TeamFailure, OfATeamOfOneIsThrownAsItIs) {
  EXPECT_THROW(session().spmd([](team&) { throw std::out_of_range("index 7"); }), std::out_of_range);
  EXPECT_THROW(session().spmd([](team& team) { team.receive<int>(0, 1); }), invalid_argument);
}

TEST_F(TeamFailure, RanksThatCatchTheErrorReturnTheirResults) {
  start(2);
  const auto careful = [](team& team) {
    try {
      if (team.rank() == 0) throw std::runtime_error("boom");
      team.barrier();
    } catch (const std::exception&) {
      return 1;
    }
    return 0;
  };
  EXPECT_THAT(session().spmd(careful), Each(1));
}

TEST_F(TeamFailure, AWorkerThatDiesEndsTheWaitingOfAll) {
  const auto w = start(3);
  const auto dies = [](team& team, bool in_message) {
    team.barrier();
    if (team.rank() == 1) ::raise(SIGKILL);
    if (in_message) {
      team.receive<int>(1, 0);
    } else {
      team.barrier();
    }
  };
  for (const bool in_message : {false, true}) {
    const process_id victim = session().workers()[1].id();
    try {
      session().spmd(dies, in_message);
      FAIL() << "nothing was thrown";
    } catch (const worker_died& e) {
      EXPECT_EQ(e.id(), victim);
      EXPECT_EQ(e.signal(), SIGKILL);
    }
    start(1);
  }
  EXPECT_THAT(session().spmd([](team& team) { return team.all_reduce(1, std::plus<>()); }), Each(3));
}

TEST_F(TeamFailure, AStoppedWorkerIsWaitedFor) {
  const auto w = start(2);
  const int pid = w[1].fetch([] { return static_cast<int>(::getpid()); });
  const channel<int> entered(1);
  std::vector<int> sums;
  ASSERT_EQ(::kill(pid, SIGSTOP), 0);
  std::thread waiting([&] {
    sums = session().spmd(
        [](team& team, channel<int> coming) {
          if (team.rank() == 0) coming.put(1);
          return team.all_reduce(1, std::plus<>());
        },
        entered);
  });
  EXPECT_EQ(channel<int>(entered).take(), 1);
  std::this_thread::sleep_for(400ms);  // longer than it takes to see that somebody is dead
  ASSERT_EQ(::kill(pid, SIGCONT), 0);
  waiting.join();
  EXPECT_THAT(sums, Each(2));
}

// -------------------------------------------------------------------------------------------------------------- messages

TEST_F(TeamFailure, MessagesDoNotOvertakeEachOther) {
  start(3);
  const auto chat = [](team& team, int count) {
    if (team.rank() != 2) {
      for (int i = 0; i < count; ++i) team.send(2, i % 3, i);
      return 0;
    }
    int wrong = 0;
    for (const int tag : {2, 0, 1}) {
      for (const std::size_t from : {1U, 0U}) {
        for (int i = tag; i < count; i += 3) wrong += team.receive<int>(from, tag) == i ? 0 : 1;
      }
    }
    return wrong;
  };
  EXPECT_THAT(session().spmd(chat, 300), ElementsAre(0, 0, 0));
}

TEST_F(TeamFailure, TwoWhoSendToEachOtherWithoutReceivingGoOn) {
  start(2);
  const auto flood = [](team& team, int count) {
    const std::size_t other = 1 - team.rank();
    for (int i = 0; i < count; ++i) team.send(other, 0, i);
    long sum = 0;
    for (int i = 0; i < count; ++i) sum += team.receive<int>(other, 0);
    return sum;
  };
  EXPECT_THAT(session().spmd(flood, 1000), Each(499'500));
}

TEST_F(TeamFailure, AMessageOfAnotherTypeIsNamedAndKept) {
  start(2);
  const auto mistake = [](team& team) {
    if (team.rank() == 0) {
      team.send(1, 4, std::string("text"));
      return std::string();
    }
    for (int i = 0; i < 2; ++i) {
      const std::string what = what_of([&] { team.receive<int>(0, 4); });
      if (what != "error weir: receive<int>(rank 0, tag 4): the message is a std::string") return what;
    }
    return team.receive<std::string>(0, 4);
  };
  EXPECT_THAT(session().spmd(mistake), ElementsAre("", "text"));
}

TEST_F(TeamFailure, ReceivingGivesUpInTime) {
  start(2);
  const auto wait = [](team& team) {
    if (team.rank() == 0) {
      team.barrier();
      team.send(1, 0, 9);
      return 9;
    }
    const auto none = team.receive_for<int>(0, 0, 10ms);
    team.barrier();
    const auto some = team.receive_for<int>(0, 0, 20s);
    return none ? 0 : some.value_or(0);
  };
  EXPECT_THAT(session().spmd(wait), ElementsAre(9, 9));
}

TEST_F(TeamFailure, AMessageFromOneWhoHasReturnedIsAnErrorUnlessItIsThere) {
  start(2);
  const auto leave = [](team& team) {
    if (team.rank() == 0) {
      team.send(1, 0, 5);
      return 5;
    }
    const int first = team.receive<int>(0, 0);
    return team.receive<int>(0, 0) + first;
  };
  EXPECT_THAT(thrown_by(leave).back(),
              HasSubstr("receive<int>(rank 0, tag 0): that rank has returned from the function"));
}

TEST_F(TeamFailure, LargeMessagesAndThoseWithHandlesArrive) {
  start(2);
  const auto pass = [](team& team) {
    if (team.rank() == 0) {
      team.send(1, 0, std::vector<double>(400'000, 1.5));
      const channel<int> made(2);
      team.send(1, 1, made);
      team.send(1, 2, channel<int>(3));  // never received
      return channel<int>(made).take();
    }
    auto ch = team.receive<channel<int>>(0, 1);  // before the other
    const auto values = team.receive<std::vector<double>>(0, 0);
    const int sum = static_cast<int>(std::accumulate(values.begin(), values.end(), 0.0));
    ch.put(sum);
    return sum;
  };
  EXPECT_THAT(session().spmd(pass), ElementsAre(600'000, 600'000));
}

}  // namespace
}  // namespace weir::tests
