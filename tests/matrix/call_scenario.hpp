// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "call_roles.hpp"
#include "scenario_shapes.hpp"

/// One scenario of the matrix in a session: callers and workers that serve them, one of which, or the control process, is
/// killed at a point.
namespace weir::tests {

enum class call_role { caller, worker, control };
inline constexpr std::array kCallRoles{call_role::caller, call_role::worker, call_role::control};
inline constexpr std::array<std::string_view, kCallRoles.size()> kCallRoleNames{"caller", "worker", "control"};

struct call_plan {
  call_role victim = call_role::worker;
  std::string_view point;
  int hit = 1;
};

/// Runs it in processes of its own; what is wrong becomes a failure of the calling test.
void run_call_scenario(const call_plan& what, shape how_many, ballast size);

/// The control process's part, until it is killed or all is over. Its exit status: 0 if all was right.
int direct(const call_plan& what, shape how_many, ballast size, const std::string& path);

}  // namespace weir::tests
