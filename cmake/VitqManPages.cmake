# Man pages of the installed tools, made of their --help by help2man where that is installed: one place says what a flag
# does. `all` has them then; they go to the component `runtime`.
find_program(VITQ_HELP2MAN help2man)
if(NOT VITQ_HELP2MAN)
  return()
endif()
include(GNUInstallDirs)

get_property(tools GLOBAL PROPERTY VITQ_TOOLS_INSTALLED)
set(pages)
foreach(tool IN LISTS tools)
  set(page ${VITQ_BINARY_DIR}/man/${tool}.1.gz)
  # The tool's first line of help is what it is.
  add_custom_command(OUTPUT ${page}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${VITQ_BINARY_DIR}/man
    COMMAND ${VITQ_SOURCE_DIR}/cmake/man-page.sh ${VITQ_HELP2MAN} $<TARGET_FILE:${tool}> ${PROJECT_VERSION} ${page}
    DEPENDS ${tool} ${VITQ_SOURCE_DIR}/cmake/man-page.sh
    VERBATIM)
  list(APPEND pages ${page})
endforeach()
add_custom_target(vitq-man-pages ALL DEPENDS ${pages})
install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT runtime)
