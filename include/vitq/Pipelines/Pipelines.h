//===- Pipelines.h - vitq's pass pipelines -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_PIPELINES_PIPELINES_H
#define VITQ_PIPELINES_PIPELINES_H

#include "dialects/vit/Vit.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

namespace vitq {

/// What the way from a float vit module to an integer vitq module depends on.
/// The defaults are those of `vitq-opt --compile`.
struct CompileOptions : public mlir::PassPipelineOptions<CompileOptions> {
  Option<std::string> data{*this, "data", llvm::cl::desc("Calibration images: a folder, or .npy/.npz of uint8 pixels")};
  Option<std::string> preprocess{*this, "preprocess",
                                 llvm::cl::desc("Preprocessing, e.g. resize=248,crop=224,mean=0.5,std=0.5")};
  Option<int64_t> limit{*this, "limit", llvm::cl::desc("Use the first N calibration images (0 = all)"),
                        llvm::cl::init(0)};
  Option<std::string> saveRanges{*this, "save-ranges", llvm::cl::desc("Write the calibrated ranges to this JSON file")};
  Option<std::string> loadRanges{*this, "load-ranges",
                                 llvm::cl::desc("Read ranges from this JSON file instead of calibrating")};
  Option<vit::Algorithm> nonlinear{
      *this, "nonlinear", llvm::cl::desc("Integer algorithm of nonlinear functions"),
      llvm::cl::init(vit::Algorithm::Table),
      llvm::cl::values(clEnumValN(vit::Algorithm::Table, "table", "exact tables"),
                       clEnumValN(vit::Algorithm::Shift, "shift", "I-ViT's shift-based functions"))};
};

/// Imported float module -> verified float phase.
void addFloatPasses(mlir::OpPassManager &pm);
/// Float phase -> calibrated and quantized phase.
void addQuantizePasses(mlir::OpPassManager &pm, const CompileOptions &options);
/// Quantized phase -> quantized phase with deferred dequantization.
void addDeferPasses(mlir::OpPassManager &pm);
/// Deferred phase -> verified integer phase.
void addIntegerPasses(mlir::OpPassManager &pm, const CompileOptions &options);

/// Registers the pipelines `vitq-to-float`, `vitq-to-quantized`, `vitq-to-deferred`,
/// `vitq-to-integer` (one phase each) and `vitq-compile` (all four).
void registerPipelines();

} // namespace vitq

#endif // VITQ_PIPELINES_PIPELINES_H
