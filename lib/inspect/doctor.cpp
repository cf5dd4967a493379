// SPDX-License-Identifier: BSL-1.0
#include "inspect/doctor.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>

#include "inspect/segments.hpp"
#include "segment/names.hpp"
#include "segment/space.hpp"

namespace weir::inspect {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;
constexpr std::uint64_t kGiB = std::uint64_t{1} << 30U;
constexpr std::uint64_t kDockersDefault = 64 * kMiB;

bool has_option(const std::string& options, const std::string& word) {
  return (',' + options + ',').find(',' + word + ',') != std::string::npos;
}

void judge_space(const memory_facts& facts, std::vector<finding>& out) {
  finding space{
      "memory",
      severity::ok,
      fmt::format("/dev/shm has {}, {} free", shm::readable(facts.total_bytes), shm::readable(facts.free_bytes)),
      {}};
  const bool is_dockers = facts.total_bytes == kDockersDefault;
  if (is_dockers) space.found += ": Docker's default, which is little";
  if (is_dockers || facts.total_bytes < kDockersDefault * 2) {
    space.level = severity::warning;
    space.mend = is_dockers ? "docker run --shm-size=2g … (in compose: shm_size: 2gb; in Kubernetes: an emptyDir with "
                              "medium: Memory at /dev/shm)"
                            : "mount -o remount,size=50% /dev/shm";
  }
  if (facts.free_bytes < 8 * kMiB || facts.free_bytes < facts.total_bytes / 50) {
    space.level = severity::problem;
    space.found += ": it is all but full";
    if (space.mend.empty()) space.mend = "weir gc; weir ls (what takes how much); mount -o remount,size=75% /dev/shm";
  }
  out.push_back(std::move(space));
}

void judge_mount(const memory_facts& facts, std::vector<finding>& out) {
  finding mount{"mount", severity::ok, fmt::format("/dev/shm is mounted {}", facts.options), {}};
  if (facts.options.empty()) mount.found = "how /dev/shm is mounted is not known";
  if (!facts.is_tmpfs) {
    mount.level = severity::warning;
    mount.found += "; it is no tmpfs: segments may be written to a disk";
    mount.mend = "mount -t tmpfs -o size=50% tmpfs /dev/shm";
  }
  if (has_option(facts.options, "ro")) {
    mount.level = severity::problem;
    mount.found += ": no segment can be made";
    mount.mend = "mount -o remount,rw /dev/shm";
  }
  out.push_back(std::move(mount));
  if (facts.inodes == 0) return;
  finding inodes{"inodes", severity::ok, fmt::format("{} of {} inodes are free", facts.free_inodes, facts.inodes), {}};
  if (facts.free_inodes < 1000) {
    inodes.level = severity::problem;
    inodes.mend = "weir gc; mount -o remount,nr_inodes=1m /dev/shm";
  }
  out.push_back(std::move(inodes));
}

void judge_cgroup(const memory_facts& facts, std::vector<finding>& out) {
  if (facts.cgroup_limit_bytes == 0) {
    out.push_back({"cgroup", severity::ok, "no memory limit of a control group is seen", {}});
    return;
  }
  const std::uint64_t left = facts.cgroup_limit_bytes - std::min(facts.cgroup_used_bytes, facts.cgroup_limit_bytes);
  finding cgroup{"cgroup",
                 severity::ok,
                 fmt::format("the control group may use {}, {} left; segments count",
                             shm::readable(facts.cgroup_limit_bytes), shm::readable(left)),
                 {}};
  if (left < facts.free_bytes) {
    cgroup.level = left < 64 * kMiB ? severity::problem : severity::warning;
    cgroup.found += ": less than /dev/shm promises, so that processes are killed instead of being told no_space";
    cgroup.mend = fmt::format("mount -o remount,size={}m /dev/shm, or a higher limit (docker run -m …; memory.max)",
                              std::max<std::uint64_t>(facts.cgroup_limit_bytes / 2 / kMiB, 1));
  }
  out.push_back(std::move(cgroup));
}

}  // namespace

