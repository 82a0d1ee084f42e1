//===- AssignBits.cpp - How many bits weights and activations get -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "QuantizeDetail.h"

#include "vitq/Analysis/ChoiceFile.h"
#include "vitq/Analysis/QuantizationHints.h"
#include "vitq/Support/Constants.h"
#include "vitq/Support/MainFunction.h"

#include "llvm/Support/DebugLog.h"

#include <set>

#define DEBUG_TYPE "vit-assign-bits"

namespace vitq {
#define GEN_PASS_DEF_VITASSIGNBITSPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;

namespace {

class AssignBits : public vitq::impl::VitAssignBitsPassBase<AssignBits> {
  using VitAssignBitsPassBase::VitAssignBitsPassBase;

  void runOnOperation() override {
    llvm::Expected<BitChoice> parsed = BitChoice::parse(bits);
    if (!parsed) {
      emitError(getOperation().getLoc(), "--bits: ") << llvm::toString(parsed.takeError());
      return signalPassFailure();
    }
    choice = std::move(*parsed);
    FailureOr<func::FuncOp> function = findMain(getOperation());
    if (failed(function) || failed(checkLayers(*function)))
      return signalPassFailure();
    for (Operation &op : function->front()) {
      if (auto weighted = dyn_cast<WeightedOp>(op))
        assignWeights(weighted);
      if (auto quantizable = dyn_cast<QuantizableOp>(op))
        for (OpOperand &use : op.getOpOperands())
          assignOperand(quantizable, use);
    }
    assignStream(*function);
    for (Operation &op : function->front())
      if (auto given = op.getAttrOfType<IntegerAttr>(kCodeBitsAttr); given && given.getInt() == kDefaultCodeBits)
        op.removeAttr(kCodeBitsAttr);
  }

  /// Layers that are chosen for by name must exist.
  LogicalResult checkLayers(func::FuncOp function) {
    std::set<std::string> names;
    for (Operation &op : function.front())
      if (isLayer(&op))
        names.insert(nodeName(op.getLoc()));
    SmallVector<StringRef> known(names.begin(), names.end()), wanted(choice.layers().keys());
    llvm::sort(wanted);
    for (StringRef name : wanted)
      if (!names.count(name.str())) {
        InFlightDiagnostic error = emitError(getOperation().getLoc(), "--bits names the layer '")
                                   << name << "', but the model has no layer or product of that name";
        if (!known.empty())
          error << "; is " << suggestNames(name, known) << " meant?";
        return error;
      }
    return success();
  }

  /// Whether `op` is a layer with weights, or a product of activations.
  static bool isLayer(Operation *op) {
    auto quantizable = dyn_cast<QuantizableOp>(op);
    return isa<WeightedOp>(op) ||
           (quantizable && op->getNumOperands() > 0 && quantizable.getOperandCode(0).tensor == TensorKind::Attention);
  }

  unsigned bitsOf(TensorRole role, Operation *layer) const {
    if (std::optional<unsigned> own = choice.ofLayer(role, nodeName(layer->getLoc())))
      return *own;
    const auto all = static_cast<int64_t>(choice.ofAll(role).value_or(kDefaultCodeBits));
    return static_cast<unsigned>(quantize::isFirstOrLast(layer) ? std::max(all, kDefaultCodeBits) : all);
  }

  void assignWeights(WeightedOp op) {
    const unsigned count = bitsOf(TensorRole::Weights, op);
    if (count == kDefaultCodeBits || op->hasAttr(kWideAttr) || !isConstant(op->getOperand(1)))
      return;
    op->setAttr(kWeightBitsAttr, Builder(op->getContext()).getI64IntegerAttr(count));
    LDBG() << nodeName(op->getLoc()) << ": weights of " << count << " bits";
    ++numWeights;
  }

  /// The sums between layers: one resolution for all.
  void assignStream(func::FuncOp function) {
    const unsigned count = choice.ofAll(TensorRole::Residual).value_or(kDefaultStreamBits);
    if (count == kDefaultStreamBits)
      return;
    for (Operation &op : function.front())
      if (isResidual(&op) && !isMove(&op))
        op.setAttr(kStreamBitsAttr, Builder(&getContext()).getI64IntegerAttr(count));
  }

  /// Codes that several read have the bits of who wants the most.
  void assignOperand(QuantizableOp op, OpOperand &use) {
    std::optional<TensorRole> role = quantize::roleOf(op, use);
    Operation *source = quantize::root(use.get()).getDefiningOp();
    if (!role || op->hasAttr(kWideAttr) || !source || quantize::isCoded(use.get()) || isConstant(use.get()))
      return;
    int64_t count = bitsOf(*role, op);
    if (count > kDefaultCodeBits) {
      op->setAttr(kWideAttr, UnitAttr::get(op.getContext()));
      if (*role == TensorRole::Hidden)
        source->setAttr(kWideAttr, UnitAttr::get(op.getContext()));
      LDBG() << nodeName(op->getLoc()) << ": " << toString(*role) << " of 16 bits";
      return;
    }
    if (auto other = source->getAttrOfType<IntegerAttr>(kCodeBitsAttr))
      count = std::max(count, other.getInt());
    source->setAttr(kCodeBitsAttr, Builder(op->getContext()).getI64IntegerAttr(count));
    if (count != kDefaultCodeBits)
      LDBG() << nodeName(op->getLoc()) << ": " << toString(*role) << " of " << count << " bits";
  }

  BitChoice choice;
};

} // namespace
