// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "inspect/waits.hpp"

/// Who waits for whom. A thread that waits can go on once one of the things that it waits for comes; each of these can be
/// brought by some threads, or processes; those may wait themselves. Whoever cannot be reached by anybody who is able to
/// act waits for ever: that is a deadlock if they wait for each other, and hopeless if those who could help are gone.
namespace weir::inspect {

inline constexpr std::size_t kNoNode = static_cast<std::size_t>(-1);

/// A process.
struct party {
  std::string title;  ///< "worker 2 (pid 12)"
  std::int32_t pid = 0;
  std::string realm;  ///< of its session; empty: none
  bool alive = true;
  bool stopped = false;          ///< by a signal, for the time being
  bool has_free_thread = false;  ///< one that does not sleep in weir: it may do anything
  bool serves = false;           ///< a worker, or another that runs calls: does what anybody of its session asks for
};

/// Who could bring what is waited for: a thread, or any thread of a process.
struct bringer {
  std::size_t who = 0;      ///< party
  std::int32_t thread = 0;  ///< 0: any; then also those that it would start for a call
};

/// One thing that a thread waits for.
struct way_out {
  std::string text;        ///< what for, in words
  bool is_sure = false;    ///< it comes, or may come, for a reason that is not in this graph
  bool needs_all = false;  ///< of them, and not one
  std::vector<bringer> by;
  std::string role;  ///< what they could do: "could take from it"; empty: nothing to be said
  std::string note;  ///< what else is to be said: "its last user has ended"; empty: nothing
};

/// A thread that waits, for any one of `ways`.
struct waiting_thread {
  std::size_t who = 0;  ///< party
  std::int32_t thread = 0;
  std::int64_t since_ns = 0;
  std::int64_t until_ns = 0;  ///< 0: no end; else it goes on then, whatever comes
  std::vector<way_out> ways;
  std::string runs;  ///< what it runs, in words; empty: not known
};

struct wait_graph {
  std::vector<party> parties;
  std::vector<waiting_thread> threads;
};

enum class outlook {
  open,      ///< somebody can end it
  hopeless,  ///< only processes that are gone could have
  deadlock,  ///< it and others wait for each other
  behind,    ///< it waits for such, who do not wait for it
};
[[nodiscard]] const char* text_of(outlook what) noexcept;

struct verdict {
  std::vector<outlook> of;                        ///< of each of graph.threads
  std::vector<std::vector<std::size_t>> circles;  ///< threads that wait for each other; of one, if it waits for itself
  [[nodiscard]] bool is_problem() const noexcept;
};
[[nodiscard]] verdict judge(const wait_graph& graph);

/// The graph of what was seen. Where something is not known it may be ended by somebody.
[[nodiscard]] wait_graph make_wait_graph(const live_look& look);

/// A graph and what follows from it; looked at again if it is bad, so that nobody is called stuck who was only seen half.
struct why_report {
  live_look look;
  wait_graph graph;
  verdict result;
};
[[nodiscard]] why_report look_why();

}  // namespace weir::inspect
