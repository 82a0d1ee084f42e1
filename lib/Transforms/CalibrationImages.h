//===- CalibrationImages.h - Running a function on the calibration images -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_TRANSFORMS_CALIBRATIONIMAGES_H
#define VITQ_LIB_TRANSFORMS_CALIBRATIONIMAGES_H

#include "vitq/Data/ImageSource.h"
#include "vitq/Interpreter/Interpreter.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace vitq {

/// The images that passes behind `vit-calibrate` look at, prepared as that pass did.
class CalibrationImages {
public:
  /// Opens `data` for `function`, of one float image tensor [B, C, H, W], or one of bytes of pixels
  /// [B, H, W, C] (behind `vit-take-pixels`). An empty `preprocess` is the module's
  /// (`vit.preprocess`); `limit` 0 takes all images. Errors say for what the images are needed:
  /// `purpose` begins the sentence ("--weight-bits=4 ").
  static mlir::FailureOr<CalibrationImages> open(mlir::func::FuncOp function, llvm::StringRef data,
                                                 llvm::StringRef preprocess, uint64_t limit,
                                                 const llvm::Twine &purpose);

  uint64_t size() const { return count; }
  /// Images of one run of the function.
  uint64_t batchSize() const { return shape.front(); }
  /// How many batches of the function they fill.
  uint64_t batches() const { return (count + shape.front() - 1) / shape.front(); }
  /// The images of batch `index` as the function takes them; the last image fills the last batch up. A
  /// diagnostic at `loc` if one cannot be read. May be called from several threads at once.
  mlir::FailureOr<Tensor> batch(uint64_t index, mlir::Location loc) const;

  /// Runs `interpreter` on each batch, on all cores. `makeObserver` is called once a thread and before it starts; what
  /// it gives sees all runs of that thread. `title` is that of the progress display.
  mlir::LogicalResult
  run(const Interpreter &interpreter, llvm::StringRef title,
      llvm::function_ref<std::function<void(mlir::Operation *, llvm::ArrayRef<Tensor>)>()> makeObserver) const;

private:
  std::unique_ptr<data::ImageSource> source;
  llvm::SmallVector<int64_t> shape;
  bool takesBytes = false;
  uint64_t count = 0;
};

} // namespace vitq

#endif // VITQ_LIB_TRANSFORMS_CALIBRATIONIMAGES_H
