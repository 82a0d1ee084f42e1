#include "EmitNative.h"
using namespace mlir;
namespace vitq {
FailureOr<NativeFacts> emitNative(ModuleOp module, const NativeRequest &request) {
  return module.emitError("native");
}
}
