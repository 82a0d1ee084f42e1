# The protobuf classes of ONNX (Debian: libonnx-dev), as the target Onnx::Proto.
# ONNX's own package file cannot be used: Debian's names a library it does not ship.
#
#   VITQ_ONNX_PROTO_LIBRARY, VITQ_ONNX_INCLUDE_DIR   where it was found
find_library(VITQ_ONNX_PROTO_LIBRARY onnx_proto)
find_path(VITQ_ONNX_INCLUDE_DIR onnx/onnx_pb.h)
find_package(Protobuf QUIET)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OnnxProto
  REQUIRED_VARS VITQ_ONNX_PROTO_LIBRARY VITQ_ONNX_INCLUDE_DIR Protobuf_FOUND)

if(OnnxProto_FOUND AND NOT TARGET Onnx::Proto)
  add_library(Onnx::Proto UNKNOWN IMPORTED GLOBAL)
  set_target_properties(Onnx::Proto PROPERTIES
    IMPORTED_LOCATION "${VITQ_ONNX_PROTO_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${VITQ_ONNX_INCLUDE_DIR}"
    INTERFACE_COMPILE_DEFINITIONS "ONNX_NAMESPACE=onnx;ONNX_ML=1"
    INTERFACE_LINK_LIBRARIES protobuf::libprotobuf)
endif()
