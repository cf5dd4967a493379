// SPDX-License-Identifier: BSL-1.0
// `weir dump` writes what is inside a channel, `weir restore` puts it into one again.
#include <gmock/gmock.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "inspect/dump_file.hpp"
#include "support/names.hpp"
#include "tools/run_command.hpp"
#include "weir/any.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

class DumpCommand : public NamedSegments {
 protected:
  DumpCommand() {
    std::string made = (fs::temp_directory_path() / "weir-dump-XXXXXX").string();
    folder_ = ::mkdtemp(made.data());
  }
  ~DumpCommand() override { fs::remove_all(folder_); }
  [[nodiscard]] std::string file(const std::string& word = "it.dump") const { return (folder_ / word).string(); }
  [[nodiscard]] bool folder_is_empty() const { return fs::is_empty(folder_); }
  static void expect_success(const std::vector<std::string>& words) {
    const command_result result = run_weir(words);
    EXPECT_EQ(result.status, 0) << result.err;
  }
  static void expect_refusal(const std::vector<std::string>& words, const std::string& why) {
    const command_result result = run_weir(words);
    EXPECT_EQ(result.status, 1) << why;
    EXPECT_THAT(result.err, HasSubstr(why));
    EXPECT_THAT(result.err, testing::StartsWith("weir: "));
  }

  /// The items of a channel, dumped and restored into another one.
  template <class T>
  std::vector<T> there_and_back(const std::vector<T>& items, std::size_t capacity) {
    auto from = channel<T>::create(name("from"), capacity);
    for (const T& each : items) from.put(each);
    expect_success({"dump", name("from"), file(), "--force"});
    EXPECT_EQ(from.size(), items.size());
    expect_success({"restore", file(), name("to")});
    auto to = channel<T>::open(name("to"));
    EXPECT_EQ(to.capacity(), capacity);
    std::vector<T> got;
    while (std::optional<T> item = to.try_take()) got.push_back(*std::move(item));
    channel<T>::remove(name("from"));
    channel<T>::remove(name("to"));
    return got;
  }

 private:
  fs::path folder_;
};

