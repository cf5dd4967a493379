// SPDX-License-Identifier: BSL-1.0
#include "runtime/remote_exception.hpp"

#include <cxxabi.h>
#include <fmt/core.h>

#include <algorithm>
#include <any>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <future>
#include <ios>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <tuple>
#include <typeinfo>
#include <utility>
#include <variant>

#include "weir/error.hpp"

namespace weir::runtime {
namespace {

/// Anything that is thrown and has no type that both processes know.
class foreign_exception : public std::exception {
 public:
  explicit foreign_exception(std::string what) : what_(std::move(what)) {}
  [[nodiscard]] const char* what() const noexcept override { return what_.c_str(); }

 private:
  std::string what_;
};

/// One exception of a chain, as it travels.
struct description {
  std::uint32_t kind = 0;   // see kind_of()
  std::int32_t number = 0;  // error code, process id: as the kind needs it
  std::int32_t detail = 0;  // category, how a worker ended: likewise
  std::string type;
  std::string what;
  std::string extra;  // reason, name: likewise
  std::unique_ptr<description> nested;
};

// The most derived types come first: the first that fits is taken.
using text_types =
    std::tuple<std::invalid_argument, std::domain_error, std::length_error, std::out_of_range, std::logic_error,
               std::range_error, std::overflow_error, std::underflow_error, std::runtime_error>;
using plain_types =
    std::tuple<std::bad_array_new_length, std::bad_alloc, std::bad_optional_access, std::bad_any_cast, std::bad_cast,
               std::bad_typeid, std::bad_function_call, std::bad_variant_access, std::bad_weak_ptr>;
using weir_types = std::tuple<not_found, already_exists, layout_mismatch, corrupt_segment, no_space, item_too_large,
                              weir::invalid_argument, permission_denied, not_in_session, timed_out, type_mismatch>;

enum class family : std::uint32_t {
  foreign,
  remote,      // number: worker
  closed,      // extra: reason
  died,        // number: worker; detail, extra: how
  undefined,   // number: worker; extra: name
  weir_error,  // number: errc
  failure,     // std::ios_base::failure; as system
  system,      // number: error code; detail: category
  weir_type,   // + index in weir_types
  text_type,   // + index in text_types
  plain_type,  // + index in plain_types
};
constexpr std::uint32_t kFamilyStride = 64;
constexpr std::uint32_t make_kind(family f, std::size_t index = 0) {
  return static_cast<std::uint32_t>(f) * kFamilyStride + static_cast<std::uint32_t>(index);
}

enum class category : std::int32_t { other, generic, system, iostream, future, weir };

const std::error_category* category_of(category c) {
  switch (c) {
    case category::generic: return &std::generic_category();
    case category::system: return &std::system_category();
    case category::iostream: return &std::iostream_category();
    case category::future: return &std::future_category();
    case category::weir: return &weir_category();
    case category::other: break;
  }
  return nullptr;
}

category number_of(const std::error_category& wanted) {
  for (const category c : {category::generic, category::system, category::iostream, category::future, category::weir}) {
    if (*category_of(c) == wanted) return c;
  }
  return category::other;
}

/// Index of the first type of the tuple that `e` is derived from.
template <class... Types>
std::optional<std::size_t> index_in(const std::exception& e, const std::tuple<Types...>* /*types*/) {
  std::size_t index = 0;
  const bool found = ((dynamic_cast<const Types*>(&e) != nullptr || (++index, false)) || ...);
  return found ? std::optional(index) : std::nullopt;
}

std::string readable_type(const char* mangled) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(mangled, nullptr, nullptr, &status), std::free);
  std::string text = status == 0 && name ? name.get() : mangled;
  for (const std::string_view noise : {"__cxx11::", "[abi:cxx11]"}) {
    for (auto at = text.find(noise); at != std::string::npos; at = text.find(noise)) text.erase(at, noise.size());
  }
  // What std::throw_with_nested() wraps a type in.
  constexpr std::string_view kWrapper = "std::_Nested_exception<";
  if (text.starts_with(kWrapper) && text.ends_with('>'))
    text = text.substr(kWrapper.size(), text.size() - kWrapper.size() - 1);
  return text;
}

/// The text that, given to std::system_error with the code, yields `what`.
std::string without_code_text(std::string what, const std::error_code& code) {
  const std::string end = ": " + code.message();
  if (what.ends_with(end)) what.resize(what.size() - end.size());
  return what;
}

void describe_system(description& d, const std::error_code& code, family f) {
  d.detail = static_cast<std::int32_t>(number_of(code.category()));
  if (d.detail == static_cast<std::int32_t>(category::other)) {
    d.kind = make_kind(family::text_type, std::tuple_size_v<text_types> - 1);  // as std::runtime_error
    return;
  }
  d.kind = make_kind(f);
  d.number = code.value();
}

