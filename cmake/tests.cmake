# What the folders of C++ tests have in common.

find_path(GIVENS_DOCTEST_INCLUDE_DIR doctest/doctest.h)
if(NOT GIVENS_DOCTEST_INCLUDE_DIR)
  message(FATAL_ERROR "The tests need the header doctest/doctest.h (Debian package doctest-dev)")
endif()

# GCC's thread sanitizer needs the address layout of older kernels ("unexpected memory mapping" is
# what it says on newer ones): run without address randomisation where the system lets us.
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

# An executable of doctest's.
function(givens_configure_tests target)
  givens_configure_target(${target})
  target_include_directories(${target} SYSTEM PRIVATE ${GIVENS_DOCTEST_INCLUDE_DIR})
  # A check is a call then instead of a try block in place, which takes longer to compile.
  target_compile_definitions(${target} PRIVATE DOCTEST_CONFIG_SUPER_FAST_ASSERTS)
  # Which leave some cases out.
  if(CMAKE_CROSSCOMPILING_EMULATOR)
    target_compile_definitions(${target} PRIVATE GIVENS_TESTS_ON_EMULATOR)
  endif()
  # Tests take longer to optimise than that saves. test_main.cpp is doctest itself.
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
  set_source_files_properties(test_main.cpp PROPERTIES COMPILE_OPTIONS -O0)
endfunction()

# A test of CTest for each file, so that they run side by side.
function(givens_add_tests target)
  foreach(source IN LISTS ARGN)
    get_filename_component(name ${source} NAME_WE)
    if(name STREQUAL "test_main")
      continue()
    endif()
    add_test(NAME ${name}
      COMMAND ${givens_test_launcher} $<TARGET_FILE:${target}> --source-file=*/${name}.cpp)
    # Where nothing matches, doctest is content.
    set_tests_properties(${name} PROPERTIES FAIL_REGULAR_EXPRESSION "test cases: +0 ")
  endforeach()
endfunction()
