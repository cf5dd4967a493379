# WEIR_PRECOMPILE: our own builds parse the headers that most files need once. Off for those who include us, and in the
# preset release, where a file that lacks an #include is found out.
option(WEIR_PRECOMPILE "Precompile the headers that most of weir's files need" OFF)

# WEIR_UNITY: where all is to be compiled once more, for a sanitizer or by another compiler, a dozen of the library's files
# together, which takes a third of the time. Off where a file that leans on another's names is found out.
option(WEIR_UNITY "Compile the library's files a dozen at a time" OFF)

# weir_precompile_library(TARGET): for a target of the library's sources.
function(weir_precompile_library target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${WEIR_UNITY} UNITY_BUILD_BATCH_SIZE 12)
  if(WEIR_PRECOMPILE)
    target_precompile_headers(
      ${target}
      PRIVATE
      <algorithm>
      <array>
      <atomic>
      <boost/interprocess/mapped_region.hpp>
      <chrono>
      <fmt/format.h>
      <functional>
      <map>
      <memory>
      <mutex>
      <optional>
      <string>
      <string_view>
      <thread>
      <vector>)
  endif()
endfunction()

# weir_precompile_tests(TARGET OWNER): for a test program; all with the same OWNER, an object library that is compiled as
# they are, share what was precompiled for it.
function(weir_precompile_tests target owner)
  if(WEIR_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM ${owner})
  endif()
endfunction()
