# The CMake package `vitq`: what `ninja install` installs besides tools, and the same
# for the build folder (find_package(vitq) with vitq_DIR=<build>/lib/cmake/vitq).
# Included last: every target exists.
#
#   vitq::vitq      all libraries; each one also by its own name, vitq::Transforms ...
#   vitq::vitq-c    the shared library of the C API
#   vitq::vitq-gemmini   what C for Gemmini runs on where there is none
#   vitq::vitq-opt, vitq::vitq-run, vitq::vitq-lut, vitq::vitq-asm, vitq::vitq-lsp-server
include(CMakePackageConfigHelpers)

set(VITQ_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/vitq)

# vitq::vitq
get_property(libraries GLOBAL PROPERTY VITQ_LIBS)
add_library(vitq INTERFACE)
add_library(vitq::vitq ALIAS vitq)
target_link_libraries(vitq INTERFACE ${libraries})
install(TARGETS vitq VitqBase EXPORT vitqTargets)

# Headers. The two folders below are both include folders: sources spell
# "vitq/InitAll.h" and "dialects/vit/Vit.h".
set(headers FILES_MATCHING PATTERN "*.h" PATTERN "*.td" PATTERN "*.h.inc" PATTERN CMakeFiles EXCLUDE)
install(DIRECTORY ${VITQ_SOURCE_DIR}/include/vitq ${VITQ_SOURCE_DIR}/include/vitq-c
  ${VITQ_SOURCE_DIR}/include/vitq-gemmini-stub ${VITQ_BINARY_DIR}/include/vitq
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} ${headers})
install(DIRECTORY ${VITQ_SOURCE_DIR}/dialects ${VITQ_BINARY_DIR}/dialects
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/vitq ${headers})

# Links between the pages are relative.
install(FILES ${VITQ_SOURCE_DIR}/LICENSE ${VITQ_SOURCE_DIR}/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
# As Debian calls it.
install(FILES ${VITQ_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright COMPONENT runtime)
install(DIRECTORY ${VITQ_SOURCE_DIR}/docs DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md")
install(DIRECTORY ${VITQ_SOURCE_DIR}/examples DESTINATION ${CMAKE_INSTALL_DOCDIR})

# Target files. The C library has its own: its users need nothing else.
install(EXPORT vitqTargets NAMESPACE vitq:: DESTINATION ${VITQ_PACKAGE_DIR})
install(EXPORT vitq-cTargets NAMESPACE vitq:: DESTINATION ${VITQ_PACKAGE_DIR})
export(EXPORT vitqTargets NAMESPACE vitq:: FILE ${VITQ_BINARY_DIR}/${VITQ_PACKAGE_DIR}/vitqTargets.cmake)
export(EXPORT vitq-cTargets NAMESPACE vitq:: FILE ${VITQ_BINARY_DIR}/${VITQ_PACKAGE_DIR}/vitq-cTargets.cmake)

# vitqConfig.cmake looks for what vitq was built with, at first where it was then.
configure_package_config_file(${VITQ_SOURCE_DIR}/cmake/vitqConfig.cmake.in
  ${VITQ_BINARY_DIR}/${VITQ_PACKAGE_DIR}/vitqConfig.cmake
  INSTALL_DESTINATION ${VITQ_PACKAGE_DIR} NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(${VITQ_BINARY_DIR}/${VITQ_PACKAGE_DIR}/vitqConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
configure_file(${VITQ_SOURCE_DIR}/cmake/FindOnnxProto.cmake
  ${VITQ_BINARY_DIR}/${VITQ_PACKAGE_DIR}/FindOnnxProto.cmake COPYONLY)
install(FILES
  ${VITQ_BINARY_DIR}/${VITQ_PACKAGE_DIR}/vitqConfig.cmake
  ${VITQ_BINARY_DIR}/${VITQ_PACKAGE_DIR}/vitqConfigVersion.cmake
  ${VITQ_BINARY_DIR}/${VITQ_PACKAGE_DIR}/FindOnnxProto.cmake
  DESTINATION ${VITQ_PACKAGE_DIR})
