//===- SelectNonlinearMeasure.h - Errors of nonlinear algorithms -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_TRANSFORMS_SELECTNONLINEARMEASURE_H
#define LIB_TRANSFORMS_SELECTNONLINEARMEASURE_H

#include "CalibrationImages.h"

#include "vitq/Analysis/NonlinearChoice.h"
#include "vitq/Approximation/Method.h"
#include "vitq/Tensor/Tensor.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/MapVector.h"

#include <vector>

namespace vitq {

/// What nonlinear ops read on some images, and how near algorithms come to the real
/// function there.
class NonlinearMeasurement {
public:
  /// Runs `function`, of the deferred phase, on `images` and keeps the operand of each of `ops`. Errors are
  /// diagnostics: an image cannot be read.
  static mlir::FailureOr<NonlinearMeasurement>
  create(mlir::func::FuncOp function, llvm::ArrayRef<mlir::Operation *> ops, const CalibrationImages &images);

  /// SQNR in dB of `op`'s result computed by `spec`, against the real function of what the
  /// codes stand for; of softmax, of the quotients. Infinite if equal. An error says why
  /// the op cannot be computed so.
  llvm::Expected<double> sqnr(mlir::Operation *op, const AlgorithmSpec &spec, approximation::Method lutMethod);

  /// Elements of the operand for one image.
  int64_t elementsOf(mlir::Operation *op) const;

private:
  struct Samples {
    /// The operand's codes and the real results, for each image.
    std::vector<Tensor> inputs;
    std::vector<std::vector<double>> references;
  };
  mlir::LogicalResult addReferences(mlir::Operation *op, Samples &samples);

  llvm::MapVector<mlir::Operation *, Samples> samples;
};

} // namespace vitq

#endif // LIB_TRANSFORMS_SELECTNONLINEARMEASURE_H
