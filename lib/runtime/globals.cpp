// SPDX-License-Identifier: BSL-1.0
#include "weir/globals.hpp"

#include <fmt/core.h>

#include <cstdlib>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <typeinfo>

#include "sync/immortal.hpp"
#include "weir/ids.hpp"

namespace weir {
namespace {

struct named_value {
  std::any value;
  std::string_view type;  // valid until the process ends
};

struct table {
  std::shared_mutex mutex;
  std::map<std::string, named_value, std::less<>> values;
};

table& values_of_this_process();

/// What the values refer to (channels, arrays) is let go of when the process ends, as what its other variables do.
void clear_at_exit() {
  decltype(table::values) old;
  table& here = values_of_this_process();
  const std::unique_lock lock(here.mutex);
  old.swap(here.values);
}

table& values_of_this_process() {
  // Threads may still serve calls while the process ends.
  static sync::immortal<table> made([] { std::atexit(clear_at_exit); });
  return *made;
}

}  // namespace

global_values& globals() noexcept {
  static global_values values;
  return values;
}

void global_values::set_value(std::string_view name, std::any value, std::string_view type) {
  table& here = values_of_this_process();
  named_value fresh{std::move(value), type};
  const std::unique_lock lock(here.mutex);
  std::swap(here.values[std::string(name)], fresh);  // the old value is destroyed without the lock
}

std::any global_values::get_value(std::string_view name, const std::type_info& type, std::string_view type_name) {
  table& here = values_of_this_process();
  const std::shared_lock lock(here.mutex);
  const auto found = here.values.find(name);
  if (found == here.values.end()) throw undefined_global(std::string(name), my_id());
  if (found->second.value.type() != type) {
    throw type_mismatch(fmt::format("weir: global \"{}\" on worker {}: it is a {}, asked for a {}", name, my_id(),
                                    found->second.type, type_name));
  }
  return found->second.value;
}

bool global_values::has(std::string_view name) const {
  table& here = values_of_this_process();
  const std::shared_lock lock(here.mutex);
  return here.values.contains(name);
}

bool global_values::erase(std::string_view name) {
  table& here = values_of_this_process();
  named_value old;
  const std::unique_lock lock(here.mutex);
  const auto found = here.values.find(name);
  if (found == here.values.end()) return false;
  std::swap(found->second, old);
  here.values.erase(found);
  return true;
}

std::vector<std::string> global_values::names() const {
  table& here = values_of_this_process();
  const std::shared_lock lock(here.mutex);
  std::vector<std::string> all;
  for (const auto& [name, value] : here.values) all.push_back(name);
  return all;
}

}  // namespace weir
