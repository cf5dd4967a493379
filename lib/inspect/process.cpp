// SPDX-License-Identifier: BSL-1.0
#include "inspect/process.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "segment/segment.hpp"

namespace weir::inspect {

std::string read_text_file(const std::string& path, std::size_t most) {
  constexpr std::size_t kAtOnce = 4096;
  std::string text;
  const shm::unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  while (fd && text.size() < most) {
    const std::size_t have = text.size();
    text.resize(have + kAtOnce);
    const ssize_t got = ::read(fd.get(), text.data() + have, kAtOnce);
    text.resize(have + static_cast<std::size_t>(got > 0 ? got : 0));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
  }
  return text;
}

std::optional<process_usage> usage_of(std::int32_t pid) {
  constexpr int kState = 3;  // proc(5) counts the fields from 1
  constexpr int kUserTime = 14;
  constexpr int kSystemTime = 15;
  constexpr int kResidentPages = 24;
  constexpr std::int64_t kSecond = 1'000'000'000;
  const std::string text = read_text_file(fmt::format("/proc/{}/stat", pid));
  const std::size_t name_ends = text.rfind(')');  // the name may hold anything
  if (name_ends == std::string::npos) return std::nullopt;
  process_usage out;
  std::int64_t ticks = 0;
  const char* at = text.c_str() + name_ends + 1;
  for (int field = kState; field <= kResidentPages; ++field) {
    while (*at == ' ') ++at;
    if (*at == '\0') return std::nullopt;
    if (field == kState) out.state = *at;
    if (field == kUserTime || field == kSystemTime) ticks += std::strtoll(at, nullptr, 10);
    if (field == kResidentPages) {
      out.resident_bytes = std::strtoull(at, nullptr, 10) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    }
    while (*at != ' ' && *at != '\0') ++at;
  }
  out.cpu_ns = ticks * (kSecond / ::sysconf(_SC_CLK_TCK));
  return out;
}

std::optional<std::vector<std::int32_t>> threads_of(std::int32_t pid) {
  struct closer {
    void operator()(DIR* folder) const noexcept { ::closedir(folder); }
  };
  const std::unique_ptr<DIR, closer> folder(::opendir(fmt::format("/proc/{}/task", pid).c_str()));
  if (!folder) return std::nullopt;
  std::vector<std::int32_t> threads;
  while (const dirent* entry = ::readdir(folder.get())) {
    if (const long number = std::strtol(entry->d_name, nullptr, 10); number > 0) {
      threads.push_back(static_cast<std::int32_t>(number));
    }
  }
  return threads;
}

}  // namespace weir::inspect
