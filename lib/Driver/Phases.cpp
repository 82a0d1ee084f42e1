//===- Phases.cpp - From one phase of a module to a later one -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Driver/Driver.h"

#include "dialects/systolic/Systolic.h"
#include "dialects/vitq/Vitq.h"
#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Data/ByteImages.h"
#include "vitq/InitAll.h"
#include "vitq/Support/MainFunction.h"
#include "vitq/Support/PassStages.h"
#include "vitq/Support/Progress.h"
#include "vitq/Transforms/Passes.h"

#include "mlir/Pass/PassInstrumentation.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;

namespace vitq {

Phase getPhase(ModuleOp module) {
  // What was written for an array has left the integer phase; only the target may follow.
  if (systolic::configOf(module))
    return Phase::Integer;
  bool integerOps = false, quantizedContraction = false, quantizedTypes = false;
  module.walk([&](Operation *op) {
    integerOps |= op->getName().getDialectNamespace() == "vitq";
    for (Value operand : op->getOperands()) {
      bool quantized = getQuantizedType(operand) != nullptr;
      auto quantizable = dyn_cast<vit::QuantizableOp>(op);
      quantizedContraction |=
          quantized && quantizable && quantizable.getResultCode(0).kind == vit::CodeKind::Accumulator;
      quantizedTypes |= quantized;
    }
  });
  if (integerOps)
    return Phase::Integer;
  if (quantizedContraction)
    return Phase::Deferred;
  // A quantized model that was imported has casts, but reads a float image still.
  auto main = lookupMain(module);
  const bool readsCodes =
      !main || main.isExternal() || main.getNumArguments() == 0 || getQuantizedType(main.getArgument(0)) != nullptr;
  return quantizedTypes && readsCodes ? Phase::Quantized : Phase::Float;
}

bool hasRanges(ModuleOp module) {
  return module
      .walk([](Operation *op) { return op->hasAttr(kRangeAttr) ? WalkResult::interrupt() : WalkResult::advance(); })
      .wasInterrupted();
}

namespace {
/// Passes done, on a terminal.
class PassProgress : public PassInstrumentation {
public:
  PassProgress(size_t passes) : progress("compiling, passes", passes) {}
  void runAfterPass(Pass *, Operation *) override { progress.advance(1); }

private:
  Progress progress;
};
} // namespace

static LogicalResult runPhase(ModuleOp module, llvm::function_ref<void(OpPassManager &)> add) {
  PassManager pm(module.getContext());
  // What --mlir-print-ir-after-all and its like ask for, where they are registered.
  (void)applyPassManagerCLOptions(pm);
  add(pm);
  pm.addInstrumentation(std::make_unique<PassProgress>(pm.size()));
  pm.addInstrumentation(std::make_unique<PassStages>());
  return pm.run(module);
}

/// A model of bytes is not given pixels that are normalized already.
static LogicalResult checkPreprocess(ModuleOp module, const CompileOptions &options) {
  if (options.preprocess.empty() || !module->hasAttr(data::kReadsBytesAttr))
    return success();
  if (llvm::Error error = data::checkByteImages(options.preprocess.getValue()))
    return emitError(module.getLoc()) << llvm::toString(std::move(error));
  return success();
}

LogicalResult lowerToPhase(ModuleOp module, Phase last, const CompileOptions &options, const PhaseHooks &hooks) {
  registerAllTargets(); // Whose costs are compared.
  Phase now = getPhase(module);
  if (now == Phase::Float) {
    if (last > Phase::Float && failed(checkPreprocess(module, options)))
      return failure();
    if (failed(runPhase(module, addFloatPasses)))
      return failure();
    if (last == Phase::Float)
      return success();
    // Ranges that came with the module may have come without their preprocessing.
    if (!options.preprocess.empty() && !module->hasAttr(kPreprocessAttr))
      module->setAttr(kPreprocessAttr, StringAttr::get(module.getContext(), options.preprocess.getValue()));
    if (failed(runPhase(module, [&](OpPassManager &pm) { addRotatePasses(pm, options); })))
      return failure();
    auto addCalibration = [&](OpPassManager &pm) { addCalibratePasses(pm, options); };
    if (failed(hooks.calibrate ? hooks.calibrate(module) : runPhase(module, addCalibration)))
      return failure();
    if (hooks.calibrated)
      hooks.calibrated(module);
    if (failed(runPhase(module, [&](OpPassManager &pm) { addQuantizePasses(pm, options); })))
      return failure();
  }
  if (now <= Phase::Quantized && last >= Phase::Deferred && failed(runPhase(module, addDeferPasses)))
    return failure();
  if (now <= Phase::Deferred && last >= Phase::Integer &&
      failed(runPhase(module, [&](OpPassManager &pm) { addIntegerPasses(pm, options); })))
    return failure();
  return success();
}

LogicalResult setBatch(ModuleOp module, int64_t batch) {
  VitqSetBatchPassOptions options;
  options.batch = batch;
  return runPhase(module, [&](OpPassManager &pm) { pm.addPass(createVitqSetBatchPass(options)); });
}

} // namespace vitq
