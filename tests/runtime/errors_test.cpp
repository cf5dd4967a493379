// SPDX-License-Identifier: BSL-1.0
// How what a function throws comes back.
#include <gtest/gtest.h>

#include <ios>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <variant>
#include <vector>

#include "support/session.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

class Errors : public SessionTest {};

struct own_error : std::out_of_range {
  using std::out_of_range::out_of_range;
};
struct bare_error : std::exception {
  [[nodiscard]] const char* what() const noexcept override { return "bare"; }
};

/// Calls f there and returns the remote_error that comes back.
template <class F>
remote_error error_of(const worker& w, F f) {
  try {
    w.fetch(f);
  } catch (const remote_error& e) {
    return e;
  }
  throw std::logic_error("nothing was thrown");
}

template <class Expected, class F>
std::string nested_what(const worker& w, F f) {
  try {
    std::rethrow_if_nested(error_of(w, f));
  } catch (const Expected& e) {
    return e.what();
  } catch (...) {
    return "another type";
  }
  return "nothing nested";
}

TEST_F(Errors, KeepTypeAndTextOverOneHop) {
  const auto w = start(1).front();
  const remote_error e = error_of(w, [] { throw std::out_of_range("index 7"); });
  EXPECT_STREQ(e.what(), "On worker 2: std::out_of_range: index 7");
  EXPECT_EQ(e.worker(), 2U);
  EXPECT_EQ(e.type(), "std::out_of_range");
  EXPECT_EQ(e.message(), "index 7");
  EXPECT_EQ(e.code(), errc::remote_error);
}

TEST_F(Errors, KeepTypeAndTextOverTwoHops) {
  const auto ws = start(2);
  const remote_error e = error_of(ws[0], [] { worker(3).fetch([] { throw std::invalid_argument("no such grid"); }); });
  EXPECT_STREQ(e.what(), "On worker 2: On worker 3: std::invalid_argument: no such grid");
  EXPECT_EQ(e.type(), "std::invalid_argument");
  EXPECT_EQ(e.message(), "no such grid");
  const std::vector<std::string> expected{e.what(), "On worker 3: std::invalid_argument: no such grid", "no such grid"};
  EXPECT_EQ(chain_of(e), expected);
}

TEST_F(Errors, KeepTypeAndTextOverThreeHops) {
  start(2);
  const remote_error e =
      error_of(worker(2), [] { worker(3).fetch([] { worker(2).fetch([] { throw std::runtime_error("deep"); }); }); });
  EXPECT_STREQ(e.what(), "On worker 2: On worker 3: On worker 2: std::runtime_error: deep");
}

TEST_F(Errors, OfTheStandardsTypesCanBeCaughtAsSuch) {
  const auto w = start(1).front();
  EXPECT_EQ(nested_what<std::out_of_range>(w, [] { throw std::out_of_range("a"); }), "a");
  EXPECT_EQ(nested_what<std::length_error>(w, [] { throw std::length_error("b"); }), "b");
  EXPECT_EQ(nested_what<std::overflow_error>(w, [] { throw std::overflow_error("c"); }), "c");
  EXPECT_EQ(nested_what<std::bad_alloc>(w, [] { throw std::bad_alloc(); }), "std::bad_alloc");
  EXPECT_EQ(nested_what<std::bad_optional_access>(w, [] { return std::optional<int>().value(); }),
            "bad optional access");
  // Where the type alone decides what it says, the text is in the remote_error.
  const auto wrong_alternative = [] { static_cast<void>(std::get<1>(std::variant<int, char>(1))); };
  EXPECT_EQ(nested_what<std::bad_variant_access>(w, wrong_alternative), std::bad_variant_access().what());
  EXPECT_EQ(error_of(w, wrong_alternative).message(), "std::get: wrong index for variant");
  EXPECT_EQ(nested_what<std::ios_base::failure>(w, [] { throw std::ios_base::failure("stream"); }),
            std::ios_base::failure("stream").what());
  // A user's type as the closest one of the standard's.
  EXPECT_EQ(nested_what<std::out_of_range>(w, [] { throw own_error("mine"); }), "mine");
  EXPECT_NE(error_of(w, [] { throw own_error("mine"); }).type().find("own_error"), std::string::npos);
  EXPECT_EQ(nested_what<std::exception>(w, [] { throw bare_error(); }), "bare");
}

TEST_F(Errors, OfTheSystemKeepTheirCode) {
  const auto w = start(1).front();
  try {
    try {
      w.fetch([] { throw std::system_error(ENOENT, std::generic_category(), "open x"); });
    } catch (const remote_error& e) {
      EXPECT_STREQ(e.what(), "On worker 2: std::system_error: open x: No such file or directory");
      std::rethrow_if_nested(e);
    }
    FAIL();
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code(), std::errc::no_such_file_or_directory);
    EXPECT_STREQ(e.what(), "open x: No such file or directory");
  }
}

