// SPDX-License-Identifier: BSL-1.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <sstream>
#include <thread>

#include "support/names.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string text_of(const auto& ch) {
  std::ostringstream out;
  out << ch;
  return out.str();
}
bool segment_exists(const std::string& name) { return std::filesystem::exists("/dev/shm/weir." + name); }

/// what() of the error of that type that `use` throws: one line.
template <class Error>
std::string error_of(const std::function<void()>& use) {
  try {
    use();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), Not(HasSubstr("\n")));
    return e.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

class NamedChannel : public NamedSegments {};

TEST_F(NamedChannel, IsSharedByAllWhoOpenIt) {
  auto made = channel<std::string>::create(name(), 3);
  auto opened = channel<std::string>::open(name());
  made.put("hello");
  EXPECT_EQ(opened.take(), "hello");
  EXPECT_EQ(opened.capacity(), 3U);
  EXPECT_EQ(opened.name(), name());
  EXPECT_EQ(made, opened);
  EXPECT_NE(made, channel<std::string>(3));
}

TEST_F(NamedChannel, OutlivesItsHandlesUntilItIsRemoved) {
  channel<int>::create(name(), 2).put(1);
  EXPECT_EQ(channel<int>::open(name()).take(), 1);
  channel<int>::remove(name());
  EXPECT_THROW((void)channel<int>::open(name()), not_found);
  EXPECT_FALSE(segment_exists(name()));
}

TEST_F(NamedChannel, GoesOnForThoseWhoHaveItWhenItsNameIsRemoved) {
  auto ch = channel<int>::create(name(), 2);
  channel<int>::remove(name());
  ch.put(1);
  EXPECT_EQ(ch.take(), 1);
  auto next = channel<int>::create(name(), 2);
  EXPECT_NE(ch, next);
  next.put(2);
  EXPECT_TRUE(ch.is_empty());
}

TEST_F(NamedChannel, IsMadeOnce) {
  auto first = channel<int>::open_or_create(name(), 2);
  auto second = channel<int>::open_or_create(name(), 5);
  EXPECT_EQ(first, second);
  EXPECT_EQ(second.capacity(), 2U);
  EXPECT_THAT(error_of<already_exists>([&] { (void)channel<int>::create(name(), 2); }), HasSubstr(name()));
}

TEST_F(NamedChannel, ThatDoesNotExistIsNotFound) {
  EXPECT_THAT(error_of<not_found>([&] { (void)channel<int>::open(name("none")); }), HasSubstr(name("none")));
  EXPECT_THROW(channel<int>::remove(name("none")), not_found);
}

TEST_F(NamedChannel, RefusesAnotherTypeByNameOfBoth) {
  const auto ch = channel<std::vector<double>>::create(name(), 2);
  const auto open_as_int = [&] { (void)channel<int>::open(name()); };
  const std::string what = error_of<type_mismatch>(open_as_int);
  EXPECT_THAT(what, HasSubstr(name()));
  EXPECT_THAT(what, HasSubstr("std::vector<double>"));
  EXPECT_THAT(what, HasSubstr("asked for int"));
  EXPECT_THROW((void)channel<std::vector<float>>::open(name()), type_mismatch);
  EXPECT_THROW((void)channel<any>::open(name()), type_mismatch);
  EXPECT_THROW((void)channel<int>::open_or_create(name(), 2), type_mismatch);
  EXPECT_TRUE(ch.is_open());
}

TEST(ChannelName, MustBeOneThatAFileCanHave) {
  const auto refused = [](const std::string& bad) {
    EXPECT_THROW((void)channel<int>::create(bad, 1), invalid_argument) << bad;
    EXPECT_THROW((void)channel<int>::open(bad), invalid_argument) << bad;
    EXPECT_THROW((void)channel<int>::open_or_create(bad, 1), invalid_argument) << bad;
    EXPECT_THROW(channel<int>::remove(bad), invalid_argument) << bad;
  };
  refused("");
  refused("a/b");
  refused("/a");
  refused(std::string(201, 'x'));
  refused(std::string("a\0b", 3));
  refused("@reserved");
}

TEST_F(NamedChannel, CanHaveANameOfTwoHundredCharacters) {
  std::string longest = name();
  longest.resize(200, 'x');
  const auto ch = channel<int>::create(longest, 1);
  EXPECT_EQ(ch.name(), longest);
  channel<int>::remove(longest);
}

