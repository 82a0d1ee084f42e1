//===- FitWeights.h - The parts of vit-fit-weights -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_TRANSFORMS_FITWEIGHTS_H
#define LIB_TRANSFORMS_FITWEIGHTS_H

#include "CalibrationImages.h"
#include "WeightCodes.h"

#include "vitq/Fitting/Codes.h"
#include "vitq/Fitting/LeastSquares.h"
#include "vitq/Interpreter/Interpreter.h"

namespace vitq::quantize {

//===----------------------------------------------------------------------===//
// Streams
//===----------------------------------------------------------------------===//

/// `@main` on all images twice, op by op: without casts, and as it is with other weights.
class Streams {
public:
  /// Reads `images`; an error at `function` where it cannot be run on them. `completesSums`: what is wanted of a term
  /// of a sum is what the whole sum lacks. `shifted`: behind the runs of all images come those of shifted copies.
  static mlir::FailureOr<std::unique_ptr<Streams>> create(mlir::func::FuncOp function, const CalibrationImages &images,
                                                          bool completesSums, bool shifted);

  /// Runs both up to `op`, an op with one result.
  mlir::LogicalResult runUntil(mlir::Operation *op);

  /// As many runs as there are batches of images, twice that with shifted copies.
  size_t runs() const { return coded.size(); }
  /// The batch of images that run `i` is of, as they are or shifted.
  size_t batchOf(size_t run) const { return run % ((images + batch - 1) / batch); }
  /// Images of run `i` that are not repeated to fill it up.
  size_t imagesOf(size_t run) const { return std::min(batch, images - batchOf(run) * batch); }
  size_t imagesOfRun() const { return batch; }

  // Of the op that both have come to:
  /// Operand 0 in run `i`.
  const Tensor &exactInput(size_t run) const { return exact[run].operand(0); }
  const Tensor &codedInput(size_t run) const { return coded[run].operand(0); }
  /// What the first gives.
  const Tensor &exactResult(size_t run) const { return exactResults[run]; }
  /// What is wanted of the second: the same, or with `completesSums` what makes the sum the same that it is added to.
  const Tensor &wanted(size_t run) const { return wantedResults[run]; }
  /// What the second gives in all runs with this weight and bias; an empty tensor: with its own.
  mlir::FailureOr<std::vector<Tensor>> compute(const Tensor &weight, const Tensor &bias) const;
  /// Takes these results in the second and goes on behind the op.
  void finish(llvm::ArrayRef<Tensor> codedResults);

  /// Runs `body` for all runs, in threads.
  void forRuns(llvm::function_ref<void(size_t)> body) const;

private:
  Streams(mlir::MLIRContext *context, size_t images, size_t batch) : context(context), images(images), batch(batch) {}

  mlir::MLIRContext *context;
  size_t images, batch;
  bool completesSums = true;
  std::unique_ptr<Interpreter> withoutCasts, withCasts;
  std::vector<Interpreter::Run> exact, coded;
  std::vector<Tensor> exactResults, wantedResults;
};

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

/// What rows of an op's result count.
class RowWeights {
public:
  /// Of a function without rows that alone reach its result: 1 each.
  RowWeights() = default;

  /// Finds rows that alone reach the results of `function` for `input`, by changing those of the results of `ops`.
  static mlir::FailureOr<RowWeights> find(mlir::func::FuncOp function, llvm::ArrayRef<vit::WeightedOp> ops,
                                          const Tensor &input);

  /// Whether there are any.
  bool any() const { return !rows.empty(); }

  /// For the rows of a result of `op`: `special` for these rows, ten times that where others reach nothing.
  std::vector<double> of(mlir::Operation *op, size_t count, double special) const;

  /// The same in words: "row 0 counting 10 times"; empty where all count alike.
  std::string describe(mlir::Operation *op, size_t count, double special) const;

private:
  /// What `rows` of a result of `op`, which has `rowCount`, count.
  double weightOf(mlir::Operation *op, size_t rowCount, double special) const {
    return rowCount == count && !rows.empty() && special != 1 ? (alone.contains(op) ? 10 * special : special) : 1;
  }

  /// Of results of `count` rows.
  size_t count = 0;
  llvm::SmallVector<size_t> rows;
  llvm::DenseSet<mlir::Operation *> alone;
};

//===----------------------------------------------------------------------===//
// A layer
//===----------------------------------------------------------------------===//

struct FitOptions {
  fitting::CodeOptions codes;
  /// Of the least squares, to choose from; empty: none.
  std::vector<double> ridges;
  bool matchBias = true;
};

/// What was chosen for a layer.
struct FittedLayer {
  WeightCodes weight;
  std::vector<double> bias;
  /// The power of the result over that of its error, in dB: of weights rounded one by one, and of these.
  double before = 0, after = 0;
  double damping = 0;
  /// Of the least squares; 0: not taken.
  double ridge = 0;
  /// Which rows count more than once, and how often; empty: none.
  std::string rows;
};

/// Samples of what layers read, kept for those that read the same.
struct LayerInputs {
  mlir::Value value;
  std::vector<double> weights;
  bool isExact = false;
  std::vector<double> means;
  /// What the fit sees, and what is kept aside for least squares (none without).
  std::optional<fitting::Samples> fit, aside;
  fitting::Matrix fitGram, asideGram;
};

/// Fits the op that `streams` have come to; `rowWeights` has an entry for each row of its result. Null: values
/// are not finite.
mlir::FailureOr<std::optional<FittedLayer>> fitRowProduct(Streams &streams, vit::WeightedOp op,
                                                          const FoldedWeight &folded, const WeightInput &input,
                                                          const FitOptions &options, llvm::ArrayRef<double> rowWeights,
                                                          LayerInputs &inputs);
/// The same for an op that is no row product: scales of the least squared error, and the bias.
mlir::FailureOr<std::optional<FittedLayer>> fitOther(Streams &streams, vit::WeightedOp op, const FoldedWeight &folded,
                                                     const FitOptions &options);

/// Weight and bias as the interpreter takes them for `op`.
Tensor dequantized(vit::WeightedOp op, const FoldedWeight &folded, const WeightCodes &weight);
Tensor realBias(llvm::ArrayRef<double> bias);

} // namespace vitq::quantize

#endif // LIB_TRANSFORMS_FITWEIGHTS_H