TEST_F(DumpCommand, BringsItemsOfEveryKindBack) {
  const std::vector<int> numbers{1, -2, 3};
  EXPECT_EQ(there_and_back(numbers, 7), numbers);
  using large = std::array<long, 100>;
  EXPECT_EQ(there_and_back<large>({large{}, large{1, 2}}, 2), (std::vector<large>{large{}, large{1, 2}}));
  const std::vector<std::string> texts{"", "short", std::string(100'000, 'x')};
  EXPECT_EQ(there_and_back(texts, 3), texts);
  using record = std::map<std::string, std::vector<std::string>>;
  const std::vector<record> records{{}, {{"a", {"b", "c"}}}};
  EXPECT_EQ(there_and_back(records, 2), records);
  const auto values = there_and_back<any>({any("x"), any(5)}, 4);
  ASSERT_EQ(values.size(), 2U);
  EXPECT_EQ(values[0].as<std::string>(), "x");
  EXPECT_EQ(values[1].as<int>(), 5);
  EXPECT_TRUE(there_and_back(std::vector<int>(), 1).empty());
}

TEST_F(DumpCommand, KeepsTheChannelsOptions) {
  auto from = channel<std::string>::create(name("from"), 5, {.max_item_bytes = 10'000, .idle_block_bytes = 4096});
  expect_success({"dump", name("from"), file()});
  expect_success({"restore", file(), name("to")});
  const json a = json::parse(run_weir({"show", name("from"), "--json"}).out);
  const json b = json::parse(run_weir({"show", name("to"), "--json"}).out);
  for (const char* member : {"type", "capacity", "file_bytes", "max_item_bytes"})
    EXPECT_EQ(a[member], b[member]) << member;
}

TEST_F(DumpCommand, RestoresIntoAChannelThatIsThere) {
  auto from = channel<int>::create(name("from"), 3);
  from.put(1);
  from.put(2);
  expect_success({"dump", name("from"), file()});
  expect_refusal({"restore", file(), name("from")}, "the name is taken");
  auto to = channel<int>::create(name("to"), 3);
  to.put(0);
  expect_success({"restore", file(), name("to"), "--into"});
  EXPECT_THAT(to.peek(), ElementsAre(0, 1, 2));
  expect_refusal({"restore", file(), name("to"), "--into", "--timeout", "0.01"}, "0 of 2 items were put");
  auto other = channel<long>::create(name("other"), 3);
  expect_refusal({"restore", file(), name("other"), "--into"}, "asked for int");
  to.close();
  expect_refusal({"restore", file(), name("to"), "--into"}, "closed");
  expect_refusal({"restore", file(), name("none"), "--into"}, name("none"));
  EXPECT_EQ(run_weir({"restore", file(), name("to"), "--timeout", "-1"}).status, 2);
}

TEST_F(DumpCommand, RefusesItemsThatHoldHandles) {
  const auto inner = channel<int>(1);
  auto handles = channel<channel<int>>::create(name("handles"), 2);
  auto lists = channel<std::vector<channel<int>>>::create(name("lists"), 2);
  auto values = channel<any>::create(name("values"), 2);
  values.put(any(inner));
  for (const char* word : {"handles", "lists", "values"}) {
    expect_refusal({"dump", name(word), file()}, "refer");
  }
  EXPECT_TRUE(folder_is_empty());
}

TEST_F(DumpCommand, DoesNotOverwriteUnlessItIsForcedTo) {
  auto from = channel<int>::create(name(), 3);
  expect_success({"dump", name(), file()});
  expect_refusal({"dump", name(), file()}, "--force overwrites it");
  expect_success({"dump", name(), file(), "--force"});
  expect_refusal({"dump", name("none"), file()}, "nothing has that name");
}

TEST_F(DumpCommand, RefusesADamagedFileBeforeItPutsAnything) {
  auto from = channel<std::string>::create(name("from"), 3);
  from.put("first");
  from.put("second one");
  expect_success({"dump", name("from"), file()});
  std::string bytes;
  {
    std::ifstream in(file(), std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  const auto is_refused = [&](const std::string& content) {
    std::ofstream(file("bad.dump"), std::ios::binary | std::ios::trunc) << content;
    try {
      inspect::dump_reader reader(file("bad.dump"));
      return false;
    } catch (const corrupt_segment&) {
      return true;
    }
  };
  EXPECT_FALSE(is_refused(bytes));
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    const bool is_padding = damaged[at] == 0x10;  // zeros between items are not looked at
    EXPECT_TRUE(is_refused(damaged) || is_padding) << at;
    EXPECT_TRUE(is_refused(bytes.substr(0, at))) << at;
  }
  EXPECT_TRUE(is_refused(bytes + "more"));
  std::ofstream(file("bad.dump"), std::ios::binary | std::ios::trunc) << bytes.substr(0, bytes.size() - 8);
  expect_refusal({"restore", file("bad.dump"), name("to")}, "its header says");
  expect_refusal({"peek", name("to")}, "nothing has that name");
  expect_refusal({"restore", file("none"), name("to")}, "No such file");
  expect_refusal({"restore", fs::temp_directory_path().string(), name("to")}, "not an ordinary file");
}

TEST_F(DumpCommand, SaysAsJsonWhatItDid) {
  auto from = channel<int>::create(name("from"), 3);
  from.put(1);
  const json dumped = json::parse(run_weir({"dump", name("from"), file(), "--json"}).out);
  EXPECT_EQ(dumped["items"], 1);
  EXPECT_EQ(dumped["type"], "int");
  const json restored = json::parse(run_weir({"restore", file(), name("to"), "--json"}).out);
  EXPECT_EQ(restored["put"], 1);
  EXPECT_EQ(restored["created"], true);
}

}  // namespace
}  // namespace weir::tests
