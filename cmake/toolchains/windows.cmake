# 64-bit Windows: Clang 16 with the libraries of Debian's mingw-w64, linked statically. The programs
# run on Wine.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR AMD64)
set(CMAKE_CXX_COMPILER clang++-16)
set(CMAKE_CXX_COMPILER_TARGET x86_64-w64-mingw32)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)
set(CMAKE_CROSSCOMPILING_EMULATOR wine)

# Clang finds libstdc++ only in folders whose name is a number, and Debian calls its two "12-posix"
# and "12-win32". Only the first has std::thread.
execute_process(
  COMMAND x86_64-w64-mingw32-g++-posix -print-libgcc-file-name
  OUTPUT_VARIABLE givens_mingw_libgcc OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
get_filename_component(givens_mingw ${givens_mingw_libgcc} DIRECTORY)
# libstdc++ has thread_local variables (in std::call_once) of the emulated kind.
set(CMAKE_CXX_FLAGS_INIT "-femulated-tls -isystem ${givens_mingw}/include/c++ \
-isystem ${givens_mingw}/include/c++/x86_64-w64-mingw32 -isystem ${givens_mingw}/include/c++/backward")
# GNU ld warns about each of libstdc++'s type names, which Clang pads differently.
set(CMAKE_EXE_LINKER_FLAGS_INIT
  "-static -pthread -fuse-ld=lld-16 -B${givens_mingw} -L${givens_mingw}")

set(CMAKE_FIND_ROOT_PATH /usr/x86_64-w64-mingw32)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
