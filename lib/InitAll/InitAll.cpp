//===- InitAll.cpp - Registration of everything -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/InitAll.h"

#include "dialects/vit/Vit.h"
#include "dialects/vitq/Vitq.h"
#include "vitq/Conversion/KernelTargets.h"
#include "vitq/Conversion/Passes.h"
#include "vitq/Pipelines/Pipelines.h"
#include "vitq/Target/NativeCompiler.h"
#include "vitq/Transforms/Passes.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"

void vitq::registerAllDialects(mlir::DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllToLLVMIRTranslations(registry);
  registry.insert<vit::VitDialect, integer::VitqDialect, systolic::SystolicDialect>();
  registerCpuKernelTarget(registry);
  registerSystolicKernelTarget(registry);
}

void vitq::registerAllPasses() {
  registerVitqTransformsPasses();
  registerVitqConversionPasses();
}

void vitq::registerAllPipelines() {
  registerPipelines();
  registerNativePipelines();
}
