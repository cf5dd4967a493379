// SPDX-License-Identifier: BSL-1.0
#include "tools/run_command.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <sstream>
#include <thread>

#include "segment/segment.hpp"

namespace weir::tests {
namespace {

struct two_ends {
  shm::unique_fd ours;
  shm::unique_fd theirs;
};

two_ends make_pipe() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  return {shm::unique_fd(ends[0]), shm::unique_fd(ends[1])};
}

two_ends make_terminal(unsigned short columns = 0) {
  two_ends made{shm::unique_fd(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)), {}};
  EXPECT_EQ(::grantpt(made.ours.get()), 0);
  EXPECT_EQ(::unlockpt(made.ours.get()), 0);
  made.theirs = shm::unique_fd(::open(::ptsname(made.ours.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
  EXPECT_TRUE(made.theirs);
  const winsize size{.ws_row = 24, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
  EXPECT_EQ(::ioctl(made.theirs.get(), TIOCSWINSZ, &size), 0);
  return made;
}

std::string read_to_the_end(int fd) {
  std::string all;
  std::array<char, 4096> part{};
  for (;;) {
    const ssize_t got = ::read(fd, part.data(), part.size());  // a terminal's end is an error
    if (got <= 0) return all;
    all.append(part.data(), static_cast<std::size_t>(got));
  }
}

/// A mount namespace with nothing in /dev/shm. False: this user may not make one.
bool empty_the_memory() {
  if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
  return ::mount("tmpfs", "/dev/shm", "tmpfs", 0, "mode=1777") == 0;
}

}  // namespace

command_result run_weir(const std::vector<std::string>& arguments, const command_setting& setting) {
  std::vector<std::string> words{WEIR_COMMAND};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return run_program(words, setting);
}

command_result run_program(const std::vector<std::string>& given, const command_setting& setting) {
  two_ends out = setting.on_a_terminal ? make_terminal(setting.columns) : make_pipe();
  two_ends err = make_pipe();
  two_ends emptied = make_pipe();
  two_ends in;
  if (setting.typed.empty()) {
    in.theirs = shm::unique_fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  } else {
    in = make_terminal(0);
    EXPECT_EQ(::write(in.ours.get(), setting.typed.data(), setting.typed.size()),
              static_cast<ssize_t>(setting.typed.size()));
  }
  std::vector<std::string> words = given;
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  const pid_t pid = ::fork();
  if (pid == 0) {
    if (setting.in_empty_memory && empty_the_memory()) (void)!::write(emptied.theirs.get(), "x", 1);
    ::dup2(in.theirs.get(), STDIN_FILENO);
    ::dup2(out.theirs.get(), STDOUT_FILENO);
    ::dup2(err.theirs.get(), STDERR_FILENO);
    ::setenv("TERM", "xterm", 1);
    if (setting.no_color) {
      ::setenv("NO_COLOR", "1", 1);
    } else {
      ::unsetenv("NO_COLOR");
    }
    ::execv(argv.front(), argv.data());
    ::_exit(126);
  }
  in.theirs.reset();
  out.theirs.reset();
  err.theirs.reset();
  emptied.theirs.reset();
  command_result result;
  std::thread reader([&] { result.err = read_to_the_end(err.ours.get()); });
  result.out = read_to_the_end(out.ours.get());
  reader.join();
  if (setting.has_empty_memory != nullptr) *setting.has_empty_memory = read_to_the_end(emptied.ours.get()) == "x";
  int status = 0;
  ::waitpid(pid, &status, 0);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.ends_with('\r')) line.pop_back();
    lines.push_back(line);
  }
  return lines;
}

}  // namespace weir::tests
