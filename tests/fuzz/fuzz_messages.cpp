// SPDX-License-Identifier: BSL-1.0
// What processes of a session tell each other, as it arrives: calls up to the function itself, answers and exceptions,
// blobs, the table of the session and a process's results. Everything ends soon, with a value or a weir::error.
//
// A call names code by its offset in a loaded file. Which function that is the receiver cannot check: whoever may write
// into an inbox may have any of the program's code run, so here the offset is the program's own, or nowhere.
#include <array>
#include <cstring>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "fuzz/input.hpp"
#include "fuzz/segment_bytes.hpp"
#include "runtime/blob.hpp"
#include "runtime/call_layout.hpp"
#include "runtime/code_address.hpp"
#include "runtime/continuations.hpp"
#include "runtime/future_core.hpp"
#include "runtime/member.hpp"
#include "runtime/remote_exception.hpp"
#include "runtime/results.hpp"
#include "runtime/served_call.hpp"
#include "segment/names.hpp"
#include "weir/any.hpp"
#include "weir/detail/call.hpp"
#include "weir/error.hpp"
#include "weir/future.hpp"

namespace weir::fuzz {
namespace {

namespace rt = weir::runtime;

constexpr process_id kOther = 9;  // whose results are forged

double called(int number, const std::string& text, const std::vector<double>& values, const any& anything) {
  if (text == "throw") throw std::invalid_argument(text);
  return number + static_cast<double>(values.size() + anything.type_name().size());
}
using trampoline =
    detail::remote_function<decltype(&called), detail::types<int, std::string, std::vector<double>, any>, double>;

const std::string kBlob = "blob";

/// A session of this process alone, with no other process and no thread.
struct fuzzed_session {
  fuzzed_session() {
    shm::join_realm(own_name("realm"));
    self = std::make_shared<rt::member>(rt::session_table::create(), kControlProcess);
    rt::member::set_current(self);
    static_cast<void>(rt::results_segment::create(kOther));
    results.emplace(shm::own_name("results.9"));
    table.emplace(shm::own_name("session"));
    const std::vector<std::byte> bytes(200, std::byte{1});
    const std::span<const std::byte> part(bytes);
    rt::write_blob("make", shm::own_name(kBlob), {&part, 1});
    blob.emplace(shm::own_name(kBlob));
    // Names that exist while the program runs are removed when it ends.
    static const std::string own[] = {rt::inbox_name(kControlProcess), shm::own_name("results.1")};
    std::atexit([] {
      for (const std::string& name : own) rt::remove_blob(name);
    });
    trampoline_offset = rt::name_code(reinterpret_cast<const void*>(&trampoline::run)).offset;
    function_offset = rt::name_code(reinterpret_cast<const void*>(&called)).offset;
  }
  std::shared_ptr<rt::member> self;
  std::optional<segment_image> results;
  std::optional<segment_image> table;
  std::optional<segment_image> blob;
  std::uint64_t trampoline_offset = 0;
  std::uint64_t function_offset = 0;
};

fuzzed_session& session() {
  static auto* const made = new fuzzed_session;  // never destroyed: its names go at exit
  return *made;
}

/// Changes up to seven fields of a segment; `rows` are where its tables' first rows begin. `may_resize`: nobody has mapped
/// the file.
void damage(input& from, segment_file_copy& file, std::span<const std::uint64_t> rows, bool may_resize = true) {
  for (std::uint32_t left = from.byte() % 8; left > 0; --left) {
    const std::uint8_t how = from.byte();
    if (how == 0 && may_resize) {
      file.resize(from.number<std::uint64_t>() % (file.file_bytes() + shm::kPage), from.byte() % 2 == 0);
      continue;
    }
    const std::uint64_t at = rows[how % rows.size()] + 4 * (from.byte() % 80U);
    if (from.byte() % 2 == 0) {
      file.write(at, from.number<std::uint32_t>());
    } else {
      file.write(at, from.bytes(from.byte()));
    }
  }
}

// ------------------------------------------------------------------------------------------------------------ calls

detail::taken_item arrive(std::span<const std::byte> message) {
  const detail::core_handle& inbox = session().self->inbox();
  static_cast<void>(detail::put(*inbox, detail::payload{{&message, 1}, false}, detail::deadline::at_once()));
  detail::taken_item item;
  static_cast<void>(detail::take(inbox, item, detail::deadline::at_once()));
  return item;
}

void receive_call(input& from) {
  const std::uint8_t choice = from.byte();
  std::optional<segment_file_copy> blob;
  if ((choice & 1U) != 0) {
    blob.emplace(*session().blob);
    constexpr std::array<std::uint64_t, 3> kRows{0, 64, shm::kPage};
    damage(from, *blob, kRows);
  }
  rt::call_header header = from.number<rt::call_header>();
  const bool runs = (choice & 2U) != 0;
  header.trampoline = runs ? session().trampoline_offset : ~std::uint64_t{0};
  header.function = runs ? session().function_offset : 0;
  if (runs) header.trampoline_module_bytes = header.function_module_bytes = 0;
  if ((choice & 4U) != 0) header.caller = kControlProcess;
  const std::string name = shm::own_name(kBlob);
  if (blob) header.blob_bytes = static_cast<std::uint32_t>(name.size());
  if ((choice & 8U) != 0) header.slot = session().self->results().set_aside(kControlProcess).slot;
  if ((choice & 24U) == 0) header.slot = rt::kNoSlot - 1;  // else it would print what is thrown
  std::vector<std::byte> message(sizeof header);
  std::memcpy(message.data(), &header, sizeof header);
  if (blob) {
    const auto text = std::as_bytes(std::span(name));
    message.insert(message.end(), text.begin(), text.end());
  } else if (runs) {
    header.blob_bytes = 0;
  }
  const auto rest = from.rest();
  if ((choice & 32U) != 0 && !blob) header.arguments_bytes = rest.size();
  std::memcpy(message.data(), &header, sizeof header);
  message.insert(message.end(), rest.begin(), rest.end());
  if ((choice & 64U) != 0 && message.size() > rest.size()) message.pop_back();
  if (rt::kind_of_message(arrive(message)) == rt::served::end) return;
  rt::drop_message(arrive(message));
  rt::serve_call(*session().self, arrive(message), nullptr, nullptr);
  if ((choice & 8U) != 0) session().self->results().let_go(header.slot);
}

// ---------------------------------------------------------------------------------------------- answers, exceptions

void rethrow_all(const std::exception& e) {
  try {
    std::rethrow_if_nested(e);
  } catch (const std::exception& nested) {
    rethrow_all(nested);
  }
}

void receive_exception(input& from) {
  const bool same = from.byte() % 2 == 0;
  const auto bytes = from.rest();
  try {
    if (same) rt::throw_same(bytes);
    rt::throw_remote(2, bytes);
  } catch (const std::exception& e) {
    // What was described may be of any type.
    rethrow_all(e);
    static_cast<void>(rt::encode_exception(std::current_exception(), 224));
  }
}

/// Another process's results as a future reads them.
void read_results(input& from) {
  segment_file_copy file(*session().results);
  constexpr std::array<std::uint64_t, 6> kRows{0,
                                               64,
                                               rt::kResultsHeaderOffset,
                                               rt::kBlockTableOffset,
                                               rt::kResultSlotsOffset,
                                               rt::kResultSlotsOffset + sizeof(rt::result_slot)};
  if (from.byte() % 2 == 0) file.write(rt::kResultsHeaderOffset + 12, std::uint32_t{64});
  damage(from, file, kRows);
  const auto results = rt::results_segment::attach(kOther);
  const std::uint32_t which = from.byte() % 3 == 0 ? from.number<std::uint32_t>() : from.byte() % 2;
  const rt::result_place place{which, from.byte()};
  damage(from, file, std::span(kRows).subspan(2), /*may_resize=*/false);
  rt::result_slot* const slot = results->find(place.slot);
  if (slot == nullptr) return;
  const std::vector<std::byte> value(from.byte() * std::size_t{8}, std::byte{1});
  const std::span<const std::byte> part(value);
  static_cast<void>(results->store(place, rt::result_phase::ready, {{&part, 1}, false}));
  if (rt::is_settled(session().self->table(), *slot, place)) {
    const rt::answer found = results->read(place);
    std::size_t sum = 0;
    for (const std::byte b : found.bytes) sum += static_cast<std::size_t>(b);
    static_cast<void>(detail::split_references(found.bytes, found.has_references && sum != 0));
  }
  results->retire();
}

/// Our own results, which a callee has written to.
void let_go_of_results(input& from) {
  rt::own_results& own = session().self->results();
  const rt::result_place place = own.set_aside(kControlProcess);
  rt::result_slot& slot = own.segment()->slot(place.slot);
  const std::uint8_t how = from.byte();
  slot.place = how % 4;
  slot.bytes = how % 8 < 4 ? from.byte() : from.number<std::uint64_t>();
  slot.block = how % 16 < 8 ? from.byte() % 64 : from.number<std::uint32_t>();
  slot.has_references = from.byte() % 2;
  const auto small = from.bytes(rt::kSmallResult);
  std::memcpy(slot.small, small.data(), small.size());
  const auto phase = static_cast<rt::result_phase>(2 + from.byte() % 3);
  slot.word.store(rt::make_word(phase, place.generation), std::memory_order_release);
  try {
    static_cast<void>(own.segment()->read(place));
  } catch (const weir::error&) {
    // It says so to whoever asks for the value.
  }
  slot.references.store(0, std::memory_order_release);
  own.let_go(place.slot);
}

void receive_reference(input& from) {
  segment_file_copy file(*session().results);
  file.write(rt::kResultsHeaderOffset + 12, std::uint32_t{64});
  const auto bytes = from.rest();
  const std::string name(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  detail::unpin_future(name);
  static_cast<void>(detail::attach_future("/future/" + name));
}

void join_session(input& from) {
  segment_file_copy file(*session().table);
  constexpr std::array<std::uint64_t, 4> kRows{0, 64, rt::kSessionHeaderOffset, rt::kEntriesOffset + 256};
  damage(from, file, kRows);
  rt::session_table table = rt::session_table::attach();
  const auto id = from.number<process_id>();
  static_cast<void>(table.find(id));
  static_cast<void>(table.is_gone(id));
  static_cast<void>(table.report_of(id).text());
  static_cast<void>(rt::death_watch(table, id).ended());
  table.signal_completion();
  table.set_running(id % rt::kEntries);
}

void run(input from) {
  session();
  constexpr std::array kReceivers{&receive_call,      &receive_call,      &receive_exception, &read_results,
                                  &let_go_of_results, &receive_reference, &join_session};
  try {
    kReceivers[from.byte() % kReceivers.size()](from);
  } catch (const weir::error&) {
    // Refused, in words.
  }
}

}  // namespace
}  // namespace weir::fuzz

// The name is libFuzzer's.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::fuzz::run({data, size});
  return 0;
}
