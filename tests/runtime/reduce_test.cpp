// SPDX-License-Identifier: BSL-1.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <functional>
#include <list>
#include <string>
#include <vector>

#include "numbers.hpp"
#include "support/session.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

class Reduce : public SessionTest {};

double harmonic(int i) { return 1.0 / (i + 1); }
double add(double a, double b) { return a + b; }
std::string text(int i) { return std::to_string(i); }
constexpr auto kBracket = [](const std::string& a, const std::string& b) { return '(' + a + b + ')'; };

TEST_F(Reduce, AddsUp) {
  for (const std::size_t more : {0U, 1U, 2U}) {  // 0, 1 and 3 workers
    if (more != 0) start(more);
    EXPECT_EQ(session().reduce([](int i) { return i * i; }, std::plus<>(), numbers(100)), 328'350);
    EXPECT_EQ(session().reduce([](long i) { return i; }, [](long a, long b) { return std::max(a, b); }, numbers(100)),
              99);
    EXPECT_DOUBLE_EQ(session().reduce(harmonic, add, std::list<int>{0, 1, 3}), 1.75);
  }
}

TEST_F(Reduce, FoldsInOrderWhatEachWorkerHasFoldedInOrder) {
  EXPECT_EQ(session().reduce(text, kBracket, numbers(5)), "((((01)2)3)4)");
  start(2);
  EXPECT_EQ(session().reduce(text, kBracket, numbers(5)), "(((01)2)(34))");
  start(1);
  EXPECT_EQ(session().reduce(text, kBracket, numbers(5)), "(((01)(23))4)");
  start(4);
  EXPECT_EQ(session().reduce(text, kBracket, numbers(5)), "((((01)2)3)4)");  // one each
}

TEST_F(Reduce, OfNumbersWithFractionsGivesTheSameBitsEachTime) {
  start(3);
  const std::vector<int> items = numbers(10'000);
  const double first = session().reduce(harmonic, std::plus<>(), items);
  for (int round = 0; round < 5; ++round) {
    const double again = session().reduce(harmonic, std::plus<>(), items);
    EXPECT_EQ(first, again);
  }
  // As defined: 3334, 3333 and 3333 of them.
  const auto part = [&](int begin, int end) {
    double sum = harmonic(begin);
    for (int i = begin + 1; i < end; ++i) sum += harmonic(i);
    return sum;
  };
  EXPECT_EQ(first, (part(0, 3334) + part(3334, 6667)) + part(6667, 10'000));
}

TEST_F(Reduce, BeginsWithAnInitialValue) {
  start(2);
  EXPECT_EQ(session().reduce(text, kBracket, numbers(4), std::string("i")), "((i(01))(23))");
  EXPECT_EQ(session().reduce(text, kBracket, std::vector<int>(), std::string("i")), "i");
}

TEST_F(Reduce, OfAnEmptyRangeWithoutAnInitialValueIsRefused) {
  start(1);
  try {
    session().reduce(harmonic, std::plus<>(), std::vector<int>());
    FAIL();
  } catch (const invalid_argument& e) {
    EXPECT_STREQ(e.what(), "weir: reduce: the range is empty, and there is no initial value");
  }
}

TEST_F(Reduce, TakesARangeThatCanBeReadOnlyOnce) {
  start(2);
  channel<int> items(10);
  for (int i = 0; i < 6; ++i) items.put(i);
  items.close();
  EXPECT_EQ(session().reduce(text, kBracket, items), "(((01)2)((34)5))");
}

TEST_F(Reduce, TakesLargeParts) {
  start(2);
  const std::vector<double> items(1'000'000, 0.5);
  EXPECT_EQ(session().reduce([](double x) { return x; }, std::plus<>(), items), 500'000);
  const auto lists = session().reduce([](int i) { return std::vector<int>(50'000, i); },
                                      [](std::vector<int> a, const std::vector<int>& b) {
                                        a.insert(a.end(), b.begin(), b.end());
                                        return a;
                                      },
                                      numbers(4));
  EXPECT_EQ(lists.size(), 200'000U);
  EXPECT_EQ(lists.back(), 3);
}

TEST_F(Reduce, ThrowsTheFirstErrorInTheOrderOfTheItems) {
  start(3);
  const auto fail_from_4 = [](int i) {
    if (i >= 4) throw std::out_of_range("item " + std::to_string(i));
    return i;
  };
  try {
    session().reduce(fail_from_4, std::plus<>(), numbers(9));
    FAIL();
  } catch (const remote_error& e) {
    EXPECT_EQ(e.worker(), 3U);
    EXPECT_EQ(e.message(), "item 4");
    EXPECT_THROW(std::rethrow_if_nested(e), std::out_of_range);
  }
  try {
    session().reduce([](int i) { return i; }, [](int, int) -> int { throw std::domain_error("no sum"); }, numbers(2),
                     1);
    FAIL();
  } catch (const std::domain_error& e) {  // the fold of the parts is done here
    EXPECT_STREQ(e.what(), "no sum");
  }
}

TEST_F(Reduce, ThrowsTheDeathOfAWorker) {
  start(2);
  EXPECT_THROW(session().reduce(
                   [](int i) {
                     if (i == 9) ::kill(::getpid(), SIGKILL);
                     return i;
                   },
                   std::plus<>(), numbers(10)),
               worker_died);
  EXPECT_EQ(session().reduce([](int i) { return i; }, std::plus<>(), numbers(10)), 45);
}

}  // namespace
}  // namespace weir::tests
