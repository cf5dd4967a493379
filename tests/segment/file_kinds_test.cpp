// SPDX-License-Identifier: BSL-1.0
// Whatever lies at a segment's name is neither overwritten nor followed nor waited for, and the error says what it is.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <utility>

#include "inspect/segments.hpp"
#include "runtime/leftovers.hpp"
#include "segment/segment.hpp"
#include "support/child.hpp"
#include "support/small_memory.hpp"
#include "weir/channel.hpp"
#include "weir/error.hpp"

namespace weir::tests {
namespace {

using testing::HasSubstr;

constexpr uid_t kNobody = 65534;
constexpr const char* kName = "it";
constexpr const char* kPath = "/dev/shm/weir.it";
constexpr const char* kElsewhere = "/dev/shm/elsewhere";  // no name of weir's
constexpr const char* kText = "not yours";

void write_text(const std::string& path) { std::ofstream(path) << kText; }
std::string read_text(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct kind_of_file {
  const char* name;
  const char* said;  // when it is opened
  bool (*make)();
};

bool make_socket() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, kPath);
  const shm::unique_fd made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::bind(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

constexpr std::array kKinds{
    kind_of_file{"Text", "the file has 9 bytes", [] { return write_text(kPath), true; }},
    kind_of_file{"EmptyFile", "the file has 0 bytes", [] { return std::ofstream(kPath).good(); }},
    kind_of_file{"HardLink", "the file has 9 bytes",
                 [] { return write_text(kElsewhere), ::link(kElsewhere, kPath) == 0; }},
    kind_of_file{"SymbolicLink", "a symbolic link, which weir does not follow",
                 [] { return write_text(kElsewhere), ::symlink(kElsewhere, kPath) == 0; }},
    kind_of_file{"DanglingLink", "a symbolic link, which weir does not follow",
                 [] { return ::symlink(kElsewhere, kPath) == 0; }},
    kind_of_file{"LinkToItself", "a symbolic link, which weir does not follow",
                 [] { return ::symlink(kPath, kPath) == 0; }},
    kind_of_file{"Pipe", "not an ordinary file", [] { return ::mkfifo(kPath, 0600) == 0; }},
    kind_of_file{"Folder", "not an ordinary file", [] { return ::mkdir(kPath, 0700) == 0; }},
    kind_of_file{"Socket", "not an ordinary file", &make_socket},
    kind_of_file{"Device", "not an ordinary file",
                 [] { return ::mknod(kPath, S_IFCHR | 0600, ::makedev(1, 5)) == 0; }},  // /dev/zero
};

/// All of it that could be changed, but the time of the last access.
struct file_state {
  explicit file_state(const char* path) {
    struct stat info {};
    exists = ::lstat(path, &info) == 0;
    number = info.st_ino;
    mode = info.st_mode;
    links = info.st_nlink;
    bytes = info.st_size;
    changed = {info.st_ctim.tv_sec, info.st_ctim.tv_nsec};
    if (S_ISREG(info.st_mode)) text = read_text(path);
  }
  friend bool operator==(const file_state&, const file_state&) = default;
  bool exists;
  ino_t number;
  mode_t mode;
  nlink_t links;
  off_t bytes;
  std::pair<long, long> changed;
  std::string text;
};

template <class Error>
std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& e) {
    EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos) << "one line: " << e.what();
    return e.what();
  }
  return "no error";
}

class AtASegmentsName : public testing::TestWithParam<kind_of_file> {
 protected:
  /// In a shared memory of its own, which has nothing but this file.
  static void with_file(const std::function<void()>& run) {
    if (std::string(GetParam().name) == "Device" && ::geteuid() != 0) GTEST_SKIP() << "only root makes devices";
    with_memory_of("16m", [&] {
      ASSERT_TRUE(GetParam().make()) << std::strerror(errno);
      const file_state before(kPath);
      const file_state elsewhere(kElsewhere);
      run();
      EXPECT_TRUE(file_state(kElsewhere) == elsewhere);
      EXPECT_TRUE(file_state(kPath) == before);
    });
  }
};

TEST_P(AtASegmentsName, IsNotOverwrittenByACreator) {
  with_file([] {
    EXPECT_THAT(error_of<already_exists>([] { channel<int>::create(kName, 1); }), HasSubstr("the name is taken"));
  });
}

TEST_P(AtASegmentsName, IsNotOpened) {
  with_file([] {
    const auto open = [] { channel<int>::open(kName); };
    EXPECT_THAT(error_of<corrupt_segment>(open), HasSubstr(GetParam().said));
    EXPECT_THAT(error_of<corrupt_segment>([] { channel<int>::open_or_create(kName, 1); }), HasSubstr(GetParam().said));
  });
}

TEST_P(AtASegmentsName, IsReportedAndLeftAlone) {
  with_file([] {
    const inspect::segment_report report = inspect::look_at(kName);
    EXPECT_EQ(report.state, inspect::segment_state::corrupt);
    EXPECT_FALSE(report.why.empty());
    const auto swept = runtime::sweep({});
    ASSERT_EQ(swept.size(), 1U);
    EXPECT_EQ(swept.front().what, runtime::fate::undecided);
    EXPECT_THAT(swept.front().why, HasSubstr(GetParam().said));
  });
}

TEST_P(AtASegmentsName, IsRemovedItselfOrNotAtAll) {
  if (std::string(GetParam().name) == "Device" && ::geteuid() != 0) GTEST_SKIP() << "only root makes devices";
  with_memory_of("16m", [] {
    ASSERT_TRUE(GetParam().make());
    const std::string text = read_text(kElsewhere);
    if (std::string(GetParam().name) == "Folder") {
      EXPECT_THAT(error_of<error>([] { channel<int>::remove(kName); }), HasSubstr("irectory"));
      EXPECT_TRUE(file_state(kPath).exists);
    } else {
      EXPECT_NO_THROW(channel<int>::remove(kName));
      EXPECT_FALSE(file_state(kPath).exists);
    }
    EXPECT_EQ(read_text(kElsewhere), text);
  });
}

