//===- VitqBatch.cpp - Interfaces of vitq ops --------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// BatchableOp and IntegerOp, where an op differs from the default.

#include "dialects/vitq/Vitq.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::integer;

static int64_t rankOf(Value value) { return cast<ShapedType>(value.getType()).getRank(); }

static LogicalResult refuseIf(bool wrong, std::string &reason, StringRef why) {
  if (wrong)
    reason = why.str();
  return failure(wrong);
}

static SmallVector<int64_t> grown(ArrayRef<int64_t> sizes, int64_t batch) {
  SmallVector<int64_t> result(sizes);
  result.front() *= batch;
  return result;
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

BatchOperand MatmulOp::getBatchOperand(unsigned index) {
  return index == 0 || (index == 1 && rankOf(getRhs()) > 2) ? BatchOperand::Image : BatchOperand::Shared;
}
// The right operand broadcasts to the left one.
BatchOperand AddOp::getBatchOperand(unsigned index) {
  return index == 0 ? BatchOperand::Image : BatchOperand::Broadcast;
}
BatchOperand MulOp::getBatchOperand(unsigned index) {
  return index == 0 ? BatchOperand::Image : BatchOperand::Broadcast;
}
BatchOperand DivideRowsOp::getBatchOperand(unsigned) { return BatchOperand::Image; }
BatchOperand ConcatOp::getBatchOperand(unsigned) { return BatchOperand::Image; }

//===----------------------------------------------------------------------===//
// Axes
//===----------------------------------------------------------------------===//

bool TableOp::computesAlongLastAxis() { return getOperation()->getNumOperands() == 3; } // an index for each channel
bool GeluOp::computesAlongLastAxis() { return true; }
bool HadamardOp::computesAlongLastAxis() { return true; }
bool SoftmaxOp::computesAlongLastAxis() { return true; }
bool ShiftmaxOp::computesAlongLastAxis() { return true; }
bool LayerNormOp::computesAlongLastAxis() { return true; }
bool NormQuantOp::computesAlongLastAxis() { return true; }
bool ThresholdOp::computesAlongLastAxis() { return rankOf(getOperation()->getOperand(1)) == 2; }

LogicalResult SumOp::growLeadingAxis(int64_t, std::string &reason) {
  return refuseIf(llvm::is_contained(getAxes(), 0), reason, "it sums over it");
}
LogicalResult ReshapeOp::growLeadingAxis(int64_t batch, std::string &) {
  setShape(grown(getShape(), batch));
  return success();
}
LogicalResult TransposeOp::growLeadingAxis(int64_t, std::string &reason) {
  return refuseIf(getPermutation().front() != 0, reason, "it moves the axis");
}
LogicalResult ConcatOp::growLeadingAxis(int64_t, std::string &reason) {
  return refuseIf(getAxis() == 0, reason, "it joins along it");
}
LogicalResult SliceOp::growLeadingAxis(int64_t batch, std::string &reason) {
  // The input has grown already.
  SmallVector<int64_t> sizes = grown(getSizes(), batch), strides(getStrides());
  const int64_t all = cast<ShapedType>(getInput().getType()).getDimSize(0);
  if (failed(refuseIf(sizes.front() != all, reason, "it takes a part of it")))
    return failure();
  strides.front() = 1;
  setSizes(sizes);
  setStrides(strides);
  return success();
}
LogicalResult GatherOp::growLeadingAxis(int64_t, std::string &reason) {
  return refuseIf(getAxis() == 0, reason, "it gathers along it");
}
LogicalResult BroadcastOp::growLeadingAxis(int64_t batch, std::string &reason) {
  if (failed(refuseIf(rankOf(getInput()) != rankOf(getResult()), reason, "it adds axes in front of it")))
    return failure();
  SmallVector<int64_t> shape = grown(getShape(), batch);
  const int64_t images = cast<ShapedType>(getInput().getType()).getDimSize(0);
  if (failed(refuseIf(shape.front() != images, reason, "it repeats along it")))
    return failure();
  setShape(shape);
  return success();
}
LogicalResult PadOp::growLeadingAxis(int64_t, std::string &reason) {
  return refuseIf(getLow().front() != 0 || getHigh().front() != 0, reason, "it pads it");
}

//===----------------------------------------------------------------------===//
// Codes
//===----------------------------------------------------------------------===//

// The right operand is signed.
CodeAttr MatmulOp::getOperandCode(unsigned index) {
  return index == 0 ? getLhsCode() : CodeAttr::get(getContext(), false, 0);
}
CodeAttr DepthwiseConv2dOp::getOperandCode(unsigned index) {
  return index == 0 ? getInputCode() : CodeAttr::get(getContext(), false, 0);
}
CodeAttr SoftmaxOp::getWrittenCode() { return CodeAttr::get(getContext(), hasUnsignedCodes(), 0); }
CodeAttr ShiftmaxOp::getOperandCode(unsigned) { return CodeAttr::get(getContext(), false, 0); }
CodeAttr ShiftmaxOp::getWrittenCode() { return CodeAttr::get(getContext(), false, 0); }

//===----------------------------------------------------------------------===//
// Reports
//===----------------------------------------------------------------------===//

bool SoftmaxOp::hasUnsignedResult() { return true; }

static std::string nameOf(PiecewiseLinearAttr lines) { return "lut:" + std::to_string(lines.entries()); }

std::string SoftmaxOp::getAlgorithmName() { return getAlgorithm().getAlgorithmName(); }
std::string LayerNormOp::getAlgorithmName() { return getAlgorithm().getAlgorithmName(); }
std::string DivideRowsOp::getAlgorithmName() { return getLines() ? nameOf(*getLines()) : std::string(); }
std::string PwlOp::getAlgorithmName() { return nameOf(getLines()); }
std::string PolyGeluOp::getAlgorithmName() { return "poly"; }
std::string NormQuantOp::getAlgorithmName() { return "comparisons"; }
std::string ThresholdOp::getAlgorithmName() { return "comparisons"; }
std::string GeluOp::getAlgorithmName() { return "shift"; }
std::string ShiftmaxOp::getAlgorithmName() { return "shift"; }
std::string InterpolateOp::getAlgorithmName() { return "interpolation"; }
std::string TableOp::getAlgorithmName() { return "table"; }