TEST(ChannelCapacity, OverTheLimitIsRefusedWithBothNumbers) {
  const std::string what = error_of<invalid_argument>([] { const channel<int> ch(kMaxCapacity + 1); });
  EXPECT_THAT(what, HasSubstr("1048577"));
  EXPECT_THAT(what, HasSubstr("1048576"));
  EXPECT_THROW(channel<int>(SIZE_MAX), invalid_argument);
  EXPECT_EQ(channel<int>(kMaxCapacity).capacity(), kMaxCapacity);
}

TEST(ChannelItem, OverTheLimitIsRefusedAndTheChannelIsUsable) {
  channel<std::string> ch(2, {.max_item_bytes = 4096});
  ch.put("before");
  const std::string what = error_of<item_too_large>([&] { ch.put(std::string(4097, 'x')); });
  EXPECT_THAT(what, HasSubstr("4097"));
  EXPECT_THAT(what, HasSubstr("4096"));
  EXPECT_EQ(ch.size(), 1U);
  ch.put(std::string(4096, 'y'));
  EXPECT_FALSE(ch.try_put("full"));
  EXPECT_EQ(ch.take(), "before");
  EXPECT_EQ(ch.take().size(), 4096U);
}

TEST(UnnamedChannel, LivesUntilItsLastHandleGoes) {
  std::string name;
  {
    channel<int> ch(1);
    name = ch.name();
    channel<int> copy = ch;
    ch = channel<int>();
    EXPECT_TRUE(segment_exists(name));
    copy.put(1);
    EXPECT_EQ(copy.take(), 1);
  }
  EXPECT_FALSE(segment_exists(name));
}

TEST(UnnamedChannel, HasANumberOfItsOwn) {
  const channel<int> first(1);
  const channel<int> second(1);
  EXPECT_EQ(first.where(), my_id());
  EXPECT_EQ(first.whence(), my_id());
  EXPECT_GT(second.id(), first.id());
  EXPECT_EQ(first.name().front(), '@');
}

TEST(EmptyHandle, IsToldSo) {
  channel<double> none;
  EXPECT_THAT(error_of<invalid_argument>([&] { none.put(1); }), HasSubstr("channel<double>"));
  EXPECT_THROW((void)none.take(), invalid_argument);
  EXPECT_THROW((void)none.try_take(), invalid_argument);
  EXPECT_THROW((void)none.size(), invalid_argument);
  EXPECT_THROW(none.close(), invalid_argument);
  EXPECT_THROW((void)none.begin(), invalid_argument);
  EXPECT_THROW((void)any(none), invalid_argument);
  EXPECT_EQ(none, channel<double>());
  EXPECT_EQ(text_of(none), "channel<double>()");
}

TEST(ChannelText, SaysTypeNumbersAndItems) {
  channel<std::vector<double>> ch(2);
  const std::string begin = "channel<std::vector<double>>(1, 1, " + std::to_string(ch.id()) + ") ";
  EXPECT_EQ(text_of(ch), begin + "(0 items available)");
  ch.put({1});
  EXPECT_EQ(text_of(ch), begin + "(1 item available)");
  ch.put({1});
  EXPECT_EQ(text_of(ch), begin + "(2 items available)");
  ch.close();
  EXPECT_EQ(text_of(ch), begin + "(2 items available, closed)");
}

TEST(ChannelState, IsSaid) {
  channel<int> ch(2);
  EXPECT_TRUE(ch.is_open() && ch.is_empty() && !ch.is_ready() && !ch.is_full());
  ch.put(1);
  EXPECT_TRUE(!ch.is_empty() && ch.is_ready() && !ch.is_full());
  ch.put(2);
  EXPECT_TRUE(ch.is_full());
  ch.close();
  EXPECT_TRUE(!ch.is_open() && ch.is_ready() && ch.is_full());
}

// -------------------------------------------------------------------------------------------- what channels can carry

TEST(ChannelOfAny, TakesValuesOfDifferentTypes) {
  channel<any> ch(4);
  ch.put("hello");
  ch.put(5);
  EXPECT_TRUE(ch.try_put(std::vector<double>{1, 2}));
  const any first = ch.take();
  EXPECT_TRUE(first.holds<std::string>());
  EXPECT_THROW((void)first.as<int>(), type_mismatch);
  EXPECT_EQ(first.as<std::string>(), "hello");
  EXPECT_EQ(ch.fetch().as<int>(), 5);
  EXPECT_EQ(ch.peek().at(1).type_name(), "std::vector<double>");
  EXPECT_EQ(ch.take().as<int>(), 5);
  EXPECT_EQ(ch.take().as<std::vector<double>>().at(1), 2);
}

