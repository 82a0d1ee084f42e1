//===- Pipelines.cpp - vitq's pass pipelines -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Pipelines/Pipelines.h"

#include "vitq/Conversion/Passes.h"
#include "vitq/Transforms/Passes.h"

#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace vitq {

void addFloatPasses(OpPassManager &pm) {
  pm.addPass(createVitRecoverPatternsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createVitVerifyFloatPass());
}

void addQuantizePasses(OpPassManager &pm, const CompileOptions &options) {
  // Without either, the module must hold ranges already; vit-quantize says so.
  if (!options.data.empty() || !options.loadRanges.empty()) {
    VitCalibratePassOptions calibrate;
    calibrate.data = options.data;
    calibrate.preprocess = options.preprocess;
    calibrate.limit = options.limit;
    calibrate.saveRanges = options.saveRanges;
    calibrate.loadRanges = options.loadRanges;
    pm.addPass(createVitCalibratePass(calibrate));
  }
  pm.addPass(createVitDeferSoftmaxDivisionPass());
  pm.addPass(createVitQuantizePass());
  pm.addPass(createCSEPass());
  pm.addPass(createVitVerifyQuantizedPass());
}

void addDeferPasses(OpPassManager &pm) {
  VitDeferDequantPassOptions defer;
  defer.remarks = false;
  pm.addPass(createVitDeferDequantPass(defer));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  VitVerifyQuantizedPassOptions verify;
  verify.deferred = true;
  pm.addPass(createVitVerifyQuantizedPass(verify));
}

void addIntegerPasses(OpPassManager &pm, const CompileOptions &options) {
  VitSelectNonlinearPassOptions select;
  select.nonlinear = options.nonlinear;
  pm.addPass(createVitSelectNonlinearPass(select));
  pm.addPass(createConvertVitToVitqPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createVitqVerifyIntegerOnlyPass());
  pm.addPass(createVitqProveAccumulatorsPass());
}

void registerPipelines() {
  PassPipelineRegistration<>("vitq-to-float", "Recover patterns and verify the float phase", addFloatPasses);
  PassPipelineRegistration<CompileOptions>("vitq-to-quantized", "Calibrate and quantize the float phase",
                                           addQuantizePasses);
  PassPipelineRegistration<>("vitq-to-deferred", "Defer the dequantizations of the quantized phase", addDeferPasses);
  PassPipelineRegistration<CompileOptions>("vitq-to-integer", "Lower the deferred phase to integers", addIntegerPasses);
  PassPipelineRegistration<CompileOptions>("vitq-compile", "From an imported float module to the integer phase",
                                           [](OpPassManager &pm, const CompileOptions &options) {
                                             addFloatPasses(pm);
                                             addQuantizePasses(pm, options);
                                             addDeferPasses(pm);
                                             addIntegerPasses(pm, options);
                                           });
}

} // namespace vitq
