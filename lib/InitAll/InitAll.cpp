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
#include "vitq/Backends/Backends.h"
#include "vitq/Conversion/KernelTargets.h"
#include "vitq/Conversion/Passes.h"
#include "vitq/Pipelines/Pipelines.h"
#include "vitq/Target/NativeCompiler.h"
#include "vitq/Transforms/Passes.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"

#include <mutex>

void vitq::registerAllDialects(mlir::DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllToLLVMIRTranslations(registry);
  registry.insert<vit::VitDialect, integer::VitqDialect, systolic::SystolicDialect>();
#ifdef VITQ_ENABLE_BACKENDS
  registerCpuKernelTarget(registry);
  registerSystolicKernelTarget(registry);
#endif
}

void vitq::registerAllPasses() {
  registerVitqTransformsPasses();
#ifdef VITQ_ENABLE_BACKENDS
  registerVitqConversionPasses();
#else
  registerConvertVitToVitqPass();
#endif
  registerAllTargets();
}

void vitq::registerAllTargets() {
#ifdef VITQ_ENABLE_BACKENDS
  static std::once_flag once;
  std::call_once(once, [] {
    for (auto *create : {createCpuBackend, createSystolicBackend, createPortableCBackend})
      if (llvm::Error error = registerTarget(create()))
        llvm::reportFatalUsageError(std::move(error));
  });
#endif
}

void vitq::registerAllPipelines() {
  registerPipelines();
#ifdef VITQ_ENABLE_BACKENDS
  registerNativePipelines();
#endif
}
