// SPDX-License-Identifier: BSL-1.0
// Arrays in ordinary files, and NumPy's.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <complex>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "segment/segment.hpp"
#include "support/child.hpp"
#include "weir/array.hpp"
#include "weir/channel.hpp"

namespace weir::tests {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// A folder of its own, on a file system of the disk's.
class ArrayFile : public testing::Test {
 protected:
  ArrayFile() {
    std::string made = (fs::temp_directory_path() / "weir-array-XXXXXX").string();
    folder_ = ::mkdtemp(made.data());
  }
  ~ArrayFile() override { fs::remove_all(folder_); }
  [[nodiscard]] fs::path path(const std::string& word = "it") const { return folder_ / word; }
  [[nodiscard]] static std::string content(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  template <class F>
  static std::string message_of(F f) {
    try {
      f();
    } catch (const error& e) {
      return e.what();
    }
    return "nothing was thrown";
  }
  /// Nothing is left of it but the file.
  void expect_no_segment(const fs::path& file) const {
    struct stat info {};
    ASSERT_EQ(::stat(file.c_str(), &info), 0);
    for (const std::string& name : shm::list_segments("@file.")) {
      std::ostringstream number;
      number << std::hex << '.' << info.st_ino;
      EXPECT_FALSE(name.ends_with(number.str())) << name;
    }
  }

  fs::path folder_;
};
using BadArrayFile = ArrayFile;
using Npy = ArrayFile;

TEST_F(ArrayFile, IsMadeZeroFilledForItsOwnerOnlyAndKeepsWhatIsWritten) {
  {
    const auto a = weir::array<std::int32_t, 2>::map_file(path(), {2, 3});
    EXPECT_EQ(fs::file_size(path()), 24U);
    EXPECT_EQ(fs::status(path()).permissions(), fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_THAT(a.span(), testing::Each(0));
    a(1, 2) = 0x01020304;
    EXPECT_EQ(content(path()).substr(20), "\4\3\2\1");  // at once, for who reads the file
  }
  expect_no_segment(path());
  EXPECT_EQ((weir::array<std::int32_t, 2>::map_file(path(), {2, 3})(1, 2)), 0x01020304);
}

TEST_F(ArrayFile, IsOneArrayForAllWhoMapIt) {
  const auto a = weir::array<int>::map_file(path(), 4);
  const auto b = weir::array<int>::map_file(path(), 4);
  EXPECT_EQ(a, b);
  const auto lock = a.lock();
  child other([&] {
    const auto c = weir::array<int>::map_file(path(), 4);
    c(1) = 5;
    return c.mutex().try_lock() ? 1 : 0;
  });
  EXPECT_EQ(other.wait(), 0);
  EXPECT_EQ(a(1), 5);
}

TEST_F(ArrayFile, TravelsAsAHandle) {
  weir::channel<weir::array<int>> ch(1);
  {
    const auto a = weir::array<int>::map_file(path(), 4);
    a(3) = 6;
    ch.put(a);
  }
  EXPECT_EQ(ch.take()(3), 6);
  expect_no_segment(path());
}

TEST_F(ArrayFile, MayBeLongerThanTheArrayAndKeepsTheRest) {
  std::ofstream(path()) << "0123456789abcdef";
  {
    const auto a = weir::array<char>::map_file(path(), 10);
    a(0) = 'X';
    a.resize_rows(4);
  }
  EXPECT_EQ(content(path()), "X123456789abcdef");
}

TEST_F(ArrayFile, IsResizedWithTheArray) {
  {
    const auto a = weir::array<char, 2>::map_file(path(), {2, 5000});
    a.fill('a');
    a.resize_rows(3);
    EXPECT_EQ(fs::file_size(path()), 15'000U);
    EXPECT_EQ(a(2, 4999), 0);
    a(2, 4999) = 'b';
    a.resize_rows(1);
    EXPECT_EQ(fs::file_size(path()), 5'000U);
    a.resize_rows(2);
    EXPECT_EQ(a(1, 0), 0);
  }
  EXPECT_EQ(content(path()), std::string(5000, 'a') + std::string(5000, '\0'));
}

TEST_F(BadArrayFile, IsTooShort) {
  std::ofstream(path()) << "123";
  EXPECT_THAT(message_of([&] { weir::array<int>::map_file(path(), 1); }),
              HasSubstr("too short: it has 3 bytes, the array needs 4"));
  EXPECT_EQ(content(path()), "123");
  EXPECT_THROW(weir::array<int>::map_file(path(), 1), invalid_argument);
}

TEST_F(BadArrayFile, IsNoOrdinaryFile) {
  EXPECT_THROW(weir::array<int>::map_file(folder_, 1), invalid_argument);
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  EXPECT_THAT(message_of([&] { weir::array<int>::map_file(path(), 1); }), HasSubstr("not an ordinary file"));
  EXPECT_THROW(weir::array<int>::map_file("/dev/null", 1), invalid_argument);
}

TEST_F(BadArrayFile, LiesInNoFolder) {
  EXPECT_THAT(message_of([&] { weir::array<int>::map_file(path("no") / "it", 1); }), HasSubstr("folder must exist"));
  EXPECT_THROW(weir::array<int>::map_file(path("no") / "it", 1), not_found);
}

TEST_F(BadArrayFile, IsReadOnly) {
  std::ofstream(path()) << "12345678";
  fs::permissions(path(), fs::perms::owner_read);
  child user([&] {
    constexpr int kNobody = 65534;
    if (::geteuid() == 0) {  // to whom nothing is read-only
      if (::chown(path().c_str(), kNobody, kNobody) != 0 || ::chmod(folder_.c_str(), 0755) != 0) return 2;
      if (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0) return 3;
    }
    try {
      weir::array<int>::map_file(path(), 1);
    } catch (const permission_denied& e) {
      return std::string(e.what()).find("readable and writable") != std::string::npos ? 0 : 4;
    }
    return 5;
  });
  EXPECT_EQ(user.wait(), 0);
}

TEST_F(BadArrayFile, IsMappedAlreadyAsSomethingElse) {
  const auto a = weir::array<int, 2>::map_file(path(), {2, 3});
  EXPECT_THROW(weir::array<float>::map_file(path(), 6), type_mismatch);
  EXPECT_THAT(message_of([&] { weir::array<int, 2>::map_file(path(), {3, 2}); }), HasSubstr("another shape"));
}

TEST_F(ArrayFile, OfProcessesThatWereKilledIsMappedAnew) {
  child victim([&] {
    const auto a = weir::array<int, 2>::map_file(path(), {2, 3});
    a(0, 0) = 9;
    const auto lock = a.lock();
    ::raise(SIGKILL);
    return 0;
  });
  victim.wait();
  {
    const auto a = weir::array<int>::map_file(path(), 6);
    EXPECT_EQ(a(0), 9);
    EXPECT_TRUE(a.mutex().try_lock());
    a.mutex().unlock();
  }
  expect_no_segment(path());
}

// ---- NumPy

TEST_F(Npy, IsWrittenAsNumpyWritesIt) {
  const weir::array<double, 2> a({2, 3});
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j) a(i, j) = 10 * i + j;
  a.write_npy(path());
  const std::string file = content(path());
  ASSERT_EQ(file.size(), 128 + 6 * sizeof(double));
  EXPECT_EQ(file.substr(0, 10), std::string("\x93NUMPY\x01\0\x76\0", 10));
  EXPECT_THAT(file.substr(10), testing::StartsWith("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), } "));
  EXPECT_EQ(file[127], '\n');
  double last = 0;
  std::memcpy(&last, file.data() + file.size() - sizeof last, sizeof last);
  EXPECT_EQ(last, 12);
}

TEST_F(Npy, IsMappedInPlaceInBothOrdersAndAnyRank) {
  {
    const weir::array<std::complex<float>, 3> a({2, 3, 4}, {.order = order::column_major});
    a(1, 2, 3) = {1, 2};
    a.write_npy(path());
    const auto b = weir::array<std::complex<float>, 3>::map_npy(path());
    EXPECT_EQ(b.order(), order::column_major);
    EXPECT_EQ(b.extents(), a.extents());
    EXPECT_EQ(b(1, 2, 3), (std::complex<float>{1, 2}));
    b(0, 0, 1) = 7;
    EXPECT_THROW(b.resize_rows(5), invalid_argument);
  }
  EXPECT_EQ((weir::array<std::complex<float>, 3>::map_npy(path())(0, 0, 1)), (std::complex<float>{7, 0}));
  weir::array<std::int16_t>(5).write_npy(path("one"));
  const auto one = weir::array<std::int16_t>::map_npy(path("one"));
  EXPECT_EQ(one.size(), 5U);
  EXPECT_THROW(one.resize_rows(6), invalid_argument);
}

TEST_F(Npy, OfAnotherTypeRankOrOfNoneIsRefused) {
  weir::array<double, 2>({2, 3}).write_npy(path());
  EXPECT_THAT(message_of([&] { weir::array<float, 2>::map_npy(path()); }), HasSubstr("'<f8' in 2 dimensions"));
  EXPECT_THROW((weir::array<float, 2>::map_npy(path())), type_mismatch);
  EXPECT_THROW(weir::array<double>::map_npy(path()), type_mismatch);
  EXPECT_THROW(weir::array<double>::map_npy(path("none")), not_found);
  std::ofstream(path("text")) << "this is no such file, though long enough";
  EXPECT_THROW(weir::array<double>::map_npy(path("text")), corrupt_segment);
  fs::resize_file(path(), 130);
  EXPECT_THROW((weir::array<double, 2>::map_npy(path())), invalid_argument);
  fs::resize_file(path(), 40);
  EXPECT_THROW((weir::array<double, 2>::map_npy(path())), corrupt_segment);
}

TEST_F(Npy, WithAHeaderThatLiesIsRefused) {
  for (const std::string shape :
       {"(2, ", "(2, x)", "2", "(99999999999999999999,)", "(18446744073709551615, 18446744073709551615)", "(0, 1)"}) {
    std::string header = "{'descr': '<f8', 'fortran_order': False, 'shape': " + shape;
    header.resize(117, ' ');
    std::ofstream(path(), std::ios::binary) << std::string("\x93NUMPY\x01\0\x76\0", 10) << header << '\n'
                                            << "some data";
    EXPECT_THROW((weir::array<double, 2>::map_npy(path())), error) << shape;
  }
}

TEST_F(Npy, TakesThePlaceOfAFileThatWasThere) {
  std::ofstream(path()) << "old";
  weir::array<char>(3).write_npy(path());
  EXPECT_EQ(weir::array<char>::map_npy(path()).size(), 3U);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
  EXPECT_THROW(weir::array<char>(3).write_npy(path("no") / "it"), not_found);
}

#ifdef WEIR_PYTHON_WITH_NUMPY
TEST_F(Npy, IsReadAndWrittenByNumpyItself) {
  weir::array<double, 2> a({3, 4}, {.order = order::column_major});
  a(2, 1) = 5.5;
  a.write_npy(path());
  const std::string script = WEIR_PYTHON_WITH_NUMPY " -c \"import numpy as n; a=n.load('" + path().string() +
                             "'); assert a.shape==(3,4) and a.flags.f_contiguous and a[2,1]==5.5; b=n.arange(6,dtype="
                             "'<i8').reshape(2,3); n.save('" +
                             path("b.npy").string() + "',b)\"";
  ASSERT_EQ(std::system(script.c_str()), 0);
  const auto b = weir::array<std::int64_t, 2>::map_npy(path("b.npy"));
  EXPECT_EQ(b(1, 2), 5);
}
#endif

}  // namespace
}  // namespace weir::tests
