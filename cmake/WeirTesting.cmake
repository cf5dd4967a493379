include(GoogleTest)

# weir_add_test(NAME LABELS LABEL… SOURCES FILE… [LIBRARIES TARGET…] [TIMEOUT SECONDS] [PARTS N] [CRASH_POINTS] [SERIAL])
#
# A GoogleTest program, each of its tests a CTest of its own (NAME.Suite.Test). tests/support/main.cpp is its main().
#   LABELS        `thread`: all happens in one process, so that the thread sanitizer sees it; `process`: all others.
#                 One of them is required; more labels are welcome.
#   CRASH_POINTS  links the library that was compiled with WEIR_CRASH_POINTS=1.
#   PARTS         for thousands of short tests, each of which would spend most of its time on starting the program: CTest runs
#                 N parts of them (NAME.part_I_of_N), one after the other in a process.
#   SERIAL        runs alone: for tests that measure time or fill the shared memory.
#   TIMEOUT       a watchdog against hangs (240 s), never an assertion about speed: a busy machine may take ten times as long
#                 as a free one, and a sanitizer as much again.
# WEIR_TEST_LABEL, when set, leaves out programs without that label.
# WEIR_CRASH_TESTS, when off, leaves out those with CRASH_POINTS, and so a second compilation of the library.
set(WEIR_TEST_LABEL "" CACHE STRING "Build only the test programs with this label (empty: all)")
option(WEIR_CRASH_TESTS "Build the tests that kill a process at a named point of the library" ON)

# How every test program is compiled: quickly, since they are many. The library that they link is compiled as usual.
function(weir_compile_as_test target library)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  weir_compile_quickly(${target})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests ${PROJECT_SOURCE_DIR}/lib)
  target_link_libraries(${target} PRIVATE ${library} Boost::headers GTest::gmock GTest::gtest fmt::fmt)
endfunction()

# main(), compiled once for all programs that link the same library, and the headers that they have in common.
function(weir_add_test_main name library)
  if(TARGET ${name})
    return()
  endif()
  add_library(${name} OBJECT EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/tests/support/main.cpp)
  weir_compile_as_test(${name} ${library})
  if(WEIR_PRECOMPILE)
    target_precompile_headers(${name} PRIVATE <fmt/format.h> <gmock/gmock.h> <gtest/gtest.h> <weir/weir.hpp>)
  endif()
endfunction()

function(weir_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "CRASH_POINTS;SERIAL" "PARTS;TIMEOUT" "LABELS;SOURCES;LIBRARIES")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "weir_add_test(${name}): unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT "thread" IN_LIST arg_LABELS AND NOT "process" IN_LIST arg_LABELS)
    message(FATAL_ERROR "weir_add_test(${name}): LABELS must have `thread` or `process`")
  endif()
  if(WEIR_TEST_LABEL AND NOT WEIR_TEST_LABEL IN_LIST arg_LABELS)
    return()
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 240)
  endif()
  if(arg_CRASH_POINTS AND NOT WEIR_CRASH_TESTS)
    return()
  endif()
  if(arg_CRASH_POINTS)
    set(library weir_crash_points)
    set(main weir_crash_test_main)
  else()
    set(library weir::weir)
    set(main weir_test_main)
  endif()

  weir_add_test_main(${main} ${library})
  add_executable(${name} $<TARGET_OBJECTS:${main}> ${arg_SOURCES})
  weir_compile_as_test(${name} ${library})
  weir_precompile_tests(${name} ${main})
  weir_compile_together(${name})
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES})
  if(TARGET weir_command)
    # The path of the command, for tests that run it.
    target_compile_definitions(${name} PRIVATE WEIR_COMMAND="$<TARGET_FILE:weir_command>")
    add_dependencies(${name} weir_command)
  endif()

  set(properties TIMEOUT ${arg_TIMEOUT})
  if(arg_SERIAL)
    list(APPEND properties RUN_SERIAL TRUE)
  endif()
  if(arg_PARTS)
    foreach(part RANGE 1 ${arg_PARTS})
      math(EXPR index "${part} - 1")
      set(test ${name}.part_${part}_of_${arg_PARTS})
      add_test(NAME ${test} COMMAND ${name})
      set_tests_properties(
        ${test}
        PROPERTIES ${properties} LABELS "${arg_LABELS}" ENVIRONMENT
                   "GTEST_TOTAL_SHARDS=${arg_PARTS};GTEST_SHARD_INDEX=${index}")
    endforeach()
    return()
  endif()
  gtest_discover_tests(
    ${name}
    TEST_PREFIX ${name}.
    TEST_LIST ${name}_tests
    DISCOVERY_MODE PRE_TEST
    DISCOVERY_TIMEOUT 60
    PROPERTIES ${properties})

  # gtest_discover_tests() would take a list of several labels apart; CTest reads this file after its own.
  set(labels_file ${CMAKE_CURRENT_BINARY_DIR}/${name}_labels.cmake)
  file(CONFIGURE OUTPUT ${labels_file} @ONLY CONTENT [[
if(@name@_tests)
  set_tests_properties(${@name@_tests} PROPERTIES LABELS "@arg_LABELS@")
endif()
]])
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${labels_file})
endfunction()

# weir_add_program_for(TEST PROGRAM MACRO SOURCE): a program that TEST, if it is built, runs; MACRO is its path there.
function(weir_add_program_for test program macro source)
  if(NOT TARGET ${test})
    return()
  endif()
  add_executable(${program} ${source})
  target_link_libraries(${program} PRIVATE weir::weir)
  target_compile_definitions(${test} PRIVATE ${macro}="$<TARGET_FILE:${program}>")
  add_dependencies(${test} ${program})
