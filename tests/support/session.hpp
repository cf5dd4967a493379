// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "segment/segment.hpp"
#include "support/patience.hpp"
#include "weir/session.hpp"

namespace weir::tests {

/// Looks every few milliseconds until it holds; false: not within kPatience.
inline bool comes_true(const std::function<bool()>& condition) {
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= give_up) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

/// Milliseconds that `action` takes.
inline long milliseconds_of(const std::function<void()>& action) {
  const auto begin = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin).count();
}

/// A test with a session, which leaves nothing in shared memory.
class SessionTest : public testing::Test {
 protected:
  explicit SessionTest(session_options options = {})
      : session_(std::make_unique<weir::session>(std::move(options))), realm_(session_->realm()) {}
  ~SessionTest() override { end_session(); }

  [[nodiscard]] weir::session& session() const { return *session_; }
  [[nodiscard]] const std::string& realm() const { return realm_; }
  std::vector<weir::worker> start(std::size_t count, const worker_options& options = {}) {
    return session_->add_workers(count, options);
  }
  void end_session() {
    session_.reset();
    EXPECT_EQ(shm::list_segments('@' + realm_ + '.'), std::vector<std::string>());
  }

 private:
  std::unique_ptr<weir::session> session_;
  std::string realm_;
};

/// The type of `error` and, from the outside in, what is nested in it: what each says.
inline std::vector<std::string> chain_of(const std::exception& error) {
  std::vector<std::string> whats{error.what()};
  try {
    std::rethrow_if_nested(error);
  } catch (const std::exception& inner) {
    for (const std::string& what : chain_of(inner)) whats.push_back(what);
  }
  return whats;
}

}  // namespace weir::tests