INSTANTIATE_TEST_SUITE_P(Lies, AtASegmentsName, testing::ValuesIn(kKinds),
                         [](const auto& given) { return std::string(given.param.name); });

// ---- a segment itself

TEST(ASegment, OfEveryKindIsForItsOwnerOnlyWhateverTheUmask) {
  with_memory_of("64m", [] {
    ::umask(0);
    const channel<int> unnamed(1);
    channel<int>::create("named", 1);
    ::umask(0777);
    const channel<int> another(1);
    EXPECT_EQ(shm::list_segments().size(), 3U);
    for (const std::string& name : shm::list_segments()) {
      EXPECT_EQ(file_state(("/dev/shm/weir." + name).c_str()).mode, S_IFREG | 0600U) << name;
    }
  });
}

TEST(ASegment, ReachedThroughASymbolicLinkInAnotherNameIsNotOpened) {
  with_memory_of("16m", [] {
    channel<int>::create("real", 1).put(1);
    ASSERT_EQ(::symlink("/dev/shm/weir.real", kPath), 0);
    EXPECT_THAT(error_of<corrupt_segment>([] { channel<int>::open(kName); }), HasSubstr("a symbolic link"));
    channel<int>::remove(kName);
    EXPECT_EQ(channel<int>::open("real").take(), 1);
  });
}

// ---- another user's. Only root can become one.

int as_nobody(const std::function<int()>& run) {
  child process([&] {
    if (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0) return 98;
    const int result = run();
    return testing::Test::HasFailure() ? 97 : result;
  });
  const int status = process.wait();
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST(ASegment, OfThisUserThatHeMayNotReadSaysSo) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become a user who is not root";
  with_memory_of("16m", [] {
    EXPECT_EQ(as_nobody([] {
                channel<int>::create(kName, 1);
                EXPECT_EQ(::chmod(kPath, 0), 0);
                const std::string said = error_of<permission_denied>([] { channel<int>::open(kName); });
                EXPECT_THAT(said, HasSubstr("ermission denied"));
                EXPECT_THAT(said, testing::Not(HasSubstr("belongs to user")));
                return 0;
              }),
              0);
  });
}

class AnotherUsersSegment : public testing::TestWithParam<mode_t> {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  }
  static void expect_refusal(const char* owner) {
    const std::string text = std::string("it belongs to user ") + owner;
    const file_state before(kPath);
    EXPECT_THAT(error_of<permission_denied>([] { channel<int>::open(kName); }), HasSubstr(text));
    EXPECT_THAT(error_of<permission_denied>([] { channel<int>::open_or_create(kName, 1); }), HasSubstr(text));
    EXPECT_THAT(error_of<permission_denied>([] { channel<int>::remove(kName); }), HasSubstr(text));
    EXPECT_THAT(error_of<already_exists>([] { channel<int>::create(kName, 1); }), HasSubstr("the name is taken"));
    const auto swept = runtime::sweep({});
    ASSERT_FALSE(swept.empty());
    for (const auto& each : swept) {
      EXPECT_EQ(each.what, runtime::fate::undecided);
      EXPECT_THAT(each.why, HasSubstr(text));
      EXPECT_FALSE(each.is_problem);
    }
    const file_state after(kPath);
    EXPECT_EQ(after.number, before.number);
    EXPECT_EQ(after.changed, before.changed);
  }
  /// A named channel, and leftovers for a sweep.
  static int leave(mode_t mode) {
    channel<int>::create(kName, 1);
    child victim([] {
      const channel<int> made(1);
      ::raise(SIGKILL);
      return 0;
    });
    victim.wait();
    for (const std::string& name : shm::list_segments()) {
      EXPECT_EQ(::chmod(("/dev/shm/weir." + name).c_str(), mode), 0);
    }
    return 0;
  }
};

TEST_P(AnotherUsersSegment, IsRefusedToRoot) {
  with_memory_of("16m", [] {
    ASSERT_EQ(as_nobody([] { return leave(GetParam()); }), 0);
    expect_refusal("65534");
    EXPECT_EQ(shm::list_segments().size(), 2U);
  });
}

TEST_P(AnotherUsersSegment, OfRootIsRefused) {
  with_memory_of("16m", [] {
    leave(GetParam());
    EXPECT_EQ(as_nobody([] { return expect_refusal("0"), 0; }), 0);
    EXPECT_EQ(shm::list_segments().size(), 2U);
  });
}

INSTANTIATE_TEST_SUITE_P(Mode, AnotherUsersSegment, testing::Values(mode_t{0600}, mode_t{0666}),
                         [](const auto& given) { return given.param == 0600 ? "Private" : "OpenToAll"; });

TEST(AnotherUsersLink, ToASegmentOfOursIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  with_memory_of("16m", [] {
    channel<int>::create("real", 1).put(1);
    ASSERT_EQ(as_nobody([] { return ::symlink("/dev/shm/weir.real", kPath); }), 0);
    EXPECT_THAT(error_of<permission_denied>([] { channel<int>::open(kName); }), HasSubstr("it belongs to user 65534"));
    EXPECT_THROW(channel<int>::remove(kName), permission_denied);
    EXPECT_EQ(channel<int>::open("real").take(), 1);
  });
}

}  // namespace
}  // namespace weir::tests