const char* text_of(severity level) noexcept {
  switch (level) {
    case severity::ok: return "ok";
    case severity::warning: return "warning";
    case severity::problem: return "problem";
  }
  return "?";
}

std::string mount_options_in(std::string_view mountinfo, std::string_view path) {
  std::string found;
  while (!mountinfo.empty()) {
    const std::size_t end = std::min(mountinfo.find('\n'), mountinfo.size());
    std::string_view line = mountinfo.substr(0, end);
    mountinfo.remove_prefix(std::min(end + 1, mountinfo.size()));
    std::vector<std::string_view> words;  // proc(5): id parent device root point options … - type source options
    while (!line.empty()) {
      const std::size_t space = std::min(line.find(' '), line.size());
      words.push_back(line.substr(0, space));
      line.remove_prefix(std::min(space + 1, line.size()));
    }
    constexpr std::size_t kPoint = 4;
    constexpr std::size_t kOptions = 5;
    if (words.size() <= kOptions || words[kPoint] != path) continue;
    found = words[kOptions];
    const auto dash = std::find(words.begin() + kOptions, words.end(), "-");
    if (words.end() - dash > 3) found += fmt::format(",{}", *(dash + 3));
  }
  return found;  // the last one lies on top
}

std::vector<finding> judge_memory(const memory_facts& facts) {
  std::vector<finding> out;
  if (!facts.is_there) {
    out.push_back({"memory", severity::problem, "there is no /dev/shm",
                   "mkdir -p /dev/shm && mount -t tmpfs -o mode=1777,size=50% tmpfs /dev/shm"});
    return out;
  }
  judge_space(facts, out);
  judge_mount(facts, out);
  judge_cgroup(facts, out);
  return out;
}

std::vector<finding> judge_limits(const limit_facts& facts) {
  std::vector<finding> out;
  const auto text = [](const std::optional<std::uint64_t>& limit) {
    return limit ? std::to_string(*limit) : std::string("no limit");
  };
  const auto bytes = [](const std::optional<std::uint64_t>& limit) {
    return limit ? shm::readable(*limit) : std::string("no limit");
  };
  finding files{"open files", severity::ok, fmt::format("{} (ulimit -n)", text(facts.open_files)), {}};
  if (facts.open_files && *facts.open_files < 1024) {
    files.level = severity::warning;
    files.found += ": each channel, array and worker takes some";
    files.mend = "ulimit -n 65536";
  }
  out.push_back(std::move(files));
  finding processes{"processes", severity::ok, fmt::format("{} (ulimit -u)", text(facts.processes)), {}};
  if (facts.processes && *facts.processes < 256) {
    processes.level = severity::warning;
    processes.found += ": threads count, of all of this user's processes";
    processes.mend = "ulimit -u 4096";
  }
  out.push_back(std::move(processes));
  finding space{"address space", severity::ok, fmt::format("{} (ulimit -v)", bytes(facts.address_space)), {}};
  if (facts.address_space) {
    space.level = *facts.address_space < 64 * kGiB ? severity::problem : severity::warning;
    space.found += ": segments are long and sparse, and take more of it than they take memory";
    space.mend = "ulimit -v unlimited (or smaller channel_options.max_item_bytes)";
  }
  out.push_back(std::move(space));
  finding length{"file size", severity::ok, fmt::format("{} (ulimit -f)", bytes(facts.file_size)), {}};
  if (facts.file_size) {
    length.level = severity::problem;
    length.found += ": segments are long, sparse files; one that is longer is a SIGXFSZ";
    length.mend = "ulimit -f unlimited";
  }
  out.push_back(std::move(length));
  out.push_back(
      {"locked memory", severity::ok, fmt::format("{} (ulimit -l); weir locks none", bytes(facts.locked_memory)), {}});
  finding overcommit{"overcommit", severity::ok, fmt::format("vm.overcommit_memory is {}", facts.overcommit), {}};
  if (facts.overcommit < 0) overcommit.found = "vm.overcommit_memory is not known";
  if (facts.overcommit == 2) {
    overcommit.level = severity::warning;
    overcommit.found += ": memory is refused long before it is used up";
    overcommit.mend = "sysctl vm.overcommit_memory=0";
  }
  out.push_back(std::move(overcommit));
  return out;
}

