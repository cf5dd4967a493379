// SPDX-License-Identifier: BSL-1.0
#include "inspect/value_reader.hpp"

#include <fmt/core.h>

#include "inspect/value_node.hpp"
#include "weir/detail/payload.hpp"
#include "weir/error.hpp"

namespace weir::inspect {

value read_body(const value_node& node, detail::item_kind kind, std::size_t element_bytes,
                std::span<const std::byte> body, reading_budget& budget) {
  switch (kind) {
    case detail::item_kind::bytes: return read_memory(node, body, budget);
    case detail::item_kind::sequence:
      if (node.shape == node_shape::string) return read_text(body, node.number.bytes);
      if (node.shape == node_shape::list) {
        const value_node& element = node.inside.front();
        const std::size_t each = element_bytes != 0 ? element_bytes : element.layout ? element.layout->bytes : 0;
        return read_elements(element, each, body, budget);
      }
      return read_unknown(node.type, body);
    case detail::item_kind::handle: return read_handle(node.type, body);
    case detail::item_kind::any: return read_any(body, budget);
    case detail::item_kind::archive: return read_archive(node, body, budget);
  }
  return value::of_kind(value_kind::corrupt, fmt::format("items of unknown kind {}", static_cast<std::uint32_t>(kind)));
}

value_reader::value_reader(std::string_view type, detail::item_kind kind, std::size_t element_bytes)
    : node_(std::make_unique<value_node>(value_node::make(type_tree::parse(type)))),
      kind_(kind),
      element_bytes_(element_bytes) {}

value_reader::~value_reader() = default;

value value_reader::read(std::span<const std::byte> body) const {
  reading_budget budget;
  return read_body(*node_, kind_, element_bytes_, body, budget);
}

value value_reader::read_element(std::span<const std::byte> element) const {
  reading_budget budget;
  return read_memory(node_->inside.empty() ? *node_ : node_->inside.front(), element, budget);
}

value read_item(const value_reader& reader, std::span<const std::byte> item, bool has_references) {
  try {
    return reader.read(detail::split_references(item, has_references).body);
  } catch (const corrupt_segment& e) {
    return value::of_kind(value_kind::corrupt, e.what());
  }
}

}  // namespace weir::inspect
