// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <string_view>

/// Names of segments. On disk (the shared-memory file system) every one begins with `weir.`:
///   weir.NAME                      named by the user; NAME does not begin with '@'
///   weir.@REALM.WHERE.WHENCE.ID    unnamed object: 12 hexadecimal digits of its realm, then its three numbers
///   weir.@REALM.WORD…              the runtime's own (session, inbox.2, results.2, …); WORD begins with a letter
/// A realm is one control process with its workers, or one process without a session: what it made can be found, and
/// removed, by the prefix.
namespace weir::shm {

inline constexpr std::string_view kFilePrefix = "weir.";
inline constexpr std::size_t kMaxNameLength = 200;

/// Throws invalid_argument, in the words of `operation`, unless `name` may name a user's object: 1 to 200 characters,
/// none of them '/', a control character or a byte 0, the first not '@'.
void check_user_name(std::string_view operation, std::string_view name);

/// This process's realm: drawn at random at first use, or set once by a worker to its session's.
[[nodiscard]] std::string realm();
/// Called in a worker before anything is created.
void join_realm(std::string_view realm);

/// Name (without `weir.`) of this realm's own segment: own_name("inbox.2") is `@4f…3a.inbox.2`.
[[nodiscard]] std::string own_name(std::string_view word);

}  // namespace weir::shm
