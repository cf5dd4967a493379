// SPDX-License-Identifier: BSL-1.0
#include "segment/segment.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "segment/names.hpp"
#include "segment/space.hpp"
#include "support/names.hpp"
#include "weir/error.hpp"

namespace weir::tests {
namespace {

using shm::object_kind;
using shm::segment;

constexpr std::size_t kBytes = 16 * shm::kPage;

class Segment : public NamedSegments {
 protected:
  [[nodiscard]] segment make(const std::string& word = "it") const {
    shm::segment_spec spec;
    spec.name = name(word);
    spec.named = true;
    spec.type.name = "int";
    spec.type.hash = 5;
    return segment::create("make", spec, kBytes, shm::kPage, [](segment&) {});
  }
  [[nodiscard]] segment open(const std::string& word = "it") const {
    return segment::open("open", name(word), object_kind::blob);
  }

  /// Writes over the bytes of a segment from outside, as a fault would.
  void overwrite(std::size_t offset, std::span<const std::byte> bytes) const {
    const int fd = ::open(path().c_str(), O_WRONLY);
    ASSERT_GE(fd, 0);
    EXPECT_EQ(::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset)), static_cast<ssize_t>(bytes.size()));
    ::close(fd);
  }
  template <class T>
  void overwrite(std::size_t offset, const T& value) const {
    overwrite(offset, std::as_bytes(std::span(&value, 1)));
  }
  template <class Error>
  void expect_open_to_throw(const std::string& text) const {
    try {
      (void)open();
      FAIL() << "opened";
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(text), std::string::npos) << e.what();
      EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos) << "one line: " << e.what();
    }
  }
};

TEST_F(Segment, IsFoundByNameAndSharesItsBytes) {
  const segment first = make();
  const segment second = open();
  first.base()[100] = std::byte{42};
  EXPECT_EQ(second.base()[100], std::byte{42});
  EXPECT_EQ(second.bytes(), kBytes);
  EXPECT_EQ(second.header().creator, shm::this_process());
}

TEST_F(Segment, IsReadableByItsOwnerOnlyWhateverTheUmask) {
  const mode_t before = ::umask(0777);
  const segment made = make();
  ::umask(before);
  struct stat info {};
  ASSERT_EQ(::stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0600U);
}

TEST_F(Segment, TakesMemoryOnlyForWhatIsReserved) {
  const segment made = make();
  struct stat info {};
  ASSERT_EQ(::stat(path().c_str(), &info), 0);
  EXPECT_EQ(static_cast<std::size_t>(info.st_blocks) * 512, shm::kPage);
}

TEST_F(Segment, RefusesANameThatIsTaken) {
  const segment made = make();
  EXPECT_THROW((void)make(), already_exists);
}

