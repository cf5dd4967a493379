// SPDX-License-Identifier: BSL-1.0

// The parent waits in vfork() until the child executes: starting costs no copy of the page tables, and needs no second
// pipe for errors. Boost.Process guards this by a test for old systems that glibc's headers no longer pass.
#define BOOST_POSIX_HAS_VFORK 1

#include "runtime/spawn.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/process/child.hpp>
#include <boost/process/exception.hpp>
#include <boost/process/exe.hpp>
#include <boost/process/extend.hpp>
#include <boost/process/io.hpp>
#include <boost/process/posix.hpp>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>
#include <vector>

#include "segment/names.hpp"
#include "weir/error.hpp"

namespace weir::runtime {
namespace {

namespace bp = boost::process;

[[noreturn]] void cannot_start(process_id id, const std::string& why) {
  throw worker_died(fmt::format("weir: start worker {}: {}", id, why), id, {});
}

/// This process's arguments, as it was given them.
std::vector<std::string> own_arguments(process_id id) {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(file), {}};
  if (all.empty()) cannot_start(id, "cannot read /proc/self/cmdline (is /proc mounted?)");
  std::vector<std::string> arguments;
  for (std::size_t begin = 0; begin < all.size();) {
    const std::size_t end = std::min(all.find('\0', begin), all.size());
    arguments.push_back(all.substr(begin, end - begin));
    begin = end + 1;
  }
  return arguments;
}

std::vector<std::string> worker_environment(process_id id, const std::map<std::string, std::string>& extra,
                                            const shm::unique_fd& output_watch) {
  const auto name_of = [](std::string_view line) { return line.substr(0, line.find('=')); };
  std::vector<std::string> lines;
  for (char** line = ::environ; line != nullptr && *line != nullptr; ++line) {
    const std::string name(name_of(*line));
    if (name != kWorkerVariable && !extra.contains(name)) lines.emplace_back(*line);
  }
  for (const auto& [name, value] : extra) lines.push_back(fmt::format("{}={}", name, value));
  std::string who = fmt::format("{}={}:{}", kWorkerVariable, shm::realm(), id);
  if (output_watch) who += fmt::format(":{}", output_watch.get());
  lines.push_back(std::move(who));
  return lines;
}

std::vector<char*> pointers_to(std::vector<std::string>& lines) {
  std::vector<char*> pointers;
  pointers.reserve(lines.size() + 1);
  for (std::string& line : lines) pointers.push_back(line.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// A pipe none of whose ends is among the first three descriptors, even if the program has closed those.
struct pipe_ends {
  shm::unique_fd read;
  shm::unique_fd write;

  explicit pipe_ends(process_id id) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) cannot_start(id, std::generic_category().message(errno));
    read = above_standard(id, shm::unique_fd(ends[0]));
    write = above_standard(id, shm::unique_fd(ends[1]));
    // Only this end: the worker's own writes wait for room, as a program expects.
    ::fcntl(read.get(), F_SETFL, O_NONBLOCK);
  }

  static shm::unique_fd above_standard(process_id id, shm::unique_fd fd) {
    if (fd.get() > STDERR_FILENO) return fd;
    shm::unique_fd moved(::fcntl(fd.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    if (!moved) cannot_start(id, std::generic_category().message(errno));
    return moved;
  }
};

/// Tells whether any of the pipes has something in it. It holds none of the ends: they close as if it were not there.
/// Nothing if the system gives none: then the worker finds out in another way.
shm::unique_fd watch_for_input(process_id id, const pipe_ends& out, const pipe_ends& err) {
  shm::unique_fd made(::epoll_create1(EPOLL_CLOEXEC));
  if (!made) return made;
  shm::unique_fd watch = pipe_ends::above_standard(id, std::move(made));
  for (const pipe_ends* pipe : {&out, &err}) {
    epoll_event event{};
    event.events = EPOLLIN;
    if (::epoll_ctl(watch.get(), EPOLL_CTL_ADD, pipe->read.get(), &event) != 0) return {};
  }
  return watch;
}

}  // namespace

started_process start_worker(process_id id, const std::map<std::string, std::string>& extra) {
  std::vector<std::string> arguments = own_arguments(id);
  pipe_ends out(id);
  pipe_ends err(id);
  shm::unique_fd output_watch = watch_for_input(id, out, err);
  std::vector<std::string> environment = worker_environment(id, extra, output_watch);
  const std::vector<char*> argument_pointers = pointers_to(arguments);
  std::vector<char*> environment_pointers = pointers_to(environment);
  const shm::unique_fd null = pipe_ends::above_standard(id, shm::unique_fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)));

  started_process started;
  try {
    bp::child child(
        bp::exe = "/proc/self/exe", bp::posix::fd.bind(STDIN_FILENO, null.get()),
        bp::posix::fd.bind(STDOUT_FILENO, out.write.get()), bp::posix::fd.bind(STDERR_FILENO, err.write.get()),
        bp::posix::use_vfork, bp::extend::on_exec_setup = [&](auto& executor) {
          ::setpgid(0, 0);
          if (output_watch) ::fcntl(output_watch.get(), F_SETFD, 0);  // the child's only, which is executed with it
          executor.cmd_line = argument_pointers.data();               // its own would begin with /proc/self/exe
          executor.env = environment_pointers.data();
        });
    started.pid = child.id();
    child.detach();  // watched through its pidfd from here on
    output_watch.reset();
  } catch (const bp::process_error& e) {
    cannot_start(id, e.code().message());
  }
  // Nobody has waited for it yet, so the pid is still its own, even if it has ended.
  started.pidfd = shm::unique_fd(static_cast<int>(::syscall(SYS_pidfd_open, started.pid, 0)));
  if (!started.pidfd) {
    const int error = errno;
    if (error != ESRCH) ::kill(started.pid, SIGKILL);  // else it is not ours any more: the program ignores SIGCHLD
    cannot_start(id, fmt::format("pidfd_open: {}", std::generic_category().message(error)));
  }
  started.output[0] = std::move(out.read);
  started.output[1] = std::move(err.read);
  return started;
}

}  // namespace weir::runtime
