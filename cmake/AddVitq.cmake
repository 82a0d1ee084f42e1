# Helper functions for vitq's own targets.
#
#   add_vitq_library(NAME sources...)      a static library with our warnings, linked to libMLIR/libLLVM;
#                                          VitqX is installed and exported as vitq::X
#   add_vitq_tool(NAME sources...)         an executable in bin/, installed and exported as vitq::NAME
#   add_vitq_unittest(NAME sources...)     a GoogleTest executable, run by check-vitq

set(VITQ_WARNINGS -Wall -Wextra -Wno-unused-parameter)
if(VITQ_ENABLE_WERROR)
  list(APPEND VITQ_WARNINGS -Werror)
endif()

# Where headers are, here and after installation (cmake/VitqPackage.cmake). What is
# in LLVM and MLIR is added by vitqConfig.cmake.
add_library(VitqBase INTERFACE)
set_target_properties(VitqBase PROPERTIES EXPORT_NAME Base)
target_include_directories(VitqBase INTERFACE
  $<BUILD_INTERFACE:${VITQ_SOURCE_DIR}> $<BUILD_INTERFACE:${VITQ_SOURCE_DIR}/include>
  $<BUILD_INTERFACE:${VITQ_BINARY_DIR}> $<BUILD_INTERFACE:${VITQ_BINARY_DIR}/include>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/vitq>)
target_compile_features(VitqBase INTERFACE cxx_std_20)

function(vitq_target_defaults name)
  target_compile_options(${name} PRIVATE ${VITQ_WARNINGS})
  if(VITQ_ENABLE_ASSERTIONS)
    target_compile_options(${name} PRIVATE -DNDEBUG -include ${VITQ_SOURCE_DIR}/cmake/Assertions.h)
  endif()
endfunction()

function(add_vitq_library name)
  cmake_parse_arguments(ARG "NO_MLIR" "" "DEPENDS;LINK_LIBS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  vitq_target_defaults(${name})
  set_property(GLOBAL APPEND PROPERTY VITQ_LIBS ${name})
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  if(NOT ARG_NO_MLIR)
    target_link_libraries(${name} PUBLIC MLIR LLVM)
    add_dependencies(${name} vitq-headers)
    if(NOT name STREQUAL "VitqPCH" AND TARGET VitqPCH)
      target_precompile_headers(${name} REUSE_FROM VitqPCH)
    endif()
  endif()
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  if(ARG_LINK_LIBS)
    target_link_libraries(${name} PUBLIC ${ARG_LINK_LIBS})
  endif()
  target_link_libraries(${name} PUBLIC VitqBase)
  string(SUBSTRING ${name} 4 -1 short) # without Vitq
  set_target_properties(${name} PROPERTIES EXPORT_NAME ${short})
  add_library(vitq::${short} ALIAS ${name})
  install(TARGETS ${name} EXPORT vitqTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
endfunction()

function(add_vitq_tool name)
  cmake_parse_arguments(ARG "" "" "LINK_LIBS" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  vitq_target_defaults(${name})
  add_dependencies(${name} vitq-headers)
  # No precompiled header: executables are compiled as PIE, libraries as PIC.
  target_link_libraries(${name} PRIVATE ${ARG_LINK_LIBS} MLIR LLVM)
  install(TARGETS ${name} EXPORT vitqTargets RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT runtime)
  set_property(GLOBAL APPEND PROPERTY VITQ_TOOLS_INSTALLED ${name})
endfunction()

function(add_vitq_unittest name)
  add_executable(${name} ${ARGN})
  vitq_target_defaults(${name})
  add_dependencies(${name} vitq-headers)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${VITQ_BINARY_DIR}/test/unit)
  target_link_libraries(${name} PRIVATE gtest gtest_main LLVM)
  set_property(GLOBAL APPEND PROPERTY VITQ_UNITTESTS ${name})
endfunction()
