// SPDX-License-Identifier: BSL-1.0
// Calls while shared memory is full: each test runs in a child whose session has a small /dev/shm of its own.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "support/session.hpp"
#include "support/small_memory.hpp"

namespace weir::tests {
namespace {

TEST(CallsInFullMemory, ReportAResultThatDoesNotFit) {
  with_memory_of("2m", [] {
    weir::session session;
    const auto w = session.add_workers(1).front();
    const auto f = w.call([] { return std::vector<double>(1'000'000, 1.5); });
    for (int i = 0; i < 2; ++i) {
      try {
        f.get();
        FAIL() << "8 MB came through 2 MiB";
      } catch (const remote_error& e) {
        const std::string what = e.what();
        EXPECT_EQ(e.type(), "weir::no_space");
        EXPECT_NE(what.find("shared memory is full: 7.6 MiB asked"), std::string::npos) << what;
        EXPECT_THROW(std::rethrow_if_nested(e), no_space);
      }
    }
    EXPECT_EQ(w.fetch([] { return std::vector<double>(10'000, 2.5); }).size(), 10'000U);
    EXPECT_EQ(w.fetch([] { return 3; }), 3);
  });
}

TEST(CallsInFullMemory, RefuseArgumentsThatDoNotFit) {
  with_memory_of("2m", [] {
    weir::session session;
    const auto w = session.add_workers(1).front();
    const auto size_of = [](const std::vector<double>& v) { return v.size(); };
    EXPECT_THROW(w.fetch(size_of, std::vector<double>(1'000'000)), no_space);
    EXPECT_EQ(w.fetch(size_of, std::vector<double>(10'000)), 10'000U);
  });
}

TEST(CallsInFullMemory, DeliverErrorsEvenWhenNothingIsLeft) {
  with_memory_of("2m", [] {
    weir::session session;
    const auto w = session.add_workers(1).front();
    EXPECT_EQ(w.fetch([] { return 1; }), 1);
    const auto fill = [] {
      std::ofstream file("/dev/shm/filler", std::ios::binary);
      while (file << std::string(4096, 'x') << std::flush) {
      }
    };
    fill();
    EXPECT_EQ(w.fetch([] { return 2; }), 2);
    try {
      w.fetch([] { throw std::runtime_error(std::string(100'000, 'm')); });
      FAIL();
    } catch (const remote_error& e) {
      EXPECT_EQ(e.type(), "std::runtime_error");
      EXPECT_TRUE(e.message().starts_with("mmmmmmmmmmmmmmmmmmmmmmmmm")) << e.message();
    }
    EXPECT_THROW(w.fetch([] { return std::string(100'000, 'r'); }), remote_error);
    EXPECT_THROW(session.add_workers(1), error);
    ::unlink("/dev/shm/filler");
    EXPECT_EQ(w.fetch([] { return std::string(100'000, 'r'); }).size(), 100'000U);
    EXPECT_GT(session.add_workers(1).front().fetch(my_id), 2U);
  });
}

TEST(CallsInFullMemory, OfAnySizeNeverEndInABusError) {
  for (std::size_t kib = 16; kib <= 1024; kib += kib < 256 ? 48 : 128) {
    with_memory_of(std::to_string(kib) + "k", [] {
      try {
        weir::session session;
        const auto w = session.add_workers(1).front();
        for (std::size_t bytes = 1; bytes < 4'000'000; bytes *= 4) {
          EXPECT_EQ(w.fetch([](const std::string& s) { return s + s; }, std::string(bytes, 'a')).size(), 2 * bytes);
        }
      } catch (const no_space&) {
        return;
      } catch (const remote_error& e) {
        EXPECT_THROW(std::rethrow_if_nested(e), no_space);
      } catch (const worker_died& e) {
        EXPECT_TRUE(e.exit_status().has_value()) << e.what();  // it could not make its inbox, and said so
      }
    });
  }
}

}  // namespace
}  // namespace weir::tests
