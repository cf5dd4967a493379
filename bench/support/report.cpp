// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>

#include "support/contender.hpp"

namespace bench {
namespace {

using json = nlohmann::ordered_json;

double seconds(nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

json head(const plan& p, const contender& who) {
  return {{"question", who.question.name},
          {"contender", who.name},
          {"bytes", p.bytes},
          {"waiting", p.spin ? "spin" : "sleep"},
          {"way", p.way.data()},
          {"putters", p.putters},
          {"takers", p.takers},
          {"pairs", p.pairs}};
}

json latency_of(const histogram& latencies, bool buckets) {
  constexpr double kPerSecond = 1e9;
  const auto quantile = [&](double part) { return latencies.quantile(part) * kPerSecond; };
  json result = {{"samples", latencies.samples()},
                 {"p50_ns", quantile(0.5)},
                 {"p99_ns", quantile(0.99)},
                 {"p99_9_ns", quantile(0.999)}};
  if (buckets) {
    json list = json::array();
    latencies.for_each([&](std::uint64_t lowest, std::uint64_t count) { list.push_back({lowest, count}); });
    result["buckets"] = std::move(list);
  }
  return result;
}

}  // namespace

void print_report(board& b, const contender& who) {
  constexpr double kMillion = 1e6;
  tally sent, received;
  histogram latencies;
  std::uint64_t items = 0;
  double median_ns = 0;
  nanoseconds first{};
  nanoseconds begin = nanoseconds::max(), end = nanoseconds::min();
  std::array<nanoseconds, 2> cpu{};
  std::array<double, 2> cpu_messages{};
  for (std::size_t rank = 0; rank < b.members(); ++rank) {
    const member_report& each = b.report(rank);
    sent.add(each.sent);
    received.add(each.received);
    latencies.add(each.latencies);
    cpu.at(each.side) += each.cpu;
    cpu_messages.at(each.side) += static_cast<double>(each.cpu_messages);
    if (each.first.count() > 0) first = each.first;
    if (each.median_ns > 0) median_ns = each.median_ns;
    if (each.end == each.begin) continue;  // it does not keep the time
    items += each.items;
    begin = std::min(begin, each.begin);
    end = std::max(end, each.end);
  }
  if (!(sent == received)) {
    throw wrong_item(std::to_string(sent.count()) + " items were sent and " + std::to_string(received.count()) +
                     " received, or others than those that were sent");
  }
  if (items == 0 && latencies.samples() == 0) throw wrong_item("too short: nothing was measured");

  json line = head(b.plan(), who);
  if (latencies.samples() > 0) line.update(latency_of(latencies, b.plan().buckets));
  if (first.count() > 0) line["first_ns"] = first.count();
  if (median_ns > 0) {
    line["ranks"] = b.plan().ranks;
    line["order"] = b.plan().order;
    line["median_ns"] = median_ns;
  }
  if (items > 0) {
    line["items"] = items;
    line["seconds"] = seconds(end - begin);
    line["items_per_second"] = static_cast<double>(items) / seconds(end - begin);
  }
  line["cpu_seconds"] = seconds(cpu[0] + cpu[1]);
  double per_message = 0;
  for (std::size_t side = 0; side < cpu.size(); ++side) {
    if (cpu_messages.at(side) > 0) per_message += seconds(cpu.at(side)) / cpu_messages.at(side);
  }
  line["cpu_seconds_per_million"] = per_message * kMillion;
  std::cout << line.dump() << std::endl;
}

void print_figures(const plan& plan, const contender& who, const std::vector<figure>& figures) {
  json line = head(plan, who);
  for (const figure& each : figures) line[each.name] = each.value;
  std::cout << line.dump() << std::endl;
}

void print_not_available(const plan& plan, const contender& who, const char* reason) {
  json line = head(plan, who);
  line["not_available"] = reason;
  std::cout << line.dump() << std::endl;
}

int guarded(const plan& plan, const contender& who, const std::function<int()>& action) {
  try {
    return action();
  } catch (const not_available& reason) {
    print_not_available(plan, who, reason.what());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s of %s: %s\n", who.question.name, who.name, error.what());
    return 1;
  }
}

}  // namespace bench
