# Debian packages (cpack -G DEB, scripts/package.sh): `vitq` with the tools, their man pages and libvitq-c, `libvitq-dev`
# with what programs are built with. Component `runtime` is the first, every other file the second.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME vitq)
set(CPACK_PACKAGE_VENDOR vitq)
set(CPACK_PACKAGE_CONTACT "vitq developers <noreply@example.org>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "quantizing compiler for vision transformers")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL runtime development)
set(CPACK_COMPONENTS_GROUPING IGNORE)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE zstd)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)

set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME vitq)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION devel)
# What is loaded is found by dpkg-shlibdeps; ld.lld is called.
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_DEPENDS lld-${LLVM_VERSION_MAJOR})
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SUGGESTS libomp-${LLVM_VERSION_MAJOR}-dev)
set(CPACK_DEBIAN_RUNTIME_DESCRIPTION "quantizing compiler for vision transformers
 Reads a float or quantized ONNX model and a few dozen images, and writes a program for a CPU, a
 microcontroller or a systolic array that computes with integers only. Has the compiler (vitq-opt), a
 runner that measures accuracy and time (vitq-run), and libvitq-c, its C API.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libvitq-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "vitq (= ${PROJECT_VERSION}), llvm-${LLVM_VERSION_MAJOR}-dev, libmlir-${LLVM_VERSION_MAJOR}-dev, libonnx-dev, libprotobuf-dev, libpng-dev, libturbojpeg0-dev, libzip-dev, zlib1g-dev")
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION "quantizing compiler for vision transformers (development files)
 Headers, static libraries, CMake package and documentation of vitq: for programs that compile models by
 its C API, and for compilers that embed its passes.")

include(CPack)
