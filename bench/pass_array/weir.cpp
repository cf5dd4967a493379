// SPDX-License-Identifier: BSL-1.0
//
// Question: how long does it take to pass a large array from worker to worker, by its handle?
// Method: two workers, each on a CPU of its own, and two channels of handles. The one puts the array, of --bytes; the other
// takes it, changes an element that depends on the round, and puts it back: half a round trip. The first one, in which the
// other maps the array, is reported for itself, as are those that follow.
// --way kept: the other keeps a handle. --way dropped: it has none in between, so that it may have to map it again.
// Check: the element is there where the array has come back. No peer has arrays that are passed on.
#include <algorithm>
#include <optional>

#include "methods/steps.hpp"
#include "support/team.hpp"

namespace {

using vector = weir::array<double>;
using handles = weir::channel<vector>;

constexpr bench::question kQuestion{"pass_array", [](const bench::plan& /*p*/) -> std::size_t { return 2; },
                                    bench::no_queues};

/// The element of a round: each of these in another page.
std::size_t element_of(std::uint64_t round, std::size_t size) { return round * 8191 % size; }

void pass(bench::board& b, const vector& array, handles there, handles back) {
  bench::member_report& report = b.report(0);
  std::uint64_t round = 0;
  const auto pass_once = [&] {
    const std::size_t element = element_of(++round, array.size());
    const double before = array(element);
    const bench::nanoseconds begin = bench::now();
    there.put(array);
    const vector returned = back.take();
    const bench::nanoseconds took = (bench::now() - begin) / 2;
    report.sent.add(round);
    report.received.add(round);
    if (!(returned == array) || array(element) != before + 1) throw bench::wrong_item("the array did not come back");
    return took;
  };
  report.first = pass_once();
  const bench::nanoseconds end = bench::now() + bench::nanoseconds(static_cast<std::int64_t>(b.plan().seconds * 1e9));
  while (bench::now() < end) report.latencies.add(pass_once());
  there.close();
}

void answer(bool keep, handles there, handles back) {
  std::optional<vector> kept;
  std::uint64_t round = 0;
  for (vector array : there) {
    array(element_of(++round, array.size())) += 1;
    if (keep) kept = array;
    back.put(array);
  }
}

void member(weir::team& team, const std::string& board_path, handles there, handles back) {
  bench::as_member(board_path, team, [&](bench::board& b) {
    const std::string_view way = b.plan().way_name();
    if (way != "kept" && way != "dropped") throw std::invalid_argument("--way kept or dropped");
    if (team.rank() == 1) return answer(way == "kept", there, back);
    const vector array(b.plan().words());
    pass(b, array, there, back);
  });
}

void run(bench::board& b, weir::session& session) { session.spmd(member, b.path(), handles(1), handles(1)); }

}  // namespace

int main(int argc, char** argv) { return bench::run_team(argc, argv, {kQuestion, "weir", nullptr}, run); }