TEST(ChannelOfChannels, HandsOverTheObjectAndKeepsItAliveOnTheWay) {
  std::string name;
  {
    channel<channel<int>> carrier(2);
    {
      channel<int> inner(1);
      inner.put(6);
      name = inner.name();
      carrier.put(inner);
    }
    EXPECT_TRUE(segment_exists(name));
    EXPECT_EQ(carrier.fetch().size(), 1U);
    channel<int> received = carrier.take();
    EXPECT_EQ(received.take(), 6);
    EXPECT_TRUE(segment_exists(name));
  }
  EXPECT_FALSE(segment_exists(name));
}

TEST(ChannelOfChannels, HandlesTravelInsideOtherThings) {
  channel<std::map<std::string, std::vector<channel<int>>>> carrier(2);
  channel<int> a(1);
  channel<int> b(1);
  carrier.put({{"both", {a, b}}, {"one", {a}}});
  auto received = carrier.take();
  EXPECT_THAT(received["both"], ElementsAre(a, b));
  received["one"][0].put(3);
  EXPECT_EQ(a.take(), 3);
}

TEST(ChannelOfChannels, APutThatFailsKeepsNothingAlive) {
  std::string name;
  channel<channel<int>> carrier(0);
  {
    channel<int> inner(1);
    name = inner.name();
    EXPECT_FALSE(carrier.try_put(inner));
    carrier.close();
    EXPECT_THROW(carrier.put(inner), channel_closed);
  }
  EXPECT_FALSE(segment_exists(name));
}

// Decodes only while it is allowed to.
struct fragile {
  static inline bool breaks = false;
  std::string text;
  template <class Archive>
  void save(Archive& archive) const {
    archive(text);
  }
  template <class Archive>
  void load(Archive& archive) {
    archive(text);
    if (breaks) throw std::runtime_error("broken on the way");
  }
};

TEST(ChannelItem, ThatCannotBeDecodedStaysInside) {
  channel<fragile> ch(3);
  ch.put({"a"});
  ch.put({"b"});
  fragile::breaks = true;
  EXPECT_THROW((void)ch.take(), std::runtime_error);
  EXPECT_THROW((void)ch.try_take(), std::runtime_error);
  EXPECT_EQ(ch.size(), 2U);
  fragile::breaks = false;
  EXPECT_EQ(ch.take().text, "a");
  EXPECT_EQ(ch.take().text, "b");
}

TEST(ChannelItem, ThatGoesWithItsChannelKeepsNothingAlive) {
  std::string name;
  {
    channel<channel<int>> carrier(2);
    const channel<int> sent(1);
    name = sent.name();
    carrier.put(sent);
  }
  EXPECT_EQ(shm::list_segments(name), std::vector<std::string>());
  {
    const std::string carriers_name = "test-" + std::to_string(::getpid()) + ".carrier";
    auto carrier = channel<any>::create(carriers_name, 2);
    const channel<int> sent(1);
    name = sent.name();
    carrier.put(sent);
    carrier.put(1);
    channel<any>::remove(carriers_name);
  }
  EXPECT_EQ(shm::list_segments(name), std::vector<std::string>());
}

TEST(ChannelItem, WhoseObjectHasGoneIsTakenAndDoesNotStopTheOthers) {
  const std::string name = "test-" + std::to_string(::getpid()) + ".gone";
  channel<channel<int>> ch(2);
  ch.put(channel<int>::create(name, 1));
  ch.put(channel<int>(1));
  channel<int>::remove(name);
  EXPECT_THROW((void)ch.take(), not_found);
  EXPECT_NO_THROW((void)ch.take());
  EXPECT_EQ(ch.size(), 0U);
}

TEST(ChannelItem, CanBePutFromWhatItsTypeViews) {
  channel<std::string> texts(5);
  texts.put("literal");
  texts.put(std::string_view("view"));
  EXPECT_TRUE(texts.try_put("tried"));
  EXPECT_TRUE(texts.put_for("timed", std::chrono::seconds(1)));
  EXPECT_TRUE(texts.put_until("until", std::chrono::system_clock::now() + std::chrono::seconds(1)));
  EXPECT_THAT(texts.peek(), ElementsAre("literal", "view", "tried", "timed", "until"));

  channel<std::vector<int>> vectors(5);
  const std::array<int, 3> values{1, 2, 3};
  vectors.put(std::span<const int>(values));
  vectors.put(values);
  vectors.put({4, 5});
  EXPECT_THAT(vectors.peek(), ElementsAre(ElementsAre(1, 2, 3), ElementsAre(1, 2, 3), ElementsAre(4, 5)));
}

}  // namespace
}  // namespace weir::tests
