// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storm_ledger.hpp"
#include "weir/ids.hpp"

/// What the processes of the storm do until they are killed, or until the ledger says that it is over.
namespace weir::tests {

enum class storm_role { putter, taker, viewer };

/// Items of all sizes, some of them in blocks, on channel `name`. Returns the exit status.
int play(storm_role role, const std::string& name, storm_ledger& notes, life& own);

/// Notes that an item is out of the channel, or that it is torn. False: it says that no more will come.
bool note_taken(storm_ledger& notes, const std::vector<std::int32_t>& item);

/// On a worker: counts the call, and returns a text that shows which it was.
std::string serve(std::uint32_t call, const std::string& ledger, std::size_t bytes);
/// On a worker: calls whatever workers the ledger names.
void keep_calling(const std::string& ledger, std::uint32_t own_life);

}  // namespace weir::tests
