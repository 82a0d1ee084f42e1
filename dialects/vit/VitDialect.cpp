//===- VitDialect.cpp - The vit dialect -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/vit/Vit.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Transforms/InliningUtils.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

#include "dialects/vit/VitDialect.cpp.inc"
#include "dialects/vit/VitEnums.cpp.inc"
#include "dialects/vit/VitInterfaces.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/vit/VitAttrs.cpp.inc"

namespace {
/// All ops are pure: any function may be inlined.
struct Inliner : DialectInlinerInterface {
  using DialectInlinerInterface::DialectInlinerInterface;
  bool isLegalToInline(Operation *, Region *, bool, IRMapping &) const final { return true; }
};
} // namespace

namespace vitq::vit {

LogicalResult AlgorithmAttr::verify(function_ref<InFlightDiagnostic()> emitError, Algorithm kind, int64_t entries) {
  if (kind == Algorithm::Lut ? entries < 2 || entries > 256 : entries != 0) // C1
    return emitError() << "algorithm '" << stringifyAlgorithm(kind) << "' cannot have " << entries
                       << " entries: lut has 2 to 256, the others none";
  return success();
}

void VitDialect::initialize() {
  addInterfaces<Inliner>();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/vit/VitAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/vit/VitOps.cpp.inc"
      >();
}

Operation *VitDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type, Location loc) {
  return arith::ConstantOp::materialize(builder, value, type, loc);
}

} // namespace vitq::vit
