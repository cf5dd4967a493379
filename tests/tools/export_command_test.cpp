// SPDX-License-Identifier: BSL-1.0
// What `weir export` writes is read back, by weir itself and by NumPy.
#include <gmock/gmock.h>
#include <stdlib.h>

#include <complex>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "support/names.hpp"
#include "tools/run_command.hpp"
#include "weir/array.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

class ExportCommand : public NamedSegments {
 protected:
  ExportCommand() {
    std::string made = (fs::temp_directory_path() / "weir-export-XXXXXX").string();
    folder_ = ::mkdtemp(made.data());
  }
  ~ExportCommand() override { fs::remove_all(folder_); }
  [[nodiscard]] std::string file(const std::string& word = "it.npy") const { return (folder_ / word).string(); }
  [[nodiscard]] std::ptrdiff_t files() const {
    return std::distance(fs::directory_iterator(folder_), fs::directory_iterator());
  }
  void expect_success(const std::vector<std::string>& words) const {
    const command_result result = run_weir(words);
    EXPECT_EQ(result.status, 0) << result.err;
  }

 private:
  fs::path folder_;
};

/// Every element says where it is.
template <std::size_t Rank>
void number(weir::array<double, Rank>& a) {
  for (std::size_t i = 0; i < a.size(); ++i) a.data()[i] = static_cast<double>(i);
}

TEST_F(ExportCommand, WritesAnArrayAsItLies) {
  for (const order each : {order::row_major, order::column_major}) {
    auto a = weir::array<double, 2>::create(name(), {30, 40}, {.order = each});
    number(a);
    expect_success({"export", name(), file(), "--force"});
    const auto read = weir::array<double, 2>::map_npy(file());
    EXPECT_TRUE(std::equal(a.data(), a.data() + a.size(), read.data()));
    EXPECT_EQ(read(3, 4), a(3, 4));
    weir::array<double, 2>::remove(name());
  }
}

TEST_F(ExportCommand, TurnsAnArrayOverIntoTheOtherOrder) {
  for (const order each : {order::row_major, order::column_major}) {
    auto a = weir::array<double, 4>::create(name(), {7, 3, 5, 4}, {.order = each});
    number(a);
    expect_success({"export", name(), file(), "--force", "--order", each == order::row_major ? "column" : "row"});
    const auto read = weir::array<double, 4>::map_npy(file());
    EXPECT_NE(read.strides(), a.strides());
    for (std::size_t i = 0; i < a.size(); ++i) {
      const std::array<std::size_t, 4> at{i / 60, i / 20 % 3, i / 4 % 5, i % 4};
      ASSERT_EQ(read(at[0], at[1], at[2], at[3]), a(at[0], at[1], at[2], at[3])) << i;
    }
    weir::array<double, 4>::remove(name());
  }
}

TEST_F(ExportCommand, TurnsLargeArraysOverATileAtATime) {
  auto a = weir::array<double, 2>::create(name(), {5000, 600});  // more rows, and more bytes, than are done at once
  number(a);
  expect_success({"export", name(), file(), "--order", "column"});
  const auto read = weir::array<double, 2>::map_npy(file());
  for (std::size_t i = 0; i < 5000; i += 7) {
    for (std::size_t j = 0; j < 600; ++j) ASSERT_EQ(read(i, j), static_cast<double>(i * 600 + j));
  }
}

TEST_F(ExportCommand, DoesNotOverwriteUnlessItIsForcedTo) {
  const auto a = weir::array<int>::create(name(), {3});
  std::ofstream(file()) << "old";
  const command_result result = run_weir({"export", name(), file()});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("exists (--force overwrites it)"));
  EXPECT_EQ(fs::file_size(file()), 3U);
  expect_success({"export", name(), file(), "--force"});
  EXPECT_EQ(weir::array<int>::map_npy(file()).size(), 3U);
  EXPECT_EQ(files(), 1);
}

