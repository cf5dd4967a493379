// SPDX-License-Identifier: BSL-1.0
#include "support/daemon.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <system_error>

#include "support/contender.hpp"

namespace bench {
namespace {

[[noreturn]] void become(const std::vector<std::string>& command, int output, pid_t parent) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& each : command) arguments.push_back(const_cast<char*>(each.c_str()));
  arguments.push_back(nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) std::_Exit(1);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::execvp(arguments.front(), arguments.data());
  constexpr int kNotFound = 127;
  std::_Exit(kNotFound);
}

}  // namespace

daemon::daemon(const std::vector<std::string>& command, const std::string& ready) {
  std::array<int, 2> ends{};
  const pid_t self = ::getpid();
  if (::pipe2(ends.data(), O_CLOEXEC) != 0 || (child_ = ::fork()) < 0) {
    throw std::system_error(errno, std::generic_category(), "fork");
  }
  if (child_ == 0) become(command, ends[1], self);
  ::close(ends[1]);
  output_ = ends[0];
  std::string printed;
  std::array<char, 512> some{};
  while (printed.find(ready) == std::string::npos) {
    const ssize_t got = ::read(output_, some.data(), some.size());
    if (got < 0 && errno == EINTR) continue;
    if (got > 0) {
      printed.append(some.data(), static_cast<std::size_t>(got));
      continue;
    }
    ::waitpid(child_, nullptr, 0);
    ::close(output_);
    if (printed.empty()) throw not_available(command.front() + " is not installed");
    throw std::runtime_error(command.front() + ": " + printed);
  }
}

daemon::~daemon() {
  ::kill(child_, SIGTERM);
  while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
  }
  ::close(output_);
}

}  // namespace bench
