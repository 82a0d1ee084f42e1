//===- RotateHeads.cpp - Spread queries, keys and values over their channels -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Heads.h"
#include "Rotation.h"

#include "vitq/Analysis/QuantizationHints.h"
#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Support/Constants.h"
#include "vitq/Support/MainFunction.h"
#include "vitq/Transforms/Passes.h"

#include "llvm/Support/DebugLog.h"

#define DEBUG_TYPE "vit-rotate-heads"

namespace vitq {
#define GEN_PASS_DEF_VITROTATEHEADSPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;

namespace {

class RotateHeads : public vitq::impl::VitRotateHeadsPassBase<RotateHeads> {
  using VitRotateHeadsPassBase::VitRotateHeadsPassBase;

  void runOnOperation() override {
    FailureOr<func::FuncOp> function = findMain(getOperation());
    if (failed(function) || failed(checkUncalibrated(*function, "vit-rotate-heads")))
      return signalPassFailure();
    for (auto matmul : llvm::make_early_inc_range(function->front().getOps<MatmulOp>()))
      if (failed(matmul.getTransposeRhs() ? rotateScores(matmul) : rotateValues(matmul)))
        return signalPassFailure();
  }

  /// Queries and keys by the same matrix, which their product removes.
  LogicalResult rotateScores(MatmulOp matmul) {
    Heads queries = headsOf(matmul.getLhs()), keys = headsOf(matmul.getRhs());
    if (!isRotatable(queries) || !isRotatable(keys) || queries.count != keys.count ||
        shapeOf(matmul.getLhs()).back() != shapeOf(matmul.getRhs()).back())
      return success();
    const Rotation rotation(shapeOf(matmul.getLhs()).back(), seed);
    for (LinearOp layer : {queries.layer, keys.layer})
      if (failed(rotateRows(layer, rotation)))
        return failure();
    record(matmul, "queries and keys are", queries.count, rotation);
    return success();
  }

  /// Values, and columns of the layer that reads their averages.
  LogicalResult rotateValues(MatmulOp matmul) {
    Heads values = headsOf(matmul.getRhs());
    ReshapeOp merge = mergeOf(matmul.getResult());
    auto reader = merge && merge->hasOneUse() ? dyn_cast<LinearOp>(*merge->user_begin()) : LinearOp();
    if (!isRotatable(values) || !reader || reader.getInput() != merge.getResult() || !isConstant(reader.getWeight()) ||
        shapeOf(values.layer.getResult()).back() != shapeOf(merge.getResult()).back())
      return success();
    const int64_t width = shapeOf(matmul.getRhs()).back();
    const Rotation rotation(width, seed);
    if (failed(rotateRows(values.layer, rotation)) ||
        failed(updateConstant(reader->getOpOperand(1),
                              [&](MutableArrayRef<float> weight) { rotateEach(weight, rotation, /*step=*/1); })))
      return failure();
    record(matmul, "values are", values.count, rotation);
    return success();
  }

  static bool isRotatable(const Heads &heads) {
    return heads.layer && llvm::all_of(heads.layer->getOperands().drop_front(), [](Value v) { return isConstant(v); });
  }

  /// Rows of the weight, and the bias, of each head.
  static LogicalResult rotateRows(LinearOp layer, const Rotation &rotation) {
    const int64_t columns = shapeOf(layer.getWeight())[1];
    for (OpOperand &operand : layer->getOpOperands().drop_front())
      if (failed(updateConstant(operand, [&](MutableArrayRef<float> values) {
            rotateEach(values, rotation, operand.getOperandNumber() == 1 ? columns : 1);
          })))
        return failure();
    return success();
  }

  /// Every group of as many numbers as the rotation has, `step` apart, times it.
  static void rotateEach(MutableArrayRef<float> values, const Rotation &rotation, int64_t step) {
    const size_t width = rotation.order() * rotation.blocks(), group = width * step;
    std::vector<double> row(width);
    for (size_t begin = 0; begin < values.size(); begin += group)
      for (size_t i = begin; i < begin + step; ++i) {
        for (size_t c = 0; c < width; ++c)
          row[c] = values[i + c * step];
        rotation.apply(row);
        for (size_t c = 0; c < width; ++c)
          values[i + c * step] = static_cast<float>(row[c]);
      }
  }

  void record(MatmulOp matmul, llvm::StringRef what, int64_t heads, const Rotation &rotation) {
    recordDecision(matmul, "vit-rotate-heads",
                   what + " rotated in each of " + llvm::Twine(heads) + " heads, in blocks of " +
                       llvm::Twine(rotation.order()) + " channels");
    LDBG() << nodeName(matmul.getLoc()) << ": " << what << " rotated";
    ++numProducts;
  }
};

} // namespace
