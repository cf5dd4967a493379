// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <vector>

#include "call_ledger.hpp"
#include "weir/channel.hpp"
#include "weir/future.hpp"
#include "weir/session.hpp"
#include "weir/worker.hpp"

/// What runs on the workers of a scenario.
namespace weir::tests {

/// How large arguments and results are: in the message and in the result's slot; in blocks; in files of their own (the
/// arguments because they are so large, the results because so many are held that there are no blocks left).
enum class ballast { small, block, file };
inline constexpr std::array kBallasts{ballast::small, ballast::block, ballast::file};
inline constexpr std::array<std::string_view, kBallasts.size()> kBallastNames{"small", "block", "file"};

/// A worker that dies at a point from its first instruction on is started with this in its environment: hit:point.
inline constexpr const char* kEndVariable = "WEIR_TEST_END";

/// Runs call `item`: counts it, puts its number into `answers`, and returns as many bytes as are asked for.
std::vector<char> work(int item, const std::string& path, std::vector<char> given, std::size_t wanted,
                       channel<int> answers);
/// The same after another's result has come.
std::vector<char> work_after(int item, const std::string& path, const future<std::vector<char>>& earlier,
                             std::size_t wanted, channel<int> answers);
/// Makes calls to `callees` until it is told to end.
void call_until_over(const std::vector<process_id>& callees, const std::string& path, int caller, int size);

}  // namespace weir::tests
