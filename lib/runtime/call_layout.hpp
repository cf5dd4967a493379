// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "weir/ids.hpp"

namespace weir::runtime {

enum class message_kind : std::uint32_t {
  call = 1,  ///< run a function
  end = 2,   ///< finish what has begun, then end the process
};

inline constexpr std::uint32_t kNoSlot = 0xffffffff;

// What lies in an inbox: this header, then the names of the two modules, the blob's name and zeros up to a multiple of
// 16, then the arguments, layout 1. Written by the caller before it puts the message; nobody changes it afterwards.
// byte  field                meaning
//    0  kind                 message_kind
//    4  caller               process id
//    8  slot, 12 generation  the caller's result slot that takes the answer; kNoSlot: no answer is wanted
//   16  trampoline           code of the decoder and caller, as an offset in its module
//   24  function             code to be called, likewise; 0 if the trampoline knows it
//   32  trampoline_module_bytes, 36 function_module_bytes   lengths of the names that follow; 0: the main executable
//   40  arguments_bytes      length of the arguments
//   48  blob_bytes           length of the name of the segment that holds the arguments; 0: they follow here
//   52  has_references       the arguments hold handles
//   56  trace_number         the caller's number of the call while it is traced; 0: it is not
struct call_header {
  message_kind kind = message_kind::call;
  process_id caller = 0;
  std::uint32_t slot = kNoSlot;
  std::uint32_t generation = 0;
  std::uint64_t trampoline = 0;
  std::uint64_t function = 0;
  std::uint32_t trampoline_module_bytes = 0;
  std::uint32_t function_module_bytes = 0;
  std::uint64_t arguments_bytes = 0;
  std::uint32_t blob_bytes = 0;
  std::uint32_t has_references = 0;
  std::uint64_t trace_number = 0;
};
static_assert(std::is_trivially_copyable_v<call_header> && std::is_standard_layout_v<call_header>);
static_assert(offsetof(call_header, slot) == 8 && offsetof(call_header, trampoline) == 16);
static_assert(offsetof(call_header, trampoline_module_bytes) == 32 && offsetof(call_header, arguments_bytes) == 40);
static_assert(offsetof(call_header, has_references) == 52 && offsetof(call_header, trace_number) == 56 &&
              sizeof(call_header) == 64);

}  // namespace weir::runtime
