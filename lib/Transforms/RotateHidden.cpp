//===- RotateHidden.cpp - Spread the result of a function over blocks of channels -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Rotation.h"

#include "vitq/Analysis/QuantizationHints.h"
#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Numerics/Hadamard.h"
#include "vitq/Support/Constants.h"
#include "vitq/Support/MainFunction.h"
#include "vitq/Transforms/Passes.h"

#include "mlir/IR/PatternMatch.h"
#include "llvm/Support/DebugLog.h"

#define DEBUG_TYPE "vit-rotate-hidden"

namespace vitq {
#define GEN_PASS_DEF_VITROTATEHIDDENPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;

namespace {

/// In front of codes of as many bits, of which the steps are 16 times as large, 8 bits lose nothing.
constexpr int64_t kFewBits = 4;
/// About what the transform's operand has where its sums are to fit 16 bits. Beside weights of 8 bits it has all 16:
/// each entry of the function's table is off in its own way, always, which is then seen.
constexpr int64_t kShortBits = 11;

class RotateHidden : public vitq::impl::VitRotateHiddenPassBase<RotateHidden> {
  using VitRotateHiddenPassBase::VitRotateHiddenPassBase;

  void runOnOperation() override {
    if (!numerics::isHadamardBlock(block)) {
      getOperation().emitError("vit-rotate-hidden: block must be a power of two from 2 to ")
          << numerics::kMaxHadamardBlock;
      return signalPassFailure();
    }
    FailureOr<func::FuncOp> function = findMain(getOperation());
    if (failed(function))
      return signalPassFailure();
    for (Operation &op : llvm::make_early_inc_range(function->front()))
      if (isa<UnaryFunction>(op) && failed(rotate(&op)))
        return signalPassFailure();
  }

  /// The layers that read `function`'s result; empty if anything else does, or if none has few bits.
  SmallVector<LinearOp> readersOf(Operation *function) const {
    SmallVector<LinearOp> readers;
    bool isWanted = getCodeBits(function->getResult(0)) <= atMost;
    for (OpOperand &use : function->getResult(0).getUses()) {
      auto reader = dyn_cast<LinearOp>(use.getOwner());
      if (!reader || use.getOperandNumber() != 0 || !isConstant(reader.getWeight()) || reader->hasAttr(kWideAttr))
        return {};
      isWanted |= getWeightBits(reader) <= atMost;
      readers.push_back(reader);
    }
    return isWanted ? readers : SmallVector<LinearOp>();
  }

  /// The largest block that divides the channels, `block` at most.
  int64_t blockOf(int64_t channels) const {
    int64_t size = block;
    while (size > 1 && channels % size != 0)
      size /= 2;
    return size;
  }

  LogicalResult rotate(Operation *function) {
    SmallVector<LinearOp> readers = readersOf(function);
    Value value = function->getResult(0);
    if (readers.empty() || function->hasAttr(kWideAttr))
      return success();
    const int64_t size = blockOf(shapeOf(value).back());
    if (size < 2)
      return success();
    OpBuilder builder(function->getContext());
    builder.setInsertionPointAfter(function);
    auto spread = HadamardOp::create(builder, suffixed(function->getLoc(), "hadamard"), value.getType(), value, size,
                                     /*centers=*/nullptr, /*shifts=*/nullptr);
    // The codes of few bits are the transform's: its operand has 8, or 16.
    if (Attribute bits = function->removeAttr(kCodeBitsAttr))
      spread->setAttr(kCodeBitsAttr, bits);
    if (getCodeBits(spread) > kFewBits)
      spread->setAttr(kWideAttr, builder.getUnitAttr());
    if (llvm::all_of(readers, [](LinearOp reader) { return getWeightBits(reader) < kDefaultCodeBits; }))
      function->setAttr(kStreamBitsAttr, builder.getI64IntegerAttr(kShortBits));
    for (LinearOp reader : readers) {
      reader->setOperand(0, spread);
      if (failed(updateConstant(reader->getOpOperand(1),
                                [&](MutableArrayRef<float> weight) { rotateRows(weight, size); })))
        return failure();
    }
    recordDecision(function, "vit-rotate-hidden",
                   "spread over blocks of " + llvm::Twine(size) + " channels, which the weights take back");
    LDBG() << nodeName(function->getLoc()) << ": blocks of " << size;
    ++numRotated;
    return success();
  }

  /// The transform is orthogonal: what it does to both sides of a product of rows, the product does not see.
  static void rotateRows(MutableArrayRef<float> weight, int64_t size) {
    std::vector<double> part(static_cast<size_t>(size));
    const double factor = 1 / std::sqrt(static_cast<double>(size));
    for (; !weight.empty(); weight = weight.drop_front(part.size())) {
      llvm::copy(weight.take_front(part.size()), part.begin());
      numerics::hadamardBlock(MutableArrayRef<double>(part));
      for (auto [to, from] : llvm::zip(weight, part))
        to = static_cast<float>(from * factor);
    }
  }
};

} // namespace
