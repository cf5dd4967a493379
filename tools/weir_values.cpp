// SPDX-License-Identifier: BSL-1.0
#include "weir_values.hpp"

#include <fmt/core.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "weir_commands.hpp"
#include "weir_output.hpp"

namespace weir::command {
namespace {

using inspect::value_kind;

json parts_of(const std::vector<inspect::value>& parts) {
  json out = json::array();
  for (const inspect::value& part : parts) out.push_back(to_json(part));
  return out;
}

json text_json(const inspect::value& value) {
  if (value.count == 0) return value.text;
  return {{"text", value.text}, {"characters", value.count}};
}

json list_json(const inspect::value& value) {
  json out{{value.is == value_kind::map ? "entries" : "elements", value.count},
           {"first", parts_of(value.parts)},
           {"last", parts_of(value.last)}};
  if (value.numbers) out["numbers"] = to_json(*value.numbers);
  return out;
}

json bytes_json(const inspect::value& value) {
  json out{{"struct", value.type}, {"bytes", value.count}, {"hex", value.text}};
  if (!value.parts.empty()) out["as_integer"] = to_json(value.parts.front());
  return out;
}

}  // namespace

json number_json(double number) {
  if (std::isfinite(number)) return number;
  return std::isnan(number) ? "nan" : number < 0 ? "-inf" : "inf";
}

json to_json(const inspect::statistics& numbers) {
  const auto number = [](const std::string& text) -> json {
    if (text.empty()) return nullptr;
    if (text.find_first_of(".einf") != std::string::npos) return number_json(std::strtod(text.c_str(), nullptr));
    if (text.front() == '-') return std::strtoll(text.c_str(), nullptr, 10);
    return std::strtoull(text.c_str(), nullptr, 10);
  };
  return {{"min", number(numbers.least)},
          {"max", number(numbers.greatest)},
          {"mean", numbers.least.empty() ? json(nullptr) : number_json(numbers.mean)},
          {"nan_count", numbers.not_numbers}};
}

json to_json(const inspect::value& value) {
  switch (value.is) {
    case value_kind::nothing: return nullptr;
    case value_kind::boolean: return value.truth;
    case value_kind::integer: return value.integer;
    case value_kind::natural: return value.natural;
    case value_kind::real: return number_json(value.real);
    case value_kind::wide: return value.text;  // JSON's numbers are no wider than 64 bits
    case value_kind::text: return text_json(value);
    case value_kind::list:
    case value_kind::map: return list_json(value);
    case value_kind::tuple: return parts_of(value.parts);
    case value_kind::variant:
      return {{"alternative", value.count},
              {"type", value.type},
              {"value", value.parts.empty() ? json(nullptr) : to_json(value.parts.front())}};
    case value_kind::any:
      return {{"any", value.type}, {"value", value.parts.empty() ? json(nullptr) : to_json(value.parts.front())}};
    case value_kind::handle: return {{"handle", value.type}, {"refers_to", value.text}};
    case value_kind::duration:
      return {{"ticks", value.parts.empty() ? json(nullptr) : to_json(value.parts.front())}, {"unit", value.text}};
    case value_kind::bytes: return bytes_json(value);
    case value_kind::unread: return {{"unread", value.text}};
    case value_kind::corrupt: return {{"corrupt", value.text}};
  }
  return nullptr;
}

void complain(std::string_view operation, std::string_view object, std::string_view what) {
  fmt::print(stderr, "weir: {} \"{}\": {}\n", operation, printable(object), printable(what));
}

int fail(const error& e) {
  fmt::print(stderr, "{}\n", printable(e.what()));
  return kProblem;
}

bool check_readable(std::string_view operation, std::string_view what, bool takes_channels, bool takes_arrays,
                    const inspect::segment_report& segment) {
  const auto refuse = [&](std::string_view why) {
    complain(operation, segment.name, why);
    return false;
  };
  switch (segment.state) {
    case inspect::segment_state::absent: return refuse("nothing has that name (weir ls lists what there is)");
    case inspect::segment_state::corrupt: return refuse(fmt::format("corrupt: {}", segment.why));
    case inspect::segment_state::foreign: return refuse(segment.why);
    case inspect::segment_state::other_layout:
      return refuse(fmt::format("{} (use the weir of the program that made it)", segment.why));
    default: break;
  }
  if (!segment.header) return refuse(segment.why);
  const shm::object_kind kind = segment.header->kind;
  if ((takes_channels && kind == shm::object_kind::channel) || (takes_arrays && kind == shm::object_kind::array)) {
    return true;
  }
  return refuse(fmt::format("it is a {}, not {}", inspect::text_of(kind), what));
}

}  // namespace weir::command
