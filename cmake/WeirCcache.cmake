# Compile through ccache where it is installed; only in our own builds, and never over the user's choice.
if(PROJECT_IS_TOP_LEVEL AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(WEIR_CCACHE ccache)
  mark_as_advanced(WEIR_CCACHE)
  if(WEIR_CCACHE)
    # What ccache's manual asks for where headers are precompiled; and what it knows of headers it has from the compiler (-MD),
    # instead of having each file preprocessed first, which makes a compilation that it has not seen up to a third longer.
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_DEPEND=1
                                    ${WEIR_CCACHE})
  endif()
endif()
