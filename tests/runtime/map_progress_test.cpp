// SPDX-License-Identifier: BSL-1.0
// The bar that map_options::progress shows.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "numbers.hpp"
#include "runtime/map_progress.hpp"
#include "support/session.hpp"
#include "weir/map_options.hpp"

namespace weir::tests {
namespace {

using runtime::progress_text;
using std::chrono::seconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class MapProgress : public SessionTest {};

/// While it lives this process's stderr is a file descriptor of the test's.
class captured_stderr {
 public:
  explicit captured_stderr(int instead) : before_(::dup(STDERR_FILENO)) {
    std::fflush(stderr);
    ::dup2(instead, STDERR_FILENO);
    ::close(instead);
  }
  captured_stderr(const captured_stderr&) = delete;
  captured_stderr& operator=(const captured_stderr&) = delete;
  ~captured_stderr() {
    std::fflush(stderr);
    ::dup2(before_, STDERR_FILENO);
    ::close(before_);
  }

 private:
  int before_;
};

/// What `run` writes to stderr, which is a pseudo terminal of so many columns; 0: it is a pipe.
template <class Run>
std::string written_to_stderr(unsigned short columns, const Run& run) {
  int reader = -1;
  int writer = -1;
  if (columns != 0) {
    reader = ::posix_openpt(O_RDWR | O_NOCTTY);
    ::grantpt(reader);
    ::unlockpt(reader);
    std::array<char, 100> name{};
    ::ptsname_r(reader, name.data(), name.size());
    writer = ::open(name.data(), O_RDWR | O_NOCTTY);
    winsize size{};
    size.ws_col = columns;
    size.ws_row = 24;
    ::ioctl(writer, TIOCSWINSZ, &size);
  } else {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    reader = ends[0];
    writer = ends[1];
  }
  {
    const captured_stderr captured(writer);
    run();
  }
  std::string all;
  std::array<char, 4096> part{};
  for (;;) {
    const ssize_t got = ::read(reader, part.data(), part.size());  // of a terminal that nobody has open: EIO
    if (got <= 0) break;
    all.append(part.data(), static_cast<std::size_t>(got));
  }
  ::close(reader);
  return all;
}

int same(int item) { return item; }

TEST_F(MapProgress, IsABarOnATerminal) {
  start(2);
  const std::string seen = written_to_stderr(100, [&] { session().map(same, numbers(40), {.progress = true}); });
  EXPECT_THAT(seen, StartsWith("\r\x1b[K[>"));
  EXPECT_THAT(seen, HasSubstr("] 0/40 (0 %)"));
  EXPECT_THAT(seen, HasSubstr("] 40/40 (100 %)"));
  EXPECT_THAT(seen, EndsWith("\r\n"));  // it stays, and what comes next has a line of its own
}

TEST_F(MapProgress, IsSilentElsewhere) {
  start(2);
  EXPECT_THAT(written_to_stderr(0, [&] { session().map(same, numbers(40), {.progress = true}); }), IsEmpty());
}

TEST_F(MapProgress, IsSilentUnlessAskedFor) {
  start(2);
  EXPECT_THAT(written_to_stderr(100, [&] { session().map(same, numbers(40)); }), IsEmpty());
}

TEST_F(MapProgress, EndsWithTheMapIfThatFails) {
  start(2);
  const auto fail_at_3 = [](int item) {
    if (item == 3) throw std::runtime_error("three");
    return item;
  };
  const std::string seen = written_to_stderr(
      100, [&] { EXPECT_THROW(session().map(fail_at_3, numbers(40), {.progress = true}), remote_error); });
  EXPECT_THAT(seen, HasSubstr("/40 ("));
  EXPECT_THAT(seen, EndsWith("\r\n"));
}

TEST_F(MapProgress, MakesRoomForWhatWorkersPrint) {
  start(1);
  const auto print = [](int item) {
    std::fprintf(stderr, "at %d\n", item);
    return item;
  };
  const std::string seen = written_to_stderr(100, [&] { session().map(print, numbers(2), {.progress = true}); });
  EXPECT_THAT(seen, HasSubstr("\r\x1b[K      From worker 2:\tat 0\r\n["));
}

TEST(MapProgressText, SaysHowManyAreDoneHowFastAndHowLongItWillTake) {
  EXPECT_EQ(progress_text(50, 200, seconds(10), 100),
            "[==========>                             ] 50/200 (25 %)  5.0/s  0:30 left");
  EXPECT_EQ(progress_text(200, 200, seconds(80), 100),
            "[========================================] 200/200 (100 %)  2.5/s  in 1:20");
  EXPECT_EQ(progress_text(1, 8000, seconds(1), 100),
            "[>                                       ] 1/8000 (0 %)  1.0/s  2:13:19 left");
  EXPECT_EQ(progress_text(0, 10, seconds(1), 100), "[>                                       ] 0/10 (0 %)");
  EXPECT_EQ(progress_text(7, 0, seconds(2), 100), "7 done  3.5/s");
}

TEST(MapProgressText, FitsTheTerminal) {
  EXPECT_EQ(progress_text(50, 200, seconds(10), 60), "[======>                   ] 50/200 (25 %)  5.0/s  0:30 left");
  EXPECT_EQ(progress_text(50, 200, seconds(10), 40), "50/200 (25 %)  5.0/s  0:30 left");
  EXPECT_EQ(progress_text(50, 200, seconds(10), 8), "50/200 (");
  EXPECT_EQ(progress_text(50, 200, seconds(10), 0), "");
}

}  // namespace
}  // namespace weir::tests
