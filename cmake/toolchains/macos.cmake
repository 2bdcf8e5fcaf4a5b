# macOS on Arm: Clang, libc++ and the interfaces of macOS's libraries from the package ziglang of
# PyPI, which must be installed for the Python on the path. Nothing here can run the programs.
set(CMAKE_SYSTEM_NAME Darwin)
set(CMAKE_SYSTEM_PROCESSOR arm64)

execute_process(
  COMMAND python -c "import ziglang, os; print(os.path.dirname(ziglang.__file__), end='')"
  OUTPUT_VARIABLE givens_zig COMMAND_ERROR_IS_FATAL ANY)
set(CMAKE_CXX_COMPILER ${givens_zig}/zig c++ -target aarch64-macos)

# CMake calls the archiver by one name without arguments.
foreach(tool ar ranlib)
  set(givens_zig_tool ${CMAKE_BINARY_DIR}/zig-${tool})
  file(WRITE ${givens_zig_tool} "#!/bin/sh\nexec '${givens_zig}/zig' ${tool} \"$@\"\n")
  file(CHMOD ${givens_zig_tool} PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
endforeach()
set(CMAKE_AR ${CMAKE_BINARY_DIR}/zig-ar)
set(CMAKE_RANLIB ${CMAKE_BINARY_DIR}/zig-ranlib)

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
