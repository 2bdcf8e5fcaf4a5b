# Functions that the folders of C++ tests share.

# The header is for every system, so cross builds take this machine's too.
find_path(GIVENS_DOCTEST_INCLUDE_DIR doctest/doctest.h PATHS /usr/include NO_CMAKE_FIND_ROOT_PATH)
if(NOT GIVENS_DOCTEST_INCLUDE_DIR)
  message(FATAL_ERROR "The tests need the header doctest/doctest.h (Debian package doctest-dev)")
endif()
set(givens_doctest_include ${GIVENS_DOCTEST_INCLUDE_DIR})
if(CMAKE_CROSSCOMPILING)
  # Its folder also has this machine's own headers, which must not be found.
  set(givens_doctest_include ${PROJECT_BINARY_DIR}/doctest)
  file(COPY ${GIVENS_DOCTEST_INCLUDE_DIR}/doctest/doctest.h
    DESTINATION ${givens_doctest_include}/doctest)
endif()

# GCC's thread sanitizer needs the address layout of older kernels and says "unexpected memory mapping"
# on newer ones. Tests run without address randomisation where the system allows it.
set(givens_test_launcher ${CMAKE_CROSSCOMPILING_EMULATOR})
if(GIVENS_SANITIZE MATCHES "thread")
  find_program(GIVENS_SETARCH setarch)
  if(GIVENS_SETARCH)
    execute_process(COMMAND ${GIVENS_SETARCH} -R true
      RESULT_VARIABLE givens_setarch_result OUTPUT_QUIET ERROR_QUIET)
    if(givens_setarch_result EQUAL 0)
      set(givens_test_launcher ${GIVENS_SETARCH} -R)
    endif()
  endif()
endif()

# Makes `target` an executable of doctest's.
function(givens_configure_tests target)
  givens_configure_target(${target})
  target_include_directories(${target} SYSTEM PRIVATE ${givens_doctest_include})
  # Makes each check a call instead of a try block in place, which takes longer to compile.
  target_compile_definitions(${target} PRIVATE DOCTEST_CONFIG_SUPER_FAST_ASSERTS)
  # Tests leave some cases out, since QEMU takes ten times as long.
  if(CMAKE_CROSSCOMPILING_EMULATOR MATCHES "qemu")
    target_compile_definitions(${target} PRIVATE GIVENS_TESTS_ON_EMULATOR)
  endif()
  # Optimising tests takes longer than it saves; what they compare with, dense.cpp, is another matter.
  target_compile_options(${target} PRIVATE -O0)
  set_source_files_properties(${PROJECT_SOURCE_DIR}/tests/cpp/dense.cpp
    PROPERTIES COMPILE_OPTIONS -O2 SKIP_PRECOMPILE_HEADERS ON)
  # doctest itself, whose header it includes in another way.
  set_source_files_properties(test_main.cpp PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
  target_precompile_headers(${target} PRIVATE
    <doctest/doctest.h> <algorithm> <cmath> <complex> <functional> <memory> <string> <vector>
    ${PROJECT_SOURCE_DIR}/cpp/include/givens/givens.hpp)
endfunction()

# Adds a test of CTest for each file, so that they run side by side.
function(givens_add_tests target)
  foreach(source IN LISTS ARGN)
    get_filename_component(name ${source} NAME_WE)
    if(name STREQUAL "test_main" OR NOT name MATCHES "^test_")
      continue()
    endif()
    add_test(NAME ${name}
      COMMAND ${givens_test_launcher} $<TARGET_FILE:${target}> --source-file=*/${name}.cpp)
    # doctest does not fail if no test case matches.
    set_tests_properties(${name} PROPERTIES FAIL_REGULAR_EXPRESSION "test cases: +0 ")
  endforeach()
endfunction()
