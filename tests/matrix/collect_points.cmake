# SPDX-License-Identifier: BSL-1.0
# cmake -DOUTPUT=FILE -DROOT=FOLDER -P: writes the names of all crash points in the library's code, each as "name", on a
# line of its own.
file(GLOB_RECURSE sources ${ROOT}/lib/*.cpp ${ROOT}/lib/*.hpp ${ROOT}/include/*.hpp)
list(FILTER sources EXCLUDE REGEX "/crash_point.hpp$")
set(names)
foreach(source IN LISTS sources)
  file(STRINGS ${source} lines REGEX "WEIR_CRASH_POINT\\(\"")
  foreach(line IN LISTS lines)
    string(REGEX MATCHALL "WEIR_CRASH_POINT\\(\"[^\"]+\"\\)" found "${line}")
    list(TRANSFORM found REPLACE "WEIR_CRASH_POINT\\((\"[^\"]+\")\\)" "\\1,\n")
    list(APPEND names ${found})
  endforeach()
endforeach()
list(REMOVE_DUPLICATES names)
list(SORT names)
string(JOIN "" text ${names})
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "${text}" @ONLY)
