// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "weir/ids.hpp"

/// What weir throws. Expected outcomes (full, empty, timed out) are values; what is below is thrown.
/// Every what() is one line a person can act on: operation, object, what was found, what was expected.
namespace weir {

enum class errc {
  channel_closed = 1,  ///< the channel was closed, and (for a take) is drained
  type_mismatch,       ///< the object or value has another type than asked for
  not_found,           ///< nothing has that name
  already_exists,      ///< the name is taken
  layout_mismatch,     ///< the segment was made by a build with another layout
  corrupt_segment,     ///< the segment's bytes contradict themselves, or it is not one of weir's
  no_space,            ///< shared memory is full
  item_too_large,      ///< the item is over the channel's max_item_bytes
  invalid_argument,    ///< the call itself is wrong
  permission_denied,   ///< the segment belongs to another user
  worker_died,         ///< the worker that would have answered has ended
  remote_error,        ///< a function called on another process threw
  undefined_global,    ///< no global of that name on that process
  not_in_session,      ///< the program has no session
  timed_out,           ///< a wait that has no other way to report it ran out of time
};

[[nodiscard]] const std::error_category& weir_category() noexcept;
[[nodiscard]] std::error_code make_error_code(errc code) noexcept;

/// Base of all that weir throws.
class error : public std::runtime_error {
 public:
  error(errc code, const std::string& what) : std::runtime_error(what), code_(make_error_code(code)) {}
  [[nodiscard]] const std::error_code& code() const noexcept { return code_; }

 private:
  std::error_code code_;
};

/// An error that carries nothing but its line; one class for each errc that needs no more.
template <errc Code>
class simple_error : public error {
 public:
  explicit simple_error(const std::string& what) : error(Code, what) {}
};

class not_found : public simple_error<errc::not_found> {
 public:
  using simple_error::simple_error;
};
class already_exists : public simple_error<errc::already_exists> {
 public:
  using simple_error::simple_error;
};
class layout_mismatch : public simple_error<errc::layout_mismatch> {
 public:
  using simple_error::simple_error;
};
class corrupt_segment : public simple_error<errc::corrupt_segment> {
 public:
  using simple_error::simple_error;
};
class no_space : public simple_error<errc::no_space> {
 public:
  using simple_error::simple_error;
};
class item_too_large : public simple_error<errc::item_too_large> {
 public:
  using simple_error::simple_error;
};
class invalid_argument : public simple_error<errc::invalid_argument> {
 public:
  using simple_error::simple_error;
};
class permission_denied : public simple_error<errc::permission_denied> {
 public:
  using simple_error::simple_error;
};
class not_in_session : public simple_error<errc::not_in_session> {
 public:
  using simple_error::simple_error;
};
class timed_out : public simple_error<errc::timed_out> {
 public:
  using simple_error::simple_error;
};
class type_mismatch : public simple_error<errc::type_mismatch> {
 public:
  using simple_error::simple_error;
};

/// The channel is closed; a take throws it only once the channel is drained.
class channel_closed : public error {
 public:
  channel_closed(const std::string& what, std::string reason)
      : error(errc::channel_closed, what), reason_(std::move(reason)) {}
  /// What close(reason) was given; empty after a plain close().
  [[nodiscard]] const std::string& reason() const noexcept { return reason_; }

 private:
  std::string reason_;
};

/// How a process ended. Neither is set while only its absence is known.
struct exit_report {
  std::optional<int> exit_status;  ///< set if it returned or called exit()
  std::optional<int> signal;       ///< set if a signal ended it
  /// "exit status 3", "killed by signal 9 (SIGKILL)", or "how is not known".
  [[nodiscard]] std::string text() const;
};

/// The worker that was waited for has ended.
class worker_died : public error {
 public:
  worker_died(const std::string& what, process_id id, exit_report report)
      : error(errc::worker_died, what), id_(id), report_(report) {}
  [[nodiscard]] process_id id() const noexcept { return id_; }
  [[nodiscard]] std::optional<int> exit_status() const noexcept { return report_.exit_status; }
  [[nodiscard]] std::optional<int> signal() const noexcept { return report_.signal; }

 private:
  process_id id_;
  exit_report report_;
};

/// A function called on another process threw. what() is `On worker 2: std::out_of_range: index 7`, nested once a hop.
/// Where the original type is one of the standard's or weir's, std::rethrow_if_nested throws an equal one; where the
/// original was itself a remote_error (two hops), it throws that.
class remote_error : public error, public std::nested_exception {
 public:
  /// Captures the exception being handled, if any, as the nested one.
  remote_error(process_id worker, std::string type, std::string message)
      : error(errc::remote_error, "On worker " + std::to_string(worker) + ": " + type + ": " + message),
        worker_(worker),
        type_(std::move(type)),
        message_(std::move(message)) {}
  /// The function let pass what it got from a call of its own: what() is `On worker 2: On worker 3: …`, type and message
  /// are those of `further`. Captures the exception being handled as the nested one, which `further` should be.
  remote_error(process_id worker, const remote_error& further)
      : error(errc::remote_error, "On worker " + std::to_string(worker) + ": " + further.what()),
        worker_(worker),
        type_(further.type()),
        message_(further.message()) {}
  /// The process on which the function ran.
  [[nodiscard]] process_id worker() const noexcept { return worker_; }
  /// Name of the type thrown there, as in the source: `std::out_of_range`.
  [[nodiscard]] const std::string& type() const noexcept { return type_; }
  /// Its what(); for a type that is no std::exception, a sentence that says so.
  [[nodiscard]] const std::string& message() const noexcept { return message_; }

 private:
  process_id worker_;
  std::string type_;
  std::string message_;
};

/// No global of that name is set on that process.
class undefined_global : public error {
 public:
  undefined_global(std::string name, process_id on)
      : error(errc::undefined_global, '"' + name + "\" is not defined on worker " + std::to_string(on)),
        name_(std::move(name)),
        on_(on) {}
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] process_id on() const noexcept { return on_; }

 private:
  std::string name_;
  process_id on_;
};

}  // namespace weir

template <>
struct std::is_error_code_enum<weir::errc> : std::true_type {};