TEST_F(ExportCommand, RefusesWhatIsNoNumberOrNoArray) {
  struct point {
    int x, y;
  };
  const auto points = weir::array<point>::create(name("points"), {3});
  const auto channel = weir::channel<int>::create(name("channel"), 3);
  const command_result result = run_weir({"export", name("points"), file()});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("of numbers only"));
  EXPECT_THAT(run_weir({"export", name("channel"), file()}).err, HasSubstr("it is a channel, not an array"));
  EXPECT_THAT(run_weir({"export", name("none"), file()}).err, HasSubstr("nothing has that name"));
  EXPECT_THAT(run_weir({"export", name("points"), file("no/it")}).err, HasSubstr("of numbers only"));
  EXPECT_EQ(run_weir({"export", name("points"), file(), "--order", "diagonal"}).status, 2);
  const auto numbers = weir::array<int>::create(name("numbers"), {3});
  EXPECT_THAT(run_weir({"export", name("numbers"), file("no/it")}).err, HasSubstr("its folder must exist"));
  EXPECT_EQ(files(), 0);
}

TEST_F(ExportCommand, SaysAsJsonWhatItWrote) {
  const auto a = weir::array<std::uint16_t, 2>::create(name(), {3, 4});
  const json said = json::parse(run_weir({"export", name(), file(), "--json"}).out);
  EXPECT_EQ(said["numpy_type"], "<u2");
  EXPECT_EQ(said["extents"], (json{3, 4}));
  EXPECT_EQ(said["file_bytes"], fs::file_size(file()));
}

#ifdef WEIR_PYTHON_WITH_NUMPY
class ExportToNumpy : public ExportCommand {
 protected:
  /// The statements hold of `a`, the array that was read from the file.
  void expect_in_numpy(const std::string& statements) const {
    const std::string script = "import numpy as n; a=n.load('" + file() + "'); " + statements;
    EXPECT_EQ(std::system((WEIR_PYTHON_WITH_NUMPY " -c \"" + script + "\"").c_str()), 0) << statements;
  }
  template <class T>
  void expect_type(const std::string& dtype) {
    auto a = weir::array<T>::create(name(), {3});
    a(1) = T(1);
    expect_success({"export", name(), file(), "--force"});
    weir::array<T>::remove(name());
    expect_in_numpy("assert a.dtype=='" + dtype + "' and a.shape==(3,) and a[1]==1 and a[0]==0, a.dtype");
  }
};

TEST_F(ExportToNumpy, NumbersOfEveryType) {
  expect_type<bool>("?");
  expect_type<char>("i1");
  expect_type<std::int8_t>("i1");
  expect_type<std::uint8_t>("u1");
  expect_type<std::int16_t>("<i2");
  expect_type<std::uint32_t>("<u4");
  expect_type<std::int64_t>("<i8");
  expect_type<unsigned long long>("<u8");
  expect_type<float>("<f4");
  expect_type<double>("<f8");
  expect_type<long double>("<f16");
  expect_type<std::complex<float>>("<c8");
  expect_type<std::complex<double>>("<c16");
}

TEST_F(ExportToNumpy, OneToFiveDimensionsInBothOrders) {
  const auto check = [&]<std::size_t Rank>(weir::array<double, Rank> a, const std::string& shape) {
    number(a);
    for (const std::string order : {"row", "column"}) {
      expect_success({"export", name(), file(), "--force", "--order", order});
      const std::string flag = order == "row" ? "c_contiguous" : "f_contiguous";
      expect_in_numpy("assert a.shape==" + shape + " and a.flags." + flag +
                      " and (a==n.arange(a.size).reshape(a.shape)).all()");
    }
    weir::array<double, Rank>::remove(name());
  };
  check(weir::array<double>::create(name(), {50}), "(50,)");
  check(weir::array<double, 2>::create(name(), {7, 9}), "(7,9)");
  check(weir::array<double, 3>::create(name(), {5, 1, 9}), "(5,1,9)");
  check(weir::array<double, 5>::create(name(), {2, 3, 4, 5, 6}), "(2,3,4,5,6)");
}
#endif

}  // namespace
}  // namespace weir::tests