TEST_F(Errors, OfWeirKeepWhatTheyCarry) {
  const auto w = start(1).front();
  try {
    std::rethrow_if_nested(error_of(w, [] {
      channel<int> c(1);
      c.close("enough");
      c.put(1);
    }));
    FAIL();
  } catch (const channel_closed& e) {
    EXPECT_EQ(e.reason(), "enough");
  }
  try {
    std::rethrow_if_nested(error_of(w, [] { return globals().get<int>("unknown"); }));
    FAIL();
  } catch (const undefined_global& e) {
    EXPECT_EQ(e.name(), "unknown");
    EXPECT_EQ(e.on(), 2U);
    EXPECT_STREQ(e.what(), "\"unknown\" is not defined on worker 2");
  }
  EXPECT_NE(nested_what<not_found>(w, [] { return channel<int>::open("no-such-channel-anywhere"); }).find("no-such"),
            std::string::npos);
  EXPECT_STREQ(error_of(w, [] { return worker(77).id(); }).what(),
               "On worker 2: weir::not_found: weir: worker 77: the session never had a process of that number");
}

TEST_F(Errors, KeepWhatWasNestedInThem) {
  const auto w = start(1).front();
  const remote_error e = error_of(w, [] {
    try {
      throw std::out_of_range("inner");
    } catch (const std::exception&) {
      std::throw_with_nested(std::runtime_error("outer"));
    }
  });
  EXPECT_EQ(chain_of(e), (std::vector<std::string>{"On worker 2: std::runtime_error: outer", "outer", "inner"}));
}

TEST_F(Errors, ThatAreNoStdExceptionsSaySo) {
  const auto w = start(1).front();
  const remote_error e = error_of(w, [] { throw 7; });
  EXPECT_STREQ(e.what(), "On worker 2: int: an exception of type int, which is no std::exception");
  EXPECT_EQ(e.type(), "int");
  EXPECT_EQ(chain_of(e).size(), 2U);  // something is nested: std::rethrow_if_nested would end the program otherwise
  EXPECT_EQ(error_of(w, [] { throw std::string("text"); }).message(),
            "an exception of type std::basic_string<char, std::char_traits<char>, std::allocator<char> >, which is no "
            "std::exception");
}

TEST_F(Errors, MayBeOfAnyLength) {
  const auto w = start(1).front();
  const remote_error e = error_of(w, [] { throw std::runtime_error(std::string(1'000'000, 'x')); });
  EXPECT_EQ(e.message(), std::string(1'000'000, 'x'));
}

TEST_F(Errors, AreThrownAtEveryGet) {
  const auto w = start(1).front();
  for (const auto& f :
       {w.call([] { throw std::runtime_error("there"); }), worker(1).call([] { throw std::runtime_error("here"); })}) {
    for (int i = 0; i < 3; ++i) EXPECT_THROW(f.get(), remote_error);
    f.wait();
    EXPECT_TRUE(f.is_ready());
    EXPECT_TRUE(f.wait_for(std::chrono::milliseconds(1)));
    EXPECT_THROW(f.get(), remote_error);
  }
}

TEST_F(Errors, OfCallsInTheSameProcessAreLikeOthers) {
  EXPECT_STREQ(error_of(worker(1), [] { throw std::out_of_range("near"); }).what(),
               "On worker 1: std::out_of_range: near");
  const auto w = start(1).front();
  EXPECT_EQ(w.fetch([] {
    try {
      worker(2).fetch([] { throw std::out_of_range("own"); });
    } catch (const remote_error& e) {
      return std::string(e.what());
    }
    return std::string("nothing");
  }),
            "On worker 2: std::out_of_range: own");
}

TEST_F(Errors, DoNotStopTheWorker) {
  const auto w = start(1).front();
  for (int i = 0; i < 100; ++i) EXPECT_THROW(w.fetch([] { throw 1; }), remote_error);
  EXPECT_EQ(w.fetch([] { return 3; }), 3);
}

TEST_F(Errors, GlobalsOfAWorkerThrowThemUnwrapped) {
  const auto w = start(1).front();
  try {
    static_cast<void>(w.global<int>("a"));
    FAIL();
  } catch (const undefined_global& e) {
    EXPECT_STREQ(e.what(), "\"a\" is not defined on worker 2");
  }
  w.fetch([] { globals().set("a", 1.5); });
  EXPECT_EQ(w.global<double>("a"), 1.5);
  try {
    static_cast<void>(w.global<int>("a"));
    FAIL();
  } catch (const type_mismatch& e) {
    EXPECT_STREQ(e.what(), "weir: global \"a\" on worker 2: it is a double, asked for a int");
  }
}

TEST(WithoutASession, WorkersAreRefused) {
  try {
    static_cast<void>(worker(2));
    FAIL();
  } catch (const not_in_session& e) {
    EXPECT_STREQ(e.what(), "weir: worker 2: this program has no session (make a weir::session first)");
  }
}

}  // namespace
}  // namespace weir::tests
