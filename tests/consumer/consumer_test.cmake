# Installs weir into the build tree, then configures, builds and runs the project in this folder against it.
if(WEIR_TEST_LABEL AND NOT WEIR_TEST_LABEL STREQUAL "install")
  return()
endif()
set(prefix ${CMAKE_CURRENT_BINARY_DIR}/consumer/prefix)
set(binary_dir ${CMAKE_CURRENT_BINARY_DIR}/consumer/build)

add_test(NAME consumer.install COMMAND ${CMAKE_COMMAND} --install ${PROJECT_BINARY_DIR} --prefix ${prefix})
add_test(
  NAME consumer.build
  COMMAND
    ${CMAKE_CTEST_COMMAND} --build-and-test ${CMAKE_CURRENT_LIST_DIR} ${binary_dir} --build-generator
    ${CMAKE_GENERATOR} --build-options -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}
    -DCMAKE_CXX_FLAGS=${CMAKE_CXX_FLAGS} -DCMAKE_BUILD_TYPE=${CMAKE_BUILD_TYPE})
add_test(NAME consumer.run COMMAND ${binary_dir}/consumer)

set(installed consumer.build consumer.run)
if(TARGET weir_pages)
  add_test(
    NAME consumer.pages
    COMMAND ${CMAKE_COMMAND} -E cat ${prefix}/${CMAKE_INSTALL_MANDIR}/man1/weir.1 ${prefix}/${CMAKE_INSTALL_MANDIR}/man1/weir-ls.1
            ${prefix}/${CMAKE_INSTALL_DATADIR}/bash-completion/completions/weir
            ${prefix}/${CMAKE_INSTALL_DATADIR}/zsh/site-functions/_weir)
  set_tests_properties(consumer.pages PROPERTIES FIXTURES_REQUIRED installed_weir)
  list(APPEND installed consumer.pages)
endif()

set_tests_properties(consumer.install PROPERTIES FIXTURES_SETUP installed_weir)
set_tests_properties(consumer.build PROPERTIES FIXTURES_REQUIRED installed_weir FIXTURES_SETUP built_consumer)
set_tests_properties(consumer.run PROPERTIES FIXTURES_REQUIRED built_consumer)
set_tests_properties(consumer.install ${installed} PROPERTIES TIMEOUT 300 LABELS install)
