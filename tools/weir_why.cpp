// SPDX-License-Identifier: BSL-1.0
#include "inspect/why.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>

#include "weir_commands.hpp"
#include "weir_json.hpp"
#include "weir_live_parts.hpp"
#include "weir_output.hpp"

namespace weir::command {
namespace {

using inspect::outlook;

struct why_options {
  std::string about;
  bool json = false;
};

std::optional<std::int32_t> number_in(const std::string& text) {
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

class explainer {
 public:
  explicit explainer(const why_options& options) : report_(inspect::look_why()), about_(options.about) {
    const auto& threads = report_.graph.threads;
    for (std::size_t i = 0; i < threads.size(); ++i) {
      if (is_meant(threads[i])) shown_.push_back(i);
    }
    for (const auto& circle : report_.result.circles) {
      const bool is_shown = about_.empty() || std::any_of(circle.begin(), circle.end(), [&](std::size_t i) {
                              return std::find(shown_.begin(), shown_.end(), i) != shown_.end();
                            });
      if (is_shown) circles_.push_back(circle);
    }
  }

  [[nodiscard]] bool is_empty() const { return shown_.empty(); }
  /// Something is called so, though nobody may wait for it.
  [[nodiscard]] bool is_known() const {
    if (about_.empty() || !shown_.empty()) return true;
    const auto has_name = [&](const auto& all) {
      return std::any_of(all.begin(), all.end(),
                         [&](const auto& each) { return inspect::matches(about_, each.segment.name); });
    };
    const auto& parties = report_.graph.parties;
    return has_name(report_.look.channels) || has_name(report_.look.arrays) || has_name(report_.look.teams) ||
           std::any_of(parties.begin(), parties.end(),
                       [&](const auto& each) { return number_in(about_) == each.pid || each.realm == about_; });
  }
  [[nodiscard]] bool has_problem() const {
    return !circles_.empty() || std::any_of(shown_.begin(), shown_.end(),
                                            [&](std::size_t i) { return report_.result.of[i] != outlook::open; });
  }

  void show() {
    for (const auto& circle : circles_) show_circle(circle);
    for (const outlook kind : {outlook::hopeless, outlook::behind, outlook::open}) {
      for (const std::size_t i : shown_) {
        if (report_.result.of[i] == kind) show_thread(i);
      }
    }
  }

  [[nodiscard]] json as_json() {
    json out{{"deadlocks", json::array()}, {"waits", json::array()}};
    for (const auto& circle : circles_) {
      json one{{"text", circle_title(circle)}, {"threads", json::array()}};
      for (const std::size_t i : circle) {
        one["threads"].push_back(
            {{"pid", party_of(i).pid}, {"thread", thread(i).thread}, {"text", waits_text(i) + until_text(i)}});
      }
      out["deadlocks"].push_back(std::move(one));
    }
    for (const std::size_t i : shown_) out["waits"].push_back(json_of(i));
    return out;
  }

 private:
  [[nodiscard]] const inspect::waiting_thread& thread(std::size_t i) const { return report_.graph.threads[i]; }
  [[nodiscard]] const inspect::party& party_of(std::size_t i) const { return report_.graph.parties[thread(i).who]; }

  [[nodiscard]] bool is_meant(const inspect::waiting_thread& each) const {
    if (about_.empty()) return true;
    const inspect::party& who = report_.graph.parties[each.who];
    if (number_in(about_) == who.pid || number_in(about_) == each.thread || who.realm == about_) return true;
    return std::any_of(report_.look.waits.begin(), report_.look.waits.end(), [&](const auto& wait) {
      return wait.who.pid == who.pid && wait.thread == each.thread && !wait.object.empty() &&
             inspect::matches(about_, wait.object);
    });
  }

  /// "worker 2 (pid 12) waits 3.1 s to put into "b", which is full (4 of 4)"
  [[nodiscard]] std::string waits_text(std::size_t i) const {
    std::string text =
        fmt::format("{} waits {} ", party_of(i).title, readable_time(since_monotonic(thread(i).since_ns)));
    for (std::size_t way = 0; way < thread(i).ways.size(); ++way) {
      text += (way == 0 ? "" : ", or ") + thread(i).ways[way].text;
    }
    return text;
  }

  [[nodiscard]] std::string in_function(std::size_t i) {
    for (std::size_t s = 0; s < report_.look.sessions.size(); ++s) {
      const auto& session = report_.look.sessions[s];
      for (std::size_t p = 0; p < session.live.size(); ++p) {
        if (session.report.processes[p].who.pid != party_of(i).pid) continue;
        for (const auto& run : session.live[p].runs) {
          if (run.thread == thread(i).thread) return run_text(run, party_of(i).pid, names_);
        }
      }
    }
    return {};
  }

  [[nodiscard]] std::string party_text(const inspect::bringer& by) const {
    const inspect::party& who = report_.graph.parties[by.who];
    if (!who.alive) return fmt::format("{}, which is dead", who.title);
    if (who.stopped) return fmt::format("{}, which is stopped (kill -CONT {})", who.title, who.pid);
    const auto& threads = report_.graph.threads;
    const bool waits = std::any_of(threads.begin(), threads.end(), [&](const auto& each) {
      return each.who == by.who && (by.thread == 0 || by.thread == each.thread);
    });
    if (waits && (by.thread != 0 || !who.has_free_thread)) return who.title + ", which waits itself";
    if (!waits && !who.has_free_thread && who.serves) return who.title + ", which is idle";
    return who.title;
  }

  [[nodiscard]] std::string way_text(std::size_t i, const inspect::way_out& way) const {
    std::string text;
    for (const inspect::bringer& by : way.by) {
      if (by.thread == 0 && by.who == thread(i).who && way.by.size() > 1 && !party_of(i).has_free_thread) continue;
      text += (text.empty() ? "" : "; ") + party_text(by);
    }
    if (!text.empty() && !way.role.empty()) text = way.role + ": " + text;
    if (!way.note.empty()) text += (text.empty() ? "" : "; ") + way.note;
    return text;
  }

  [[nodiscard]] std::string until_text(std::size_t i) const {
    std::string text;
    for (const inspect::way_out& way : thread(i).ways) {
      if (const std::string who = way_text(i, way); !who.empty()) text += (text.empty() ? "; " : "; or ") + who;
    }
    return text;
  }

  [[nodiscard]] std::string circle_title(const std::vector<std::size_t>& circle) const {
    if (circle.size() == 1) return "deadlock: a thread waits for what only its own process could bring";
    return fmt::format("deadlock: {} threads wait for each other, and nobody else can help them", circle.size());
  }

  void show_circle(const std::vector<std::size_t>& circle) {
    fmt::print("{}\n", painted(circle_title(circle), style::bad));
    for (const std::size_t i : circle) show_thread(i, 2);
  }

  void show_thread(std::size_t i, std::size_t indent = 0) {
    constexpr std::size_t kFurther = 4;
    const outlook what = report_.result.of[i];
    const char* const before = what == outlook::hopeless ? "for ever: " : what == outlook::behind ? "behind it: " : "";
    fmt::print("{}", wrapped(before + printable(waits_text(i)), indent));
    if (const std::string function = in_function(i); !function.empty()) {
      fmt::print("{}", wrapped("in " + printable(function), indent + kFurther));
    }
    for (const inspect::way_out& way : thread(i).ways) {
      const std::string text = way_text(i, way);
      if (!text.empty()) fmt::print("{}", wrapped(printable(text), indent + kFurther));
    }
    if (thread(i).until_ns != 0) {
      const std::string left = readable_time(-since_monotonic(thread(i).until_ns));
      fmt::print("{}", wrapped("gives up in " + left, indent + kFurther));
    }
  }

  [[nodiscard]] json json_of(std::size_t i) {
    const std::string function = in_function(i);
    json out{{"pid", party_of(i).pid}, {"thread", thread(i).thread}, {"who", party_of(i).title}};
    out["outlook"] = inspect::text_of(report_.result.of[i]);
    out["since_s"] = seconds_since(thread(i).since_ns);
    out["until_s"] =
        thread(i).until_ns == 0 ? json(nullptr) : json(-static_cast<double>(since_monotonic(thread(i).until_ns)) / 1e9);
    out["function"] = function.empty() ? json(nullptr) : json(function);
    out["text"] = waits_text(i);
    out["ways"] = json::array();
    for (const inspect::way_out& way : thread(i).ways) {
      json one{{"text", way.text}, {"role", way.role}, {"note", way.note}, {"needs_all", way.needs_all}};
      one["by"] = json::array();
      for (const inspect::bringer& by : way.by) {
        const inspect::party& who = report_.graph.parties[by.who];
        one["by"].push_back({{"pid", who.pid},
                             {"thread", by.thread == 0 ? json(nullptr) : json(by.thread)},
                             {"who", who.title},
                             {"alive", who.alive},
                             {"stopped", who.stopped}});
      }
      out["ways"].push_back(std::move(one));
    }
    return out;
  }

  inspect::why_report report_;
  std::string about_;
  std::vector<std::size_t> shown_;
  std::vector<std::vector<std::size_t>> circles_;
  inspect::code_names names_;
};

int run(const why_options& options) {
  why_options about = options;
  about.about = inspect::resolve_name(options.about);
  explainer explain(about);
  if (options.json) {
    print(explain.as_json());
  } else {
    explain.show();
  }
  if (!explain.is_known()) {
    fmt::print(stderr,
               "weir: why \"{}\": no channel, array, session or process is called so (weir ls and weir ps list them)\n",
               printable(options.about));
    return kProblem;
  }
  if (explain.is_empty() && !options.json) fmt::print("nobody waits\n");
  return explain.has_problem() ? kProblem : kFine;
}

}  // namespace

void add_why(CLI::App& app, action& chosen) {
  const auto options = std::make_shared<why_options>();
  CLI::App* const self =
      app.add_subcommand("why", "Says who waits for what, since when, and who could end it; names deadlocks");
  self->add_option("NAME", options->about, "Only waits for this channel, array or team, or of this pid or session");
  self->add_flag("--json", options->json, "Print JSON");
  self->footer("Exits with 1 if somebody waits who can never go on: in a deadlock, or for processes that are gone.");
  on_parsed(*self, chosen, options, run);
}

}  // namespace weir::command
