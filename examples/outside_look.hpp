// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "weir/weir.hpp"

/// Runs `command ls` and waits for it.
inline void run_weir_ls(const std::string& command) {
  std::printf("$ weir ls\n");
  std::fflush(stdout);
  std::string program = command, verb = "ls";
  char* arguments[] = {program.data(), verb.data(), nullptr};
  pid_t child = 0;
  if (const int error = posix_spawnp(&child, program.c_str(), nullptr, nullptr, arguments, environ); error != 0) {
    throw std::system_error(error, std::generic_category(), "cannot run " + command);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "cannot wait for " + command);
  }
  constexpr int kCannotRun = 127;
  if (!WIFEXITED(status) || WEXITSTATUS(status) == kCannotRun) throw std::runtime_error("cannot run " + command);
  std::printf("\n");
}

/// Shows the session from outside, once, in the middle of the work. Words are counted faster than a program starts, so
/// the workers are asked to wait, and the look is taken when the channel has filled up.
class outside_look {
 public:
  outside_look(std::string command, std::size_t workers, weir::channel<std::string> pieces, weir::channel<bool> go_on)
      : command_(std::move(command)), workers_(workers), pieces_(std::move(pieces)), go_on_(std::move(go_on)) {}

  void half_is_done() {
    if (command_.empty() || workers_wait_) return;
    workers_wait_ = true;
    for (std::size_t i = 0; i < workers_; ++i) pieces_.put(std::string());
  }
  void piece_was_put() {
    if (workers_wait_ && pieces_.is_full()) take();
  }
  void all_is_read() {
    half_is_done();
    take();
  }
  [[nodiscard]] std::chrono::steady_clock::duration took() const noexcept { return took_; }

 private:
  void take() {
    if (command_.empty() || std::exchange(taken_, true)) return;
    const auto start = std::chrono::steady_clock::now();
    try {
      run_weir_ls(command_);
    } catch (const std::exception&) {
      go_on_.put(true);
      throw;
    }
    took_ = std::chrono::steady_clock::now() - start;
    go_on_.put(true);  // stays inside: the workers only fetch it
  }

  std::string command_;
  std::size_t workers_;
  weir::channel<std::string> pieces_;
  weir::channel<bool> go_on_;
  bool workers_wait_ = false;
  bool taken_ = false;
  std::chrono::steady_clock::duration took_{};
};
