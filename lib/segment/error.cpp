// SPDX-License-Identifier: BSL-1.0
#include "weir/error.hpp"

#include <fmt/core.h>

#include <csignal>
#include <cstring>
#include <string>
#include <system_error>

namespace weir {
namespace {

class category final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "weir"; }
  [[nodiscard]] std::string message(int code) const override {
    switch (static_cast<errc>(code)) {
      case errc::channel_closed: return "channel closed";
      case errc::type_mismatch: return "type mismatch";
      case errc::not_found: return "not found";
      case errc::already_exists: return "already exists";
      case errc::layout_mismatch: return "layout mismatch";
      case errc::corrupt_segment: return "corrupt segment";
      case errc::no_space: return "shared memory is full";
      case errc::item_too_large: return "item too large";
      case errc::invalid_argument: return "invalid argument";
      case errc::permission_denied: return "permission denied";
      case errc::worker_died: return "worker died";
      case errc::remote_error: return "remote error";
      case errc::undefined_global: return "undefined global";
      case errc::not_in_session: return "not in a session";
      case errc::timed_out: return "timed out";
    }
    return "unknown error";
  }
};

}  // namespace

const std::error_category& weir_category() noexcept {
  static const category instance;
  return instance;
}

std::error_code make_error_code(errc code) noexcept { return {static_cast<int>(code), weir_category()}; }

std::string exit_report::text() const {
  if (signal) {
    const char* name = ::sigabbrev_np(*signal);
    return name != nullptr ? fmt::format("killed by signal {} (SIG{})", *signal, name)
                           : fmt::format("killed by signal {}", *signal);
  }
  if (exit_status) return fmt::format("exit status {}", *exit_status);
  return "how is not known";
}

}  // namespace weir
