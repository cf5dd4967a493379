// SPDX-License-Identifier: BSL-1.0
#include "call_roles.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <mutex>
#include <string_view>
#include <thread>

#include "death.hpp"

namespace weir::tests {
namespace {

using namespace std::chrono_literals;

/// Before main(), so that no point of a worker's life is passed over.
const bool g_planned = [] {
  const char* text = std::getenv(kEndVariable);
  if (text == nullptr) return false;
  const std::string_view value(text);
  const std::size_t colon = value.find(':');
  planned_end::plan(value.substr(colon + 1), std::atoi(text));
  ::unsetenv(kEndVariable);
  return true;
}();

call_ledger& notes_at(const std::string& path) {
  static std::map<std::string, call_ledger*> known;
  static std::mutex mutex;
  const std::scoped_lock lock(mutex);
  call_ledger*& found = known[path];
  if (found == nullptr) found = &map_ledger(path);
  return *found;
}

std::vector<char> answer(call_ledger& notes, int item, std::size_t wanted, channel<int>& answers) {
  ++notes.run.at(static_cast<std::size_t>(item));
  if (item % 5 == 0) std::printf("item %d\n", item);
  if (item % 7 == 0) {
    std::printf("and no end of line");
    std::fflush(stdout);
  }
  answers.put(item);
  return std::vector<char>(wanted, static_cast<char>(item));
}

/// One caller: keeps as many calls under way as its kind of scenario asks for.
class caller {
 public:
  caller(std::vector<process_id> callees, std::string path, int me, ballast size)
      : callees_(std::move(callees)), path_(std::move(path)), notes_(notes_at(path_)), me_(me), size_(size) {}

  void run() {
    for (int i = 0; i < kCallsEach && notes_.over == 0; ++i) {
      make_call(me_ * kCallsEach + i);
      while (pending_.size() > most_pending()) finish_one();
      if (i % 16 == 15) std::this_thread::sleep_for(1ms);
    }
    while (!pending_.empty()) finish_one();
    notes_.done[static_cast<std::size_t>(me_)] = 1;
  }

 private:
  struct call_under_way {
    int item;
    std::size_t wanted;
    future<std::vector<char>> result;
  };

  template <class Operation>
  auto timed(Operation&& operation) {
    return time_after_death(notes_.died_ns, notes_.longest_ns, operation);
  }

  [[nodiscard]] std::size_t most_pending() const { return size_ == ballast::file ? 70 : 3; }
  [[nodiscard]] std::size_t given_bytes(int item) const {
    constexpr std::size_t kOverAMessage = (std::size_t{16} << 20U) + 1;
    if (size_ == ballast::file) return item % 200 == 3 ? kOverAMessage : 8;
    return size_ == ballast::small ? 8 : 200'000;
  }
  [[nodiscard]] std::size_t wanted_bytes() const {
    constexpr std::array<std::size_t, kBallasts.size()> kBytes{8, 300'000, 1000};
    return kBytes.at(static_cast<std::size_t>(size_));
  }

  void make_call(int item) {
    const worker to(next_callee());
    const auto at = static_cast<std::size_t>(item);
    try {
      const std::size_t wanted = wanted_bytes();
      if (item % 8 == 5 && !pending_.empty()) {
        pending_.push_back({item, wanted, timed([&] {
                              return to.call(&work_after, item, path_, pending_.back().result, wanted, answers_);
                            })});
      } else {
        std::vector<char> given(given_bytes(item));
        pending_.push_back(
            {item, wanted, timed([&] { return to.call(&work, item, path_, std::move(given), wanted, answers_); })});
      }
    } catch (const worker_died& e) {
      notes_.ended.at(at) = call_end::failed;
      leave_out(e.id());
    }
  }

  void finish_one() {
    call_under_way first = std::move(pending_.front());
    pending_.pop_front();
    const auto at = static_cast<std::size_t>(first.item);
    try {
      const std::vector<char> got = timed([&] { return first.result.get(); });
      const bool right = got.size() == first.wanted && got.front() == static_cast<char>(first.item) &&
                         got.back() == got.front() && answers_.take_for(1s).has_value();
      if (!right) ++notes_.wrong;
      notes_.ended.at(at) = call_end::returned;
    } catch (const worker_died& e) {
      notes_.ended.at(at) = call_end::failed;
      leave_out(e.id());
    } catch (const remote_error&) {
      notes_.ended.at(at) = call_end::failed;  // the earlier call that it waited for was the victim's
      if (notes_.died_ns == 0) std::this_thread::sleep_for(5ms);
    }
  }

  void leave_out(process_id id) { std::erase(callees_, id); }
  process_id next_callee() {
    for (;;) {
      if (const process_id more = notes_.another.load(); more != 0 && more != known_other_) {
        callees_.push_back(more);
        known_other_ = more;
      }
      if (!callees_.empty()) return callees_[next_++ / 3 % callees_.size()];  // in threes, so that each gets every kind
      std::this_thread::sleep_for(1ms);
    }
  }

  std::vector<process_id> callees_;
  std::string path_;
  call_ledger& notes_;
  int me_;
  ballast size_;
  channel<int> answers_{200};
  std::deque<call_under_way> pending_;
  std::size_t next_ = 0;
  process_id known_other_ = 0;
};

}  // namespace

std::vector<char> work(int item, const std::string& path, std::vector<char> /*given*/, std::size_t wanted,
                       channel<int> answers) {
  return answer(notes_at(path), item, wanted, answers);
}

std::vector<char> work_after(int item, const std::string& path, const future<std::vector<char>>& earlier,
                             std::size_t wanted, channel<int> answers) {
  static_cast<void>(earlier.get());
  return answer(notes_at(path), item, wanted, answers);
}

void call_until_over(const std::vector<process_id>& callees, const std::string& path, int caller_number, int size) {
  caller(callees, path, caller_number, static_cast<ballast>(size)).run();
}

}  // namespace weir::tests