void describe_kind(description& d, const std::exception& e) {
  if (const auto* remote = dynamic_cast<const remote_error*>(&e)) {
    d.kind = make_kind(family::remote);
    d.number = static_cast<std::int32_t>(remote->worker());
    d.type = remote->type();
    d.extra = remote->message();
  } else if (const auto* closed = dynamic_cast<const channel_closed*>(&e)) {
    d.kind = make_kind(family::closed);
    d.extra = closed->reason();
  } else if (const auto* died = dynamic_cast<const worker_died*>(&e)) {
    d.kind = make_kind(family::died);
    d.number = static_cast<std::int32_t>(died->id());
    d.extra = died->signal() ? "signal" : died->exit_status() ? "status" : "";
    d.detail = died->signal().value_or(died->exit_status().value_or(0));
  } else if (const auto* undefined = dynamic_cast<const undefined_global*>(&e)) {
    d.kind = make_kind(family::undefined);
    d.number = static_cast<std::int32_t>(undefined->on());
    d.extra = undefined->name();
  } else if (const auto own = index_in(e, static_cast<weir_types*>(nullptr))) {
    d.kind = make_kind(family::weir_type, *own);
  } else if (const auto* error = dynamic_cast<const weir::error*>(&e)) {
    d.kind = make_kind(family::weir_error);
    d.number = error->code().value();
  } else if (const auto* failure = dynamic_cast<const std::ios_base::failure*>(&e)) {
    describe_system(d, failure->code(), family::failure);
  } else if (const auto* system = dynamic_cast<const std::system_error*>(&e)) {
    describe_system(d, system->code(), family::system);
  } else if (const auto text = index_in(e, static_cast<text_types*>(nullptr))) {
    d.kind = make_kind(family::text_type, *text);
  } else if (const auto plain = index_in(e, static_cast<plain_types*>(nullptr))) {
    d.kind = make_kind(family::plain_type, *plain);
  }
}

constexpr int kDeepest = 16;  // exceptions nested in the first

std::unique_ptr<description> describe_chain(const std::exception_ptr& error, int depth = 0) {
  auto d = std::make_unique<description>();
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    d->type = readable_type(typeid(e).name());
    d->what = e.what();
    describe_kind(*d, e);
    const auto* nesting = dynamic_cast<const std::nested_exception*>(&e);
    if (nesting != nullptr && nesting->nested_ptr() && depth < kDeepest)
      d->nested = describe_chain(nesting->nested_ptr(), depth + 1);
  } catch (...) {
    const std::type_info* type = abi::__cxa_current_exception_type();
    d->type = type != nullptr ? readable_type(type->name()) : "unknown";
    d->what = fmt::format("an exception of type {}, which is no std::exception", d->type);
  }
  return d;
}

// ------------------------------------------------------------------------------------------------------ as bytes

struct wire_description {
  std::uint32_t kind;
  std::int32_t number;
  std::int32_t detail;
  std::uint32_t type_bytes;
  std::uint32_t what_bytes;
  std::uint32_t extra_bytes;
};

void append(std::vector<std::byte>& to, const void* from, std::size_t bytes) {
  const auto* begin = static_cast<const std::byte*>(from);
  to.insert(to.end(), begin, begin + bytes);
}

std::vector<std::byte> to_bytes(const description& first) {
  std::vector<std::byte> bytes;
  for (const description* d = &first; d != nullptr; d = d->nested.get()) {
    const wire_description wire{d->kind,
                                d->number,
                                d->detail,
                                static_cast<std::uint32_t>(d->type.size()),
                                static_cast<std::uint32_t>(d->what.size()),
                                static_cast<std::uint32_t>(d->extra.size())};
    append(bytes, &wire, sizeof wire);
    for (const std::string* text : {&d->type, &d->what, &d->extra}) append(bytes, text->data(), text->size());
  }
  return bytes;
}

std::unique_ptr<description> from_bytes(std::span<const std::byte> bytes, int depth = 0) {
  if (bytes.empty()) return nullptr;
  if (depth > kDeepest) {
    throw corrupt_segment(fmt::format(
        "weir: read a call's result: it describes more than {} exceptions, one in the other", kDeepest + 1));
  }
  wire_description wire{};
  const auto too_short = [&](std::size_t need) {
    if (bytes.size() < need) throw corrupt_segment("weir: read a call's result: the exception it describes is cut off");
  };
  too_short(sizeof wire);
  std::memcpy(&wire, bytes.data(), sizeof wire);
  bytes = bytes.subspan(sizeof wire);
  too_short(std::size_t{wire.type_bytes} + wire.what_bytes + wire.extra_bytes);
  auto d = std::make_unique<description>();
  d->kind = wire.kind;
  d->number = wire.number;
  d->detail = wire.detail;
  for (const auto& [text, size] : {std::pair(&d->type, wire.type_bytes), std::pair(&d->what, wire.what_bytes),
                                   std::pair(&d->extra, wire.extra_bytes)}) {
    text->assign(reinterpret_cast<const char*>(bytes.data()), size);
    bytes = bytes.subspan(size);
  }
  d->nested = from_bytes(bytes, depth + 1);
  return d;
}

