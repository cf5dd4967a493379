// SPDX-License-Identifier: BSL-1.0
#include "inspect/why.hpp"

#include <algorithm>
#include <map>

namespace weir::inspect {
namespace {

/// Finds who can go on: the least set that is closed under "somebody who can act brings it".
class reachability {
 public:
  explicit reachability(const wait_graph& graph) : graph_(graph), goes_on_(graph.threads.size(), false) {
    for (std::size_t i = 0; i < graph.threads.size(); ++i) {
      threads_of_[{graph.threads[i].who, graph.threads[i].thread}] = i;
    }
    for (bool changed = true; changed;) {
      changed = false;
      for (std::size_t i = 0; i < graph.threads.size(); ++i) {
        if (goes_on_[i] || !can_go_on(graph.threads[i])) continue;
        goes_on_[i] = changed = true;
      }
    }
  }

  [[nodiscard]] bool goes_on(std::size_t i) const { return goes_on_[i]; }

  /// The threads that wait and that a bringer stands for.
  [[nodiscard]] std::vector<std::size_t> waiting_behind(const bringer& by) const {
    std::vector<std::size_t> found;
    if (by.thread != 0) {
      if (const auto it = threads_of_.find({by.who, by.thread}); it != threads_of_.end()) found.push_back(it->second);
      return found;
    }
    for (std::size_t i = 0; i < graph_.threads.size(); ++i) {
      if (graph_.threads[i].who == by.who) found.push_back(i);
    }
    return found;
  }

 private:
  [[nodiscard]] bool can_go_on(const waiting_thread& thread) const {
    if (thread.until_ns != 0) return true;
    return std::any_of(thread.ways.begin(), thread.ways.end(), [&](const way_out& way) { return comes(way); });
  }

  [[nodiscard]] bool comes(const way_out& way) const {
    if (way.is_sure) return true;
    const auto acts = [&](const bringer& by) { return can_act(by); };
    if (way.needs_all) return !way.by.empty() && std::all_of(way.by.begin(), way.by.end(), acts);
    return std::any_of(way.by.begin(), way.by.end(), acts);
  }

  [[nodiscard]] bool can_act(const bringer& by) const {
    const party& who = graph_.parties[by.who];
    if (!who.alive) return false;
    if (by.thread != 0) {
      const auto it = threads_of_.find({by.who, by.thread});
      return it == threads_of_.end() || goes_on_[it->second];
    }
    return acts(by.who) || (who.serves && !waits(by.who) && somebody_acts_in(who.realm));
  }

  [[nodiscard]] bool acts(std::size_t who) const {
    if (!graph_.parties[who].alive) return false;
    if (graph_.parties[who].has_free_thread) return true;
    for (std::size_t i = 0; i < graph_.threads.size(); ++i) {
      if (graph_.threads[i].who == who && goes_on_[i]) return true;
    }
    return false;
  }

  /// One of its threads does: what it may be asked to do beside that is not counted upon.
  [[nodiscard]] bool waits(std::size_t who) const {
    return std::any_of(graph_.threads.begin(), graph_.threads.end(),
                       [&](const waiting_thread& each) { return each.who == who; });
  }

  [[nodiscard]] bool somebody_acts_in(const std::string& realm) const {
    for (std::size_t i = 0; i < graph_.parties.size(); ++i) {
      if (graph_.parties[i].realm == realm && acts(i)) return true;
    }
    return false;
  }

  const wait_graph& graph_;
  std::vector<bool> goes_on_;
  std::map<std::pair<std::size_t, std::int32_t>, std::size_t> threads_of_;
};

/// Which of the stuck wait for each other: the strongly connected parts.
class circles {
 public:
  circles(const wait_graph& graph, const reachability& reach) {
    next_.resize(graph.threads.size());
    for (std::size_t i = 0; i < graph.threads.size(); ++i) {
      if (reach.goes_on(i)) continue;
      for (const way_out& way : graph.threads[i].ways) {
        for (const bringer& by : way.by) {
          for (const std::size_t other : reach.waiting_behind(by)) {
            if (!reach.goes_on(other)) next_[i].push_back(other);
          }
        }
      }
    }
  }

  [[nodiscard]] std::vector<std::vector<std::size_t>> find() {
    const std::size_t count = next_.size();
    std::vector<std::vector<bool>> reaches(count);
    for (std::size_t i = 0; i < count; ++i) reaches[i] = reached_from(i);
    std::vector<std::vector<std::size_t>> found;
    std::vector<bool> done(count, false);
    for (std::size_t i = 0; i < count; ++i) {
      if (done[i] || !reaches[i][i]) continue;
      std::vector<std::size_t> circle;
      for (std::size_t j = i; j < count; ++j) {
        if (!reaches[i][j] || !reaches[j][i]) continue;
        done[j] = true;
        circle.push_back(j);
      }
      found.push_back(std::move(circle));
    }
    return found;
  }
  [[nodiscard]] bool leads_on(std::size_t i) const { return !next_[i].empty(); }

 private:
  [[nodiscard]] std::vector<bool> reached_from(std::size_t start) const {
    std::vector<bool> seen(next_.size(), false);
    std::vector<std::size_t> open = next_[start];
    while (!open.empty()) {
      const std::size_t at = open.back();
      open.pop_back();
      if (seen[at]) continue;
      seen[at] = true;
      open.insert(open.end(), next_[at].begin(), next_[at].end());
    }
    return seen;
  }

  std::vector<std::vector<std::size_t>> next_;
};

}  // namespace

const char* text_of(outlook what) noexcept {
  switch (what) {
    case outlook::open: return "open";
    case outlook::hopeless: return "hopeless";
    case outlook::deadlock: return "deadlock";
    case outlook::behind: return "behind";
  }
  return "?";
}

bool verdict::is_problem() const noexcept {
  return std::any_of(of.begin(), of.end(), [](outlook each) { return each != outlook::open; });
}

verdict judge(const wait_graph& graph) {
  const reachability reach(graph);
  circles stuck(graph, reach);
  verdict out;
  out.circles = stuck.find();
  out.of.assign(graph.threads.size(), outlook::open);
  for (std::size_t i = 0; i < graph.threads.size(); ++i) {
    if (!reach.goes_on(i)) out.of[i] = stuck.leads_on(i) ? outlook::behind : outlook::hopeless;
  }
  for (const auto& circle : out.circles) {
    for (const std::size_t i : circle) out.of[i] = outlook::deadlock;
  }
  return out;
}

why_report look_why() {
  why_report first;
  first.look = look_at_everything();
  first.graph = make_wait_graph(first.look);
  first.result = judge(first.graph);
  if (!first.result.is_problem()) return first;
  // Processes were looked at one after the other: whoever is stuck now and was before waited all the time of the second look.
  why_report second;
  second.look = look_at_everything();
  second.graph = make_wait_graph(second.look);
  const auto waited_before = [&](const waiting_thread& now) {
    return std::any_of(first.graph.threads.begin(), first.graph.threads.end(), [&](const waiting_thread& then) {
      return then.thread == now.thread && then.since_ns == now.since_ns &&
             first.graph.parties[then.who].pid == second.graph.parties[now.who].pid;
    });
  };
  for (waiting_thread& each : second.graph.threads) {
    if (waited_before(each)) continue;
    for (way_out& way : each.ways) way.is_sure = true;
  }
  second.result = judge(second.graph);
  return second;
}

}  // namespace weir::inspect
