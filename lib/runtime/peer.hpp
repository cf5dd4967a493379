// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <string_view>

#include "runtime/member.hpp"
#include "weir/detail/session_core.hpp"

namespace weir::detail {

/// What a worker handle holds: this process's membership, and how it reaches the other.
class peer {
 public:
  peer(std::shared_ptr<runtime::member> self, std::shared_ptr<runtime::link> to)
      : self_(std::move(self)), link_(std::move(to)) {}
  [[nodiscard]] const std::shared_ptr<runtime::member>& self() const noexcept { return self_; }
  [[nodiscard]] runtime::link& link() const noexcept { return *link_; }
  [[nodiscard]] process_id id() const noexcept { return link_->id; }

 private:
  std::shared_ptr<runtime::member> self_;
  std::shared_ptr<runtime::link> link_;
};

}  // namespace weir::detail

namespace weir::runtime {

/// Asks a worker to end once it has done what it has been sent. Waits no longer than `until`; false if it could not be
/// told by then. A worker that has gone is no error.
bool send_end(member& self, process_id to, detail::deadline until);

/// Where the arguments of a call lie that are too large for the callee's inbox.
[[nodiscard]] std::string arguments_blob_prefix(process_id callee);

}  // namespace weir::runtime
