# WEIR_PRECOMPILE: our own builds parse the headers that most files need once. Off for those who include us, and in the
# preset release, where a file that lacks an #include is found out.
option(WEIR_PRECOMPILE "Precompile the headers that most of weir's files need" OFF)

# WEIR_UNITY: where all is to be compiled once more, for a sanitizer or by another compiler, a dozen of a target's files
# together, which takes a third of the time. Off where a file that leans on another's names is found out.
option(WEIR_UNITY "Compile a target's files a dozen at a time" OFF)

# WEIR_QUICK_FLAGS: for the test programs and the command, beside what all is compiled with.
set(WEIR_QUICK_FLAGS "" CACHE STRING "Compiler flags of programs that are to be compiled quickly, such as -Og")

# weir_compile_quickly(TARGET)
function(weir_compile_quickly target)
  separate_arguments(flags NATIVE_COMMAND "${WEIR_QUICK_FLAGS}")
  target_compile_options(${target} PRIVATE ${flags})
endfunction()

# weir_compile_together(TARGET [ALWAYS]): a dozen of its files at a time, where WEIR_UNITY says so or ALWAYS is given.
function(weir_compile_together target)
  if(WEIR_UNITY OR "ALWAYS" IN_LIST ARGN)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 12)
  endif()
endfunction()

# weir_precompile_library(TARGET): for a target of the library's sources.
function(weir_precompile_library target)
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
