// SPDX-License-Identifier: BSL-1.0
// Segments of another user. Only root can become one: for everybody else the other user is the same one, whose segments
// are to be read; what is expected is chosen accordingly.
#include <unistd.h>

#include <functional>
#include <string>

#include "inspect/channel_fixture.hpp"
#include "inspect/segments.hpp"
#include "support/child.hpp"
#include "weir/error.hpp"

namespace weir::tests {
namespace {

using inspect::segment_state;
using testing::HasSubstr;

constexpr uid_t kNobody = 65534;

class OtherUser : public InspectedChannel {
 protected:
  const bool is_another_ = ::geteuid() == 0;
  const uid_t other_ = is_another_ ? kNobody : ::geteuid();

  /// Runs it as the other user and returns what it returns.
  [[nodiscard]] int as_other(const std::function<int()>& run) const {
    child process([&] {
      if (is_another_ && ::setgid(kNobody) != 0) return 97;
      return ::setuid(other_) == 0 ? run() : 98;
    });
    const int status = process.wait();
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
};

TEST_F(OtherUser, OwnsASegmentThatIsNeitherOpenedNorRead) {
  const int result = as_other([&] {
    put_int(*detail::create_named(name(), ints(), 3, {}), 1);
    return 0;
  });
  ASSERT_EQ(result, 0);
  const inspect::segment_report report = inspect::look_at(name());
  EXPECT_EQ(report.owner, other_);
  EXPECT_GT(report.reserved_bytes, 0U);
  if (is_another_) {
    EXPECT_EQ(report.state, segment_state::foreign);
    EXPECT_THAT(report.why, HasSubstr("it belongs to user 65534"));
    EXPECT_FALSE(report.header.has_value());
    EXPECT_FALSE(inspect::describe_channel(name()).readable);
    try {
      (void)detail::open_named(name(), ints());
      FAIL() << "opened another user's segment";
    } catch (const permission_denied& e) {
      EXPECT_THAT(e.what(), HasSubstr("it belongs to user 65534"));
    }
    EXPECT_THROW(detail::remove_named(name()), permission_denied);
  } else {
    EXPECT_EQ(report.state, segment_state::idle);
    EXPECT_EQ(report.items, 1U);
    EXPECT_EQ(detail::size(*detail::open_named(name(), ints())), 1U);
  }
}

TEST_F(OtherUser, IsToldThatASegmentIsNotItsOwn) {
  const auto channel = make(ints(), 3);
  const int result = as_other([&] {
    const inspect::segment_report report = inspect::look_at(name());
    const bool told = report.state == (is_another_ ? segment_state::foreign : segment_state::alive);
    try {
      (void)detail::open_named(name(), ints());
      return told && !is_another_ ? 0 : 1;
    } catch (const permission_denied& e) {
      return told && std::string(e.what()).find("it belongs to user 0") != std::string::npos ? 0 : 2;
    }
  });
  EXPECT_EQ(result, 0);
}

}  // namespace
}  // namespace weir::tests
