# Headers, library, CMake package and pkg-config file.

include(CMakePackageConfigHelpers)

set(givens_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/givens)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/cpp/include/givens
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  COMPONENT library
  FILES_MATCHING PATTERN "*.hpp")
install(TARGETS givens
  EXPORT givensTargets
  COMPONENT library)
install(EXPORT givensTargets
  NAMESPACE givens::
  DESTINATION ${givens_cmake_dir}
  COMPONENT library)

configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/givensConfig.cmake.in
  ${PROJECT_BINARY_DIR}/givensConfig.cmake
  INSTALL_DESTINATION ${givens_cmake_dir})
# Before 1.0 a minor release may change the interface.
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/givensConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/givensConfig.cmake
  ${PROJECT_BINARY_DIR}/givensConfigVersion.cmake
  DESTINATION ${givens_cmake_dir}
  COMPONENT library)

# The .pc file finds the prefix from where it lies, so that an installed tree can be moved.
set(givens_pc_dir ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH givens_pc_prefix ${givens_pc_dir} ${CMAKE_INSTALL_PREFIX})
file(RELATIVE_PATH givens_pc_libdir ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_LIBDIR})
file(RELATIVE_PATH givens_pc_includedir ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
set(givens_pc_defines "")
if(NOT BUILD_SHARED_LIBS)
  set(givens_pc_defines " -DGIVENS_STATIC")
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/givens.pc.in ${PROJECT_BINARY_DIR}/givens.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/givens.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
  COMPONENT library)
