//===- Comparison.h - A float model against a later phase, op by op -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Runs a float function (the reference) and the function of a later phase (the
// program) on the same images and says, for every value of the reference that
// the program has too, how far they differ and how much of it the op adds.
//
// Ratios are in decibels: 10 log10(sum r^2 / sum (r - p)^2) over all elements
// of all images, r the reference's. They are absent where the two are equal and
// where the reference is zero.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_COMPARISON_COMPARISON_H
#define VITQ_COMPARISON_COMPARISON_H

#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Interpreter/Interpreter.h"

#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace vitq::comparison {

/// A value of the reference, and what stands for it in the program.
struct Counterpart {
  mlir::OpResult reference, program;
  /// How the program's codes are read; none when its value is float.
  std::optional<UniformParameters> codes;
  /// The program has the numerators of a softmax and, in this result, their
  /// row sums: the value is the quotient. Null otherwise.
  mlir::OpResult rowSums;
  /// Both are scores with a mask: what softmax does not see of a row is no error.
  bool maskedScores = false;
};

/// Pairs the values of two functions by the ONNX nodes that locations (of `vitq`
/// ops: `vitq.scales`) name. A value of the reference belongs to the last value
/// of the program that has its node and its shape; of several reference values
/// of one node, the last comes first, and the order is kept. Ops that only move
/// elements take no part. What has no counterpart was fused into something else.
/// In the order of the reference.
std::vector<Counterpart> findCounterparts(mlir::func::FuncOp reference, mlir::func::FuncOp program);

/// A function of one variable where the program computed it: at `x`, one of its own codes as a real, the float function
/// gives `exact`, the program `computed`.
struct CurvePoint {
  float x = 0, exact = 0, computed = 0;
};

/// What was found out about one value.
struct ValueFigures {
  std::string node;
  /// The op in the reference and in the program, "vit.gelu" and "vitq.table".
  std::string referenceOp, op;
  /// `vitq.id` of the program's op, or -1.
  int64_t id = -1;
  /// The transformer block, if the node's name or the structure says so.
  std::optional<int64_t> block;
  /// Whether this is a sum of the residual stream.
  bool residual = false;
  /// Of the program's codes; 0 bits for floats. `scale` is the largest of several.
  unsigned bits = 0;
  double scale = 0;
  /// Smallest and largest value of the reference and of the program.
  double referenceMin = 0, referenceMax = 0, min = 0, max = 0;
  std::optional<double> sqnrDb;
  double maxError = 0;
  /// Share of the elements whose code is at an end of the storage range while the
  /// reference lies more than one step outside; 0 to 1.
  double saturation = 0;
  /// The index of the last axis with most of the error, and its share of it.
  int64_t worstChannel = -1;
  double worstChannelShare = 0;
  /// The error the op adds: its result against the float op on the program's own
  /// operands, at the result.
  std::optional<double> addedSqnrDb;
  /// The logits of the reference with only that error added, against the logits
  /// without; and its part in the sum of all such noise powers, 0 to 1. Not computed
  /// for errors of less than -70 dB at the result. Of several outputs the one that
  /// suffers most, and noise powers are relative to each output's signal. The part is 0,
  /// and not in the sum, where the noise is more than four times the whole program's: then
  /// the rest of the program makes good for it.
  std::optional<double> addedAtLogitsDb;
  double addedShare = 0;
  /// Of a function of one variable, on the ranked images: ascending, at most `kMaxCurvePoints`.
  std::vector<CurvePoint> curve;
};

inline constexpr size_t kMaxCurvePoints = 256;

/// One of the results.
struct OutputFigures {
  std::string name;
  std::optional<double> sqnrDb;
  /// Share of the images with the same largest number, 0 to 1; of outputs [B, classes].
  std::optional<double> agreement;
};

struct Comparison {
  int64_t images = 0, rankedImages = 0;
  std::vector<OutputFigures> outputs;
  /// In the order of the program's execution.
  std::vector<ValueFigures> values;

  /// The first output of classes, or null.
  const OutputFigures *logits() const;
  /// What texts call the outputs: "logits" where that is all there are, else "outputs".
  llvm::StringRef outputsName() const { return outputs.size() == 1 && logits() ? "logits" : "outputs"; }
  /// Indices into `values`: those that add an error, the worst first.
  std::vector<size_t> ranking() const;
  /// Indices into `values`: the sums of the residual stream, in order.
  std::vector<size_t> residualStream() const;

  /// Fixed keys; null where there is no number.
  llvm::json::Value toJSON() const;
  /// Aligned tables: the residual stream, then all values, worst first.
  void print(llvm::raw_ostream &os) const;
};

/// Inputs of one run of both functions. Of a batch, `count` are images and the
/// rest fills it up.
struct Inputs {
  Tensor reference, program;
  int64_t count = 1;
};

struct ComparisonOptions {
  int64_t images = 1;
  /// Images of one run.
  int64_t batch = 1;
  /// The first so many images also say which error counts at the logits: each op
  /// costs them one run of the reference from there on. 0: none.
  int64_t rankedImages = 4;
  /// Numbers of the results that are compared, of the program and of the reference; empty:
  /// all, each with that of the same number.
  std::vector<std::pair<size_t, size_t>> outputs;
  /// Images in flight, each with the memory of all values; 0: one for each core.
  unsigned threads = 0;
};

/// Compares on `options.images` images; `read` gives those from an index on and
/// is called from several threads. The result does not depend on the number of
/// threads. Errors are diagnostics: an image cannot be read, an op cannot be run, results
/// have unequal shapes.
mlir::FailureOr<Comparison> compare(const Interpreter &reference, const Interpreter &program,
                                    const std::function<llvm::Expected<Inputs>(int64_t)> &read,
                                    const ComparisonOptions &options);

/// The number after "block", "blocks", "layer" or "layers" in a node's name.
std::optional<int64_t> blockOf(llvm::StringRef node);

} // namespace vitq::comparison

#endif // VITQ_COMPARISON_COMPARISON_H