endfunction()

# weir_let_use_numpy(TEST): WEIR_PYTHON_WITH_NUMPY is a Python that has NumPy there, if one has.
function(weir_let_use_numpy test)
  if(NOT TARGET ${test})
    return()
  endif()
  foreach(python IN ITEMS python3 /usr/bin/python3)
    execute_process(
      COMMAND ${python} -c "import numpy"
      RESULT_VARIABLE numpy_is_missing
      OUTPUT_QUIET ERROR_QUIET)
    if(numpy_is_missing STREQUAL "0")
      target_compile_definitions(${test} PRIVATE WEIR_PYTHON_WITH_NUMPY="${python}")
      return()
    endif()
  endforeach()
endfunction()

# weir_add_compile_fail_test(NAME SOURCE REGEX)
#
# SOURCE must not compile, and what the compiler says must match REGEX. With -DWEIR_MUST_COMPILE it leaves out the wrong line, and
# must compile: see weir_add_compile_fail_check().
function(weir_add_compile_fail_test name source regex)
  if(WEIR_TEST_LABEL AND NOT WEIR_TEST_LABEL STREQUAL "compile")
    return()
  endif()
  cmake_path(ABSOLUTE_PATH source)
  set_property(GLOBAL APPEND PROPERTY WEIR_COMPILE_FAIL_SOURCES ${source})
  weir_compile_fail_command(compile)
  add_test(NAME compile_fail.${name} COMMAND ${CMAKE_COMMAND} -P ${PROJECT_SOURCE_DIR}/tests/support/compile_fail.cmake --
                                             ${source} ${regex} ${compile})
  set_tests_properties(compile_fail.${name} PROPERTIES TIMEOUT 240 LABELS compile FIXTURES_REQUIRED compile_fail_headers)
endfunction()

# The compiler and its flags for these programs. weir's headers are parsed once for all of them, by a test that they need.
function(weir_compile_fail_command out)
  separate_arguments(flags NATIVE_COMMAND "${CMAKE_CXX_FLAGS}")
  set(compile ${CMAKE_CXX_COMPILER} ${flags} -std=c++20 -I${PROJECT_SOURCE_DIR}/include)
  set(headers ${PROJECT_BINARY_DIR}/tests/compile_fail/headers.hpp)
  if(NOT TEST compile_fail.headers)
    file(CONFIGURE OUTPUT ${headers} CONTENT "#include <weir/weir.hpp>\n")
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      set(suffix gch)
    else()
      set(suffix pch)
    endif()
    add_test(NAME compile_fail.headers COMMAND ${compile} -x c++-header ${headers} -o ${headers}.${suffix})
    set_tests_properties(compile_fail.headers PROPERTIES TIMEOUT 240 LABELS compile FIXTURES_SETUP compile_fail_headers)
  endif()
  set(${out} ${compile} -include ${headers} -fsyntax-only PARENT_SCOPE)
endfunction()

# weir_add_compile_fail_check(): after all weir_add_compile_fail_test(): their programs without the wrong line must compile, so that
# nothing else is wrong with them. All are compiled at once, each in a namespace of its own.
function(weir_add_compile_fail_check)
  get_property(sources GLOBAL PROPERTY WEIR_COMPILE_FAIL_SOURCES)
  if(NOT sources)
    return()
  endif()
  set(includes)
  set(programs)
  foreach(source IN LISTS sources)
    file(STRINGS ${source} lines REGEX "^#include ")
    list(APPEND includes ${lines})
    cmake_path(GET source STEM name)
    string(APPEND programs "namespace ${name} {\n#include \"${source}\"\n}\n")
  endforeach()
  list(REMOVE_DUPLICATES includes)
  list(JOIN includes "\n" includes)
  set(all ${CMAKE_CURRENT_BINARY_DIR}/right_lines.cpp)
  file(CONFIGURE OUTPUT ${all} CONTENT "${includes}\n#define main must_compile\n${programs}" @ONLY)
  weir_compile_fail_command(compile)
  add_test(NAME compile_fail.right_lines COMMAND ${compile} -DWEIR_MUST_COMPILE ${all})
  set_tests_properties(compile_fail.right_lines PROPERTIES TIMEOUT 240 LABELS compile FIXTURES_REQUIRED compile_fail_headers)
endfunction()

# weir_add_output_test(NAME EXPECTED FILE COMMAND TARGET [ARGUMENT…])
#
# Runs a program, which must exit with 0 and whose output (stdout) must be FILE, line for line. A line of FILE that
# begins with `~ ` is a regular expression for that whole line.
function(weir_add_output_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "EXPECTED" "COMMAND")
  if(WEIR_TEST_LABEL AND NOT WEIR_TEST_LABEL STREQUAL "process")
    return()
  endif()
  cmake_path(ABSOLUTE_PATH arg_EXPECTED)
  list(POP_FRONT arg_COMMAND program)
  add_test(NAME ${name} COMMAND ${CMAKE_COMMAND} -P ${PROJECT_SOURCE_DIR}/tests/support/expect_output.cmake --
                                ${arg_EXPECTED} $<TARGET_FILE:${program}> ${arg_COMMAND})
  set_tests_properties(${name} PROPERTIES TIMEOUT 240 LABELS process)
endfunction()