TEST_F(Segment, OfManyCreatorsOfANameExactlyOneSucceeds) {
  std::atomic<int> made = 0;
  std::atomic<int> refused = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      try {
        const segment mine = make();
        ++made;
      } catch (const already_exists&) {
        ++refused;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(made, 1);
  EXPECT_EQ(refused, 7);
}

TEST_F(Segment, ThatDoesNotExistIsNotFound) { expect_open_to_throw<not_found>("nothing has that name"); }

TEST_F(Segment, OfZeroBytesIsCorrupt) {
  std::ofstream(path()).flush();
  expect_open_to_throw<corrupt_segment>("fewer than a header's");
}

TEST_F(Segment, ThatWasTruncatedIsCorrupt) {
  { const segment made = make(); }
  ASSERT_EQ(::truncate(path().c_str(), static_cast<off_t>(kBytes / 2)), 0);
  expect_open_to_throw<corrupt_segment>("its header says");
}

TEST_F(Segment, ThatWasZeroedIsCorrupt) {
  { const segment made = make(); }
  overwrite(0, std::array<std::byte, sizeof(shm::segment_header)>{});
  expect_open_to_throw<corrupt_segment>("the segment is empty");
}

TEST_F(Segment, WithAnotherMagicIsNotOneOfWeirs) {
  { const segment made = make(); }
  overwrite(0, std::uint64_t{0x1122334455667788});
  expect_open_to_throw<corrupt_segment>("not a weir segment");
}

TEST_F(Segment, OfAnotherLayoutSaysBothNumbers) {
  { const segment made = make(); }
  overwrite(offsetof(shm::segment_header, layout), shm::kLayout + 2);
  expect_open_to_throw<layout_mismatch>(
      fmt::format("has layout {}, this build reads {}", shm::kLayout + 2, shm::kLayout));
}

TEST_F(Segment, OfAnotherKindSaysBothKinds) {
  { const segment made = make(); }
  overwrite(offsetof(shm::segment_header, kind), std::uint32_t{1});
  expect_open_to_throw<type_mismatch>("it is a channel, not a large message");
}

TEST_F(Segment, WithLengthsOutOfRangeIsCorrupt) {
  { const segment made = make(); }
  overwrite(offsetof(shm::segment_header, name_bytes), std::uint32_t{0xfffffff0});
  expect_open_to_throw<corrupt_segment>("lengths are out of range");
}

TEST_F(Segment, UnderAnotherNameThanItsOwnIsCorrupt) {
  const segment made = make("other");
  ASSERT_EQ(::link(path("other").c_str(), path().c_str()), 0);
  expect_open_to_throw<corrupt_segment>("its header says it is");
}

TEST_F(Segment, IsNeverReachedThroughASymbolicLink) {
  const segment made = make("other");
  ASSERT_EQ(::symlink(path("other").c_str(), path().c_str()), 0);
  expect_open_to_throw<corrupt_segment>("a symbolic link");
}

TEST_F(Segment, IsNotADirectoryOrAPipe) {
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  expect_open_to_throw<corrupt_segment>("not an ordinary file");
}

TEST_F(Segment, StaysUsableAfterItsNameIsRemoved) {
  const segment made = make();
  segment::remove("remove", name());
  made.base()[8] = std::byte{1};
  expect_open_to_throw<not_found>("nothing has that name");
  EXPECT_THROW(segment::remove("remove", name()), not_found);
}

TEST_F(Segment, DoesNotRemoveAnotherThatHasTakenItsName) {
  segment old = make();
  segment::remove("remove", name());
  const segment young = make();
  old.remove_own_name();
  EXPECT_NO_THROW((void)open());
}

TEST_F(Segment, ReservesMemoryAndGivesItBack) {
  segment made = make();
  const auto blocks = [&] {
    struct stat info {};
    EXPECT_EQ(::stat(path().c_str(), &info), 0);
    return static_cast<std::size_t>(info.st_blocks) * 512 / shm::kPage;
  };
  made.reserve("reserve", 4 * shm::kPage, 8 * shm::kPage);
  EXPECT_EQ(blocks(), 9U);
  made.give_back(4 * shm::kPage + 1, 8 * shm::kPage);  // whole pages inside only
  EXPECT_EQ(blocks(), 2U);
}

TEST(Space, ReservedBeyondAllMemorySaysHowMuchIsFree) {
  const shm::unique_fd file(::open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  ASSERT_TRUE(file);
  constexpr std::size_t kFarTooMuch = std::size_t{1} << 42U;
  ASSERT_EQ(::ftruncate(file.get(), static_cast<off_t>(kFarTooMuch)), 0);
  try {
    shm::reserve_file_space(file.get(), "put into channel \"x\"", 0, kFarTooMuch);
    FAIL() << "reserved four tebibytes";
  } catch (const no_space& e) {
    EXPECT_NE(std::string(e.what()).find("put into channel \"x\": "), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("4.0 TiB asked"), std::string::npos) << e.what();
  }
  struct stat info {};
  ASSERT_EQ(::fstat(file.get(), &info), 0);
  EXPECT_EQ(info.st_blocks, 0);
}

TEST(Names, AreOneWordOfAtMost200Characters) {
  EXPECT_NO_THROW(shm::check_user_name("create", "jobs"));
  EXPECT_NO_THROW(shm::check_user_name("create", std::string(200, 'x')));
  for (const std::string& bad : {std::string(), std::string("a/b"), std::string(201, 'x'), std::string("@x"),
                                 std::string("a\nb"), std::string("a\0b", 3)}) {
    EXPECT_THROW(shm::check_user_name("create", bad), invalid_argument) << bad;
  }
}

TEST(Sizes, ReadAsPeopleWriteThem) {
  EXPECT_EQ(shm::readable(0), "0 B");
  EXPECT_EQ(shm::readable(1023), "1023 B");
  EXPECT_EQ(shm::readable(1536), "1.5 KiB");
  EXPECT_EQ(shm::readable(std::size_t{8} << 20U), "8.0 MiB");
}

}  // namespace
}  // namespace weir::tests
