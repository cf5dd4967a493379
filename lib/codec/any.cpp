// SPDX-License-Identifier: BSL-1.0
#include "weir/any.hpp"

#include <cstring>
#include <utility>
#include <vector>

#include "codec/any_layout.hpp"
#include "weir/error.hpp"

namespace weir::detail {

class any_value {
 public:
  explicit any_value(const item_type& type) : type_name_(type.name), element_name_(type.element_name), type_(type) {
    type_.name = type_name_;
    type_.element_name = element_name_;
  }
  any_value(const any_value&) = delete;
  any_value& operator=(const any_value&) = delete;
  ~any_value() {
    for (const std::string& reference : references_) unpin(reference);
  }

  void take(encoder& encoded) {
    body_ = encoded.body();
    references_ = encoded.release_references();
  }
  void copy(const item_parts& parts) {
    body_.assign(parts.body.begin(), parts.body.end());
    references_.reserve(parts.references.size());
    for (const std::string_view reference : parts.references) {
      std::string name(reference);
      pin(reference);
      references_.push_back(std::move(name));
    }
  }

  [[nodiscard]] const item_type& type() const noexcept { return type_; }
  [[nodiscard]] std::span<const std::byte> body() const noexcept { return body_; }
  [[nodiscard]] std::span<const std::string> references() const noexcept { return references_; }
  [[nodiscard]] bool is(const item_type& other) const noexcept {
    return type_.hash == other.hash && type_.kind == other.kind && type_.name == other.name;
  }

 private:
  std::string type_name_;
  std::string element_name_;
  item_type type_;  // its names are the two above
  std::vector<std::byte> body_;
  std::vector<std::string> references_;  // pinned
};

any_state make_any(const item_type& type, encoder& encoded) {
  auto value = std::make_shared<any_value>(type);
  value->take(encoded);
  return value;
}

bool any_holds(const any_state& state, const item_type& type) noexcept { return state && state->is(type); }

std::span<const std::byte> any_body(const any_state& state, const item_type& type) {
  if (any_holds(state, type)) return state->body();
  throw type_mismatch("weir: any: holds " + (state ? std::string(state->type().name) : std::string("nothing")) +
                      ", asked for " + std::string(type.name));
}

void encode_any(encoder& to, const any_state& state) {
  any_header header{};
  if (!state) return to.write(&header, sizeof header);

  for (const std::string& reference : state->references()) {
    std::string name = reference;
    pin(reference);
    to.add_reference(std::move(name));
  }
  std::vector<std::byte> reference_list;
  append_references(reference_list, state->references());

  const item_type& type = state->type();
  const std::size_t names_end = sizeof header + type.name.size() + type.element_name.size();
  const std::size_t padding = (kValueAlignment - names_end % kValueAlignment) % kValueAlignment;
  header = {.type_hash = type.hash,
            .value_bytes = state->body().size(),
            .value_offset = static_cast<std::uint32_t>(names_end + padding),
            .kind = static_cast<std::uint32_t>(type.kind),
            .fixed_bytes = type.fixed_bytes,
            .element_bytes = type.element_bytes,
            .type_bytes = static_cast<std::uint32_t>(type.name.size()),
            .element_name_bytes = static_cast<std::uint32_t>(type.element_name.size()),
            .reference_bytes = static_cast<std::uint32_t>(reference_list.size()),
            .zero = 0};
  to.write(&header, sizeof header);
  to.write(type.name.data(), type.name.size());
  to.write(type.element_name.data(), type.element_name.size());
  static constexpr char kZeros[kValueAlignment] = {};
  to.write(kZeros, padding);
  to.refer(state->body());
  to.write(reference_list.data(), reference_list.size());
}

any_state decode_any(std::span<const std::byte> body) {
  const auto refuse = [&body](const std::string& why) {
    throw corrupt_segment("weir: read an any of " + std::to_string(body.size()) + " bytes: " + why);
  };
  any_header header{};
  if (body.size() < sizeof header) refuse("its header has " + std::to_string(sizeof header));
  std::memcpy(&header, body.data(), sizeof header);
  if (header.type_hash == 0) {
    if (body.size() != sizeof header) refuse("it is said to be empty");
    return nullptr;
  }
  const std::uint64_t names_end = std::uint64_t{sizeof header} + header.type_bytes + header.element_name_bytes;
  if (names_end > header.value_offset || header.value_offset > body.size()) refuse("its type name is too long");
  const std::span<const std::byte> rest = body.subspan(header.value_offset);
  if (header.value_bytes > rest.size() || header.reference_bytes != rest.size() - header.value_bytes) {
    refuse("its value is said to have " + std::to_string(header.value_bytes));
  }
  const std::string_view names(reinterpret_cast<const char*>(body.data()) + sizeof header, names_end - sizeof header);
  const item_type type{.name = names.substr(0, header.type_bytes),
                       .hash = header.type_hash,
                       .kind = static_cast<item_kind>(header.kind),
                       .fixed_bytes = header.fixed_bytes,
                       .element_bytes = header.element_bytes,
                       .element_name = names.substr(header.type_bytes)};
  if (hash_of(type.name) != type.hash) refuse("its type name and its type's hash do not agree");
  auto value = std::make_shared<any_value>(type);
  value->copy(split_references(rest, header.reference_bytes != 0));
  return value;
}

}  // namespace weir::detail

std::string_view weir::any::type_name() const noexcept { return state_ ? state_->type().name : std::string_view(); }
