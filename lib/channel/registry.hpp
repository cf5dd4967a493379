// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "channel/channel_core.hpp"

namespace weir::detail {

/// This process's attachments. Named channels are found by their file (a name can be removed and made again), unnamed
/// ones, whose names are never used twice, by name, without a look at the file.
struct channel_registry {
  std::mutex mutex;
  std::map<std::uint64_t, std::weak_ptr<channel_core>> by_file;
  std::map<std::string, std::weak_ptr<channel_core>, std::less<>> by_name;
  std::map<channel_core*, bool> all;  // true: no handle is left, but a view was when this was looked at last
};

channel_registry& attached_channels();

/// A handle that retires its core with the last copy.
core_handle manage(channel_core* made);

/// Enters it for others to find. Returns the one that is known already, if another thread was quicker.
core_handle remember(core_handle core);

/// Null: no unnamed channel of that name is attached.
core_handle known_by_name(std::string_view name);

}  // namespace weir::detail
