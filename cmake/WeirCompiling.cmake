# WEIR_UNITY: twenty or so of the library's files are compiled together, which takes a third of the time. Off in the preset dev,
# where a file that lacks an #include, or leans on another's names, is found out. The command and the test programs always
# are.
option(WEIR_UNITY "Compile the library's files many at a time" OFF)

# WEIR_PRECOMPILE: the headers that most files need are parsed once, for the test programs and for what is compiled together.
option(WEIR_PRECOMPILE "Precompile the headers that most of weir's files need" OFF)

# WEIR_FUZZ: the library and the programs of tests/fuzz are compiled for libFuzzer, which Clang has. Others can link such a library
# too, if they are compiled with a sanitizer.
option(WEIR_FUZZ "Compile for libFuzzer" OFF)

# weir_compile_for_fuzzing(TARGET)
function(weir_compile_for_fuzzing target)
  if(WEIR_FUZZ)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
endfunction()

# WEIR_QUICK_FLAGS: for the test programs, the library with crash points and the command, beside what all is compiled with.
set(WEIR_QUICK_FLAGS "" CACHE STRING "Compiler flags of programs that are to be compiled quickly, such as -Og")

# weir_compile_quickly(TARGET)
function(weir_compile_quickly target)
  separate_arguments(flags NATIVE_COMMAND "${WEIR_QUICK_FLAGS}")
  target_compile_options(${target} PRIVATE ${flags})
endfunction()

# weir_compile_together(TARGET): its files, twenty or so at a time.
function(weir_compile_together target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 22)
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
