# weir_sources(FILE…): in lib/<layer>/CMakeLists.txt, adds files of that folder to the library. The files are also
# remembered in the global property WEIR_SOURCES, from which the tests build the library once more (weir_crash_points).
function(weir_sources)
  list(TRANSFORM ARGN PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ OUTPUT_VARIABLE files)
  target_sources(weir PRIVATE ${files})
  set_property(GLOBAL APPEND PROPERTY WEIR_SOURCES ${files})
endfunction()

# weir_configure_library(TARGET [TOGETHER]): all that the library's sources need to be compiled, and its users to link; TOGETHER:
# as with WEIR_UNITY.
function(weir_configure_library target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/lib)
  # Boost.Process with std::filesystem is header-only. Both are used inside only; the macro is here and not in a file,
  # so that no two files can disagree about it.
  target_compile_definitions(${target} PRIVATE BOOST_PROCESS_USE_STD_FS)
  target_link_libraries(
    ${target}
    PUBLIC cereal::cereal Threads::Threads
    PRIVATE Boost::headers fmt::fmt)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
  weir_compile_for_fuzzing(${target})
  if(WEIR_UNITY OR "TOGETHER" IN_LIST ARGN)
    weir_compile_together(${target})
    weir_precompile_library(${target})
  endif()
endfunction()
