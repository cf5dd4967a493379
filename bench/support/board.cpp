// SPDX-License-Identifier: BSL-1.0
#include "support/board.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <new>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace bench {
namespace {

[[noreturn]] void throw_errno(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

void* map(int descriptor, std::size_t bytes) {
  void* const address = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, descriptor, 0);
  if (address == MAP_FAILED) throw_errno("mmap");
  return address;
}

}  // namespace

board::board(const bench::plan& plan, std::size_t members, std::size_t queues)
    : descriptor_(::memfd_create("bench", MFD_CLOEXEC)) {
  if (descriptor_ < 0 || ::ftruncate(descriptor_, sizeof(contents)) != 0) throw_errno("memfd_create");
  shared_ = static_cast<contents*>(map(descriptor_, sizeof(contents)));
  // The rest is zero, which is how all of it begins.
  shared_->plan = plan;
  shared_->members = members;
  shared_->queues = queues;
}

board::board(const std::string& path) : descriptor_(::open(path.c_str(), O_RDWR | O_CLOEXEC)) {
  if (descriptor_ < 0) throw_errno(path.c_str());
  shared_ = static_cast<contents*>(map(descriptor_, sizeof(contents)));
}

board::~board() {
  ::munmap(shared_, sizeof(contents));
  ::close(descriptor_);
}

std::string board::path() const { return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(descriptor_); }

void board::arrive(std::size_t stage) {
  auto& arrived = shared_->arrived.at(stage);
  ++arrived;
  while (arrived.load() < shared_->members) {
    if (shared_->failed != 0) throw std::runtime_error("another process has failed");
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
}

void board::fail(std::string_view text) noexcept {
  std::uint32_t none = 0;
  if (!shared_->failed.compare_exchange_strong(none, 1)) return;
  text.copy(shared_->failure.data(), shared_->failure.size() - 1);
  shared_->failed = 2;
}

std::string board::failure() const { return shared_->failure.data(); }

}  // namespace bench
