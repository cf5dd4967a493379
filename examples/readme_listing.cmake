# cmake -P readme_listing.cmake -- README PROGRAM
#
# Fails unless README shows PROGRAM, without its licence line, as it is.
file(READ ${CMAKE_ARGV4} readme)
file(READ ${CMAKE_ARGV5} program)
string(REGEX REPLACE "^// SPDX[^\n]*\n" "" program "${program}")
string(FIND "${readme}" "```cpp\n${program}```\n" at)
if(at EQUAL -1)
  message(FATAL_ERROR "${CMAKE_ARGV4} does not show ${CMAKE_ARGV5} as it is")
endif()