std::vector<finding> judge_kernel(const kernel_facts& facts) {
  std::vector<finding> out;
  const auto need = [&](const char* what, bool has, severity if_not, const char* without) {
    out.push_back(
        {"kernel", has ? severity::ok : if_not,
         has ? fmt::format("{} is there", what) : fmt::format("{} is not there: {}", what, without),
         has ? "" : "a newer kernel (weir needs 5.4, and likes 5.16), or a seccomp filter that lets it pass"});
  };
  out.push_back({"kernel", severity::ok, fmt::format("Linux {}", facts.release), {}});
  need("pidfd_open", facts.has_pidfd_open, severity::problem, "sessions cannot watch their workers");
  need("waitid with a pidfd", facts.has_waitid_pidfd, severity::problem, "sessions cannot tell how workers ended");
  need("the robust futex", facts.has_robust_futexes, severity::problem, "locks stay with the dead");
  need("the lock of an open file", facts.has_file_description_locks, severity::problem,
       "who has an array cannot be told");
  need("membarrier", facts.has_membarrier, severity::warning, "puts and takes are slower");
  need("futex_waitv", facts.has_futex_waitv, severity::warning, "a select looks a thousand times a second as it waits");
  finding proc{"proc", severity::ok, "/proc is mounted, and is of this pid namespace", {}};
  if (!facts.has_proc) {
    proc = {"proc", severity::problem, "/proc is not mounted: nobody can tell who is alive",
            "mount -t proc proc /proc"};
  } else if (!facts.is_proc_ours) {
    proc = {"proc", severity::warning, "/proc is of another pid namespace: processes are looked for the long way",
            "mount -t proc proc /proc (unshare --mount-proc does it)"};
  } else if (!facts.hidepid.empty() && facts.hidepid != "0" && facts.hidepid != "off") {
    proc.found += fmt::format("; hidepid={} hides other users' processes, which weir does not need", facts.hidepid);
  }
  out.push_back(std::move(proc));
  return out;
}

std::vector<finding> judge_segments(std::span<const segment_report> segments) {
  std::vector<finding> out;
  std::uint64_t memory = 0;
  const auto named = [&](segment_state state) {
    constexpr std::size_t kMost = 3;
    std::string names;
    std::size_t count = 0;
    for (const segment_report& each : segments) {
      if (each.state != state) continue;
      if (count++ < kMost) names += fmt::format("{}{}", names.empty() ? "" : ", ", each.name);
    }
    if (count > kMost) names += ", …";
    return std::make_pair(count, names);
  };
  for (const segment_report& each : segments) memory += each.reserved_bytes;
  out.push_back(
      {"segments", severity::ok, fmt::format("{} of them take {}", segments.size(), shm::readable(memory)), {}});
  const auto tell = [&](segment_state state, severity level, const char* what, const char* mend) {
    const auto [count, names] = named(state);
    if (count != 0) out.push_back({"segments", level, fmt::format("{} {}: {}", count, what, names), mend});
  };
  tell(segment_state::stale, severity::problem, "held by dead processes only", "weir gc");
  tell(segment_state::corrupt, severity::problem, "corrupt, or never finished",
       "weir show NAME (what is wrong), weir rm NAME");
  tell(segment_state::other_layout, severity::warning, "made by a weir of another layout",
       "weir rm NAME, if its program has ended");
  tell(segment_state::foreign, severity::ok, "of other users", "");
  return out;
}

std::vector<finding> examine() {
  std::vector<finding> all = judge_memory(look_at_memory());
  const auto add = [&all](std::vector<finding> more) { std::move(more.begin(), more.end(), std::back_inserter(all)); };
  add(judge_limits(look_at_limits()));
  add(judge_kernel(look_at_kernel()));
  const std::vector<segment_report> segments = list();
  add(judge_segments(segments));
  return all;
}

}  // namespace weir::inspect
