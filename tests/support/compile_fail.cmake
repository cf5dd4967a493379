# cmake -P compile_fail.cmake -- SOURCE REGEX COMPILER [FLAG…]; see weir_add_compile_fail_test().
math(EXPR last "${CMAKE_ARGC} - 1")
set(arguments)
set(after_dashes FALSE)
foreach(i RANGE 1 ${last})
  if(after_dashes)
    list(APPEND arguments "${CMAKE_ARGV${i}}")
  elseif(CMAKE_ARGV${i} STREQUAL "--")
    set(after_dashes TRUE)
  endif()
endforeach()
list(POP_FRONT arguments source regex)

execute_process(
  COMMAND ${arguments} ${source}
  RESULT_VARIABLE result
  OUTPUT_VARIABLE output
  ERROR_VARIABLE output)
if(result EQUAL 0)
  message(FATAL_ERROR "${source} must not compile, and does")
endif()
if(NOT output MATCHES "${regex}")
  message(NOTICE "expected: ${regex}\nfound:\n${output}")
  message(FATAL_ERROR "${source} does not compile, as it should, but not for the expected reason")
endif()
