//===- Constants.cpp - Constants as tensors -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Engine.h"

#include "dialects/vit/Vit.h"
#include "dialects/vitq/VitqKernel.h"
#include "vitq/Tensor/Attributes.h"

#include "mlir/IR/BuiltinAttributes.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::interp;

Tensor interp::convertFloat(const Tensor &tensor, ElementKind kind) {
  return isFloat(tensor.kind()) ? tensor.converted(kind) : tensor;
}

FailureOr<Tensor> interp::loadConstant(Operation *op, Attribute attribute, ElementKind floatKind) {
  auto elements = dyn_cast<ElementsAttr>(attribute);
  if (!elements || !storageKindOf(elements.getElementType()))
    return op->emitOpError("has a value that cannot be run: the interpreter takes tensors of f32, f64, i1 to i8, i16, "
                           "i32 and i64");
  llvm::Expected<Tensor> tensor = readTensor(attribute);
  if (!tensor)
    return op->emitOpError(llvm::toString(tensor.takeError()));
  return convertFloat(*tensor, floatKind);
}

int64_t interp::macsOf(Operation *op) {
  if (auto kernel = dyn_cast<integer::KernelOp>(op)) {
    int64_t macs = 0;
    for (Operation *inner : kernel.getOps())
      macs += macsOf(inner);
    return macs;
  }
  if (auto product = dyn_cast<integer::ProductOp>(op))
    return product.getMacs();
  if (isa<vit::LinearOp, vit::MatmulOp>(op))
    return productOf(shapeOfValue(op->getResult(0))) * shapeOfValue(op->getOperand(0)).back();
  if (isa<vit::WeightedOp>(op))
    return productOf(shapeOfValue(op->getResult(0))) * productOf(shapeOfValue(op->getOperand(1)).drop_front());
  return 0;
}
