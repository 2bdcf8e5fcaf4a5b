# The target givens_headers and the test "headers": each header compiles alone.
#
# One source is made for each header and includes only this header, which is enough for the headers
# of the engines too: see cpu/engine_headers.hpp.

# givens_check_headers(target PREFIX folder HEADERS ... [PRECOMPILE ...]): includes of the headers
# start from the folder. The files after PRECOMPILE are ones that the headers may rely on.
function(givens_check_headers target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PREFIX" "HEADERS;PRECOMPILE")
  set(sources "")
  foreach(header IN LISTS arg_HEADERS)
    file(RELATIVE_PATH name ${arg_PREFIX} ${header})
    set(lines "#include \"${name}\"\n")
    if(name MATCHES "/begin_avx[0-9]*\\.hpp$")
      string(APPEND lines "#include \"cpu/targets/end.hpp\"\n")
    endif()
    set(source ${PROJECT_BINARY_DIR}/headers/${target}/${name}.cpp)
    file(CONFIGURE OUTPUT ${source} CONTENT "${lines}" @ONLY)
    list(APPEND sources ${source})
  endforeach()
  add_library(${target} OBJECT EXCLUDE_FROM_ALL ${sources})
  target_compile_features(${target} PRIVATE cxx_std_17)
  # Nothing is executed, so that GCC need not make code for templates. The targets that use the headers
  # show their warnings.
  target_compile_options(${target} PRIVATE -O0 -w
    $<$<CXX_COMPILER_ID:GNU>:-fno-implicit-templates;-fno-implicit-inline-templates>)
  target_include_directories(${target} PRIVATE
    ${arg_PREFIX} ${PROJECT_SOURCE_DIR}/cpp/include ${PROJECT_SOURCE_DIR}/cpp/src)
  if(arg_PRECOMPILE)
    target_precompile_headers(${target} PRIVATE ${arg_PRECOMPILE})
  endif()
  add_dependencies(givens_headers ${target})
endfunction()

add_custom_target(givens_headers)
add_test(NAME headers
  COMMAND ${CMAKE_COMMAND} --build ${PROJECT_BINARY_DIR} --target givens_headers)

file(GLOB_RECURSE givens_headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cpp/include/*.hpp)
givens_check_headers(givens_public_headers
  PREFIX ${PROJECT_SOURCE_DIR}/cpp/include HEADERS ${givens_headers})

file(GLOB_RECURSE givens_headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cpp/src/*.hpp)
set(givens_engine_headers ${givens_headers})
list(FILTER givens_engine_headers INCLUDE REGEX "(-inl|/begin_[a-z0-9]*)\\.hpp$")
list(REMOVE_ITEM givens_headers ${givens_engine_headers})
# It makes an engine, and each source of cpu/targets is this header alone.
list(REMOVE_ITEM givens_engine_headers ${PROJECT_SOURCE_DIR}/cpp/src/cpu/engine-inl.hpp)
# It ends what another header began.
list(REMOVE_ITEM givens_headers ${PROJECT_SOURCE_DIR}/cpp/src/cpu/targets/end.hpp)
givens_check_headers(givens_internal_headers
  PREFIX ${PROJECT_SOURCE_DIR}/cpp/src HEADERS ${givens_headers})
givens_check_headers(givens_engine_headers
  PREFIX ${PROJECT_SOURCE_DIR}/cpp/src HEADERS ${givens_engine_headers}
  PRECOMPILE ${PROJECT_SOURCE_DIR}/cpp/src/cpu/engine_headers.hpp)

# The emulator stands for the CUDA toolkit.
set(givens_emulator_includes
  $<TARGET_PROPERTY:givens_cuda_emulator,INTERFACE_INCLUDE_DIRECTORIES>)
file(GLOB_RECURSE givens_headers CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/cuda/*.hpp ${PROJECT_SOURCE_DIR}/cuda/*.cuh)
givens_check_headers(givens_cuda_headers PREFIX ${PROJECT_SOURCE_DIR}/cuda HEADERS ${givens_headers})
target_include_directories(givens_cuda_headers PRIVATE ${givens_emulator_includes})
target_compile_definitions(givens_cuda_headers PRIVATE
  $<TARGET_PROPERTY:givens_cuda_emulator,INTERFACE_COMPILE_DEFINITIONS>)

if(TARGET givens_python)
  file(GLOB_RECURSE givens_headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/python/bindings/*.hpp)
  get_target_property(givens_python_includes givens_python INCLUDE_DIRECTORIES)
  if(NOT givens_python_includes MATCHES "jaxlib")
    list(FILTER givens_headers EXCLUDE REGEX "/xla/")
  endif()
  givens_check_headers(givens_python_headers
    PREFIX ${PROJECT_SOURCE_DIR}/python/bindings HEADERS ${givens_headers}
    PRECOMPILE <pybind11/pybind11.h>)
  target_include_directories(givens_python_headers PRIVATE
    ${PROJECT_SOURCE_DIR}/cuda ${givens_emulator_includes} ${givens_python_includes})
  # These settings are for the headers of XLA; see python/bindings/CMakeLists.txt.
  target_compile_definitions(givens_python_headers PRIVATE
    $<TARGET_PROPERTY:givens_python,COMPILE_DEFINITIONS>)
  target_compile_options(givens_python_headers PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpermissive>)
  # The targets that python/bindings has found are not known here.
  set(PYBIND11_FINDPYTHON ON)
  find_package(Python 3.11 REQUIRED COMPONENTS Interpreter Development.Module)
  find_package(pybind11 3 CONFIG REQUIRED)
  target_link_libraries(givens_python_headers PRIVATE pybind11::module)
endif()