std::unique_ptr<description> described_by(std::span<const std::byte> bytes) {
  std::unique_ptr<description> d = from_bytes(bytes);
  if (!d) throw corrupt_segment("weir: read a call's result: it describes no exception");
  return d;
}

// ------------------------------------------------------------------------------------------------- and back again

[[noreturn]] void throw_again(const description& d);

/// Throws `e`, what was nested in it nested again.
template <class Exception>
[[noreturn]] void throw_one(const description& d, Exception e) {
  if (!d.nested) throw e;
  try {
    throw_again(*d.nested);
  } catch (...) {
    std::throw_with_nested(std::move(e));
  }
}

template <std::size_t... I, class... Types>
void throw_by_index(const description& d, std::uint32_t index, const std::tuple<Types...>* /*types*/,
                    std::index_sequence<I...> /*indices*/) {
  const auto throw_if = [&]<class T>(std::type_identity<T>) {
    if constexpr (std::is_constructible_v<T, const std::string&>) {
      throw_one(d, T(d.what));
    } else {
      throw_one(d, T());
    }
  };
  ((index == I ? throw_if(std::type_identity<Types>()) : void()), ...);
}

template <class... Types>
void throw_indexed(const description& d, std::uint32_t index, const std::tuple<Types...>* types) {
  throw_by_index(d, index, types, std::index_sequence_for<Types...>());
}

exit_report report_in(const description& d) {
  exit_report report;
  if (d.extra == "signal") report.signal = d.detail;
  if (d.extra == "status") report.exit_status = d.detail;
  return report;
}

void throw_again(const description& d) {
  const auto id = static_cast<process_id>(d.number);
  const std::uint32_t index = d.kind % kFamilyStride;
  switch (static_cast<family>(d.kind / kFamilyStride)) {
    case family::remote: {
      try {
        if (d.nested) throw_again(*d.nested);
        throw foreign_exception(d.extra);
      } catch (const remote_error& further) {
        throw remote_error(id, further);
      } catch (...) {
        throw remote_error(id, d.type, d.extra);
      }
    }
    case family::closed: throw_one(d, channel_closed(d.what, d.extra));
    case family::died: throw_one(d, worker_died(d.what, id, report_in(d)));
    case family::undefined: throw_one(d, undefined_global(d.extra, id));
    case family::weir_error: throw_one(d, weir::error(static_cast<errc>(d.number), d.what));
    case family::failure:
    case family::system: {
      const std::error_category* found = category_of(static_cast<category>(d.detail));
      const std::error_code code(d.number, found != nullptr ? *found : std::generic_category());
      const std::string text = without_code_text(d.what, code);
      if (static_cast<family>(d.kind / kFamilyStride) == family::system) throw_one(d, std::system_error(code, text));
      throw_one(d, std::ios_base::failure(text, code));
    }
    case family::weir_type: throw_indexed(d, index, static_cast<weir_types*>(nullptr)); break;
    case family::text_type: throw_indexed(d, index, static_cast<text_types*>(nullptr)); break;
    case family::plain_type: throw_indexed(d, index, static_cast<plain_types*>(nullptr)); break;
    case family::foreign: break;
  }
  throw_one(d, foreign_exception(d.what));
}

}  // namespace

std::vector<std::byte> encode_exception(const std::exception_ptr& error, std::size_t most_bytes) {
  const std::unique_ptr<description> d = describe_chain(error);
  std::vector<std::byte> bytes = to_bytes(*d);
  if (bytes.size() <= most_bytes) return bytes;
  d->nested.reset();
  bytes = to_bytes(*d);
  for (std::string* text : {&d->what, &d->extra, &d->type}) {
    if (bytes.size() <= most_bytes) break;
    text->resize(text->size() - std::min(text->size(), bytes.size() - most_bytes));
    bytes = to_bytes(*d);
  }
  return bytes;
}

void throw_same(std::span<const std::byte> bytes) { throw_again(*described_by(bytes)); }

void throw_remote(process_id worker, std::span<const std::byte> bytes) {
  const std::unique_ptr<description> d = described_by(bytes);
  try {
    throw_again(*d);
  } catch (const remote_error& further) {
    throw remote_error(worker, further);
  } catch (...) {
    throw remote_error(worker, d->type, d->what);
  }
}

std::string describe(const std::exception_ptr& error) {
  const std::unique_ptr<description> d = describe_chain(error);
  return d->kind == make_kind(family::remote) ? d->what : fmt::format("{}: {}", d->type, d->what);
}

}  // namespace weir::runtime
