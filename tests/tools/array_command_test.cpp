// SPDX-License-Identifier: BSL-1.0
// What `weir ls` and `weir show` print of arrays.
#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <string>

#include "support/child.hpp"
#include "support/names.hpp"
#include "tools/run_command.hpp"
#include "weir/array.hpp"

namespace weir::tests {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using floats = weir::array<float, 2>;

class ArrayCommand : public NamedSegments {};

TEST_F(ArrayCommand, LsListsTypeAndElements) {
  const auto a = floats::create(name(), {30, 40});
  const auto listed = run_weir({"ls", name()});
  EXPECT_EQ(listed.status, 0) << listed.err;
  EXPECT_THAT(listed.out, HasSubstr("weir::array<float, 2>"));
  EXPECT_THAT(listed.out, HasSubstr("1200"));
  EXPECT_THAT(listed.out, HasSubstr("alive"));
}

TEST_F(ArrayCommand, ShowSaysExtentsLockAndWhoHasIt) {
  const auto a = floats::create(name(), {30, 40});
  const auto lock = a.lock();
  const auto shown = run_weir({"show", name()});
  EXPECT_EQ(shown.status, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("30x40 row_major"));
  EXPECT_THAT(shown.out, HasSubstr("held by thread " + std::to_string(::getpid())));
  EXPECT_THAT(shown.out, HasSubstr("SHARES LOCK"));
}

TEST_F(ArrayCommand, ShowAsJsonHasTheSame) {
  const auto a = floats::create(name(), {3, 4}, {.order = order::column_major});
  const auto lock = a.lock_shared();
  const auto shown = json::parse(run_weir({"show", name(), "--json"}).out);
  EXPECT_EQ(shown["kind"], "array");
  EXPECT_EQ(shown["extents"], (json{3, 4}));
  EXPECT_EQ(shown["order"], "column_major");
  EXPECT_EQ(shown["items"], 12);
  EXPECT_EQ(shown["seats"].size(), 1U);
  EXPECT_EQ(shown["seats"][0]["pid"], ::getpid());
  EXPECT_EQ(shown["seats"][0]["shares_lock"], 1);
  EXPECT_EQ(shown["lock"]["held"], false);
}

TEST_F(ArrayCommand, ShowFindsAProblemWhenTheHolderOfTheLockIsDead) {
  child victim([&] {
    const auto a = floats::create(name(), {3, 4});
    a.mutex().lock();
    ::raise(SIGKILL);
    return 0;
  });
  victim.wait();
  const auto shown = run_weir({"show", name()});
  EXPECT_EQ(shown.status, 1);
  EXPECT_THAT(shown.out, HasSubstr("whoever locks it next"));
}

}  // namespace
}  // namespace weir::tests
