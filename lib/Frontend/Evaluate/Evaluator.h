//===- Evaluator.h - Operators on constants -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What reads only weights and shapes is computed at import. An evaluator is called
// when all inputs that a node has are constants; operators that only move elements need
// none, as the functions of NodeImporter that their handlers call fold.
//
// Reals are computed in double and rounded once to the type of the result; integers
// are computed modulo the size of theirs.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_FRONTEND_EVALUATE_EVALUATOR_H
#define VITQ_LIB_FRONTEND_EVALUATE_EVALUATOR_H

#include "../Importer.h"

#include "llvm/ADT/StringSwitch.h"

#include <optional>

namespace vitq::frontend {

using Evaluator = llvm::LogicalResult (*)(NodeImporter &);

/// Says how `opType` is computed of constants, and how many inputs it has where no
/// handler imports it.
void addEvaluator(HandlerTable &table, llvm::StringRef opType, Evaluator evaluate, unsigned minInputs,
                  unsigned maxInputs);

/// The types whose arithmetic is done in double, in int64 or in uint64.
inline bool isWideUnsigned(DType type) { return type == DType::U64; }

/// A function of two numbers of one type.
struct BinaryFunction {
  using Integer = std::optional<int64_t> (*)(int64_t, int64_t);
  double (*ofReals)(double, double) = nullptr;
  /// None where there is no result, as of a division by zero.
  Integer ofInts = nullptr;
  /// Of the bits of a U64, where the sign makes a difference.
  Integer ofUnsigned = nullptr;

  Integer integer(DType type) const { return isWideUnsigned(type) && ofUnsigned ? ofUnsigned : ofInts; }
};
/// Add, Sub, Mul, Div, Mod (its remainder has the divisor's sign), Min, Max ...; empty
/// where the operator is no such function.
BinaryFunction binaryFunction(llvm::StringRef opType);

/// 2^64 more or less are the same.
inline int64_t wrapped(uint64_t value) { return static_cast<int64_t>(value); }

/// Copies an element between constants of one type.
void copyElement(OnnxConstant &to, int64_t i, const OnnxConstant &from, int64_t j);

/// A tensor seen along one axis: element (o, i, k) is number `(o * length + i) * inner + k`.
struct AlongAxis {
  int64_t outer = 1, length = 1, inner = 1;
  AlongAxis(llvm::ArrayRef<int64_t> shape, int64_t axis);
  int64_t at(int64_t o, int64_t i, int64_t k) const { return (o * length + i) * inner + k; }
};

/// Visits all index tuples of a shape in row-major order.
void forEachIndex(llvm::ArrayRef<int64_t> shape, llvm::function_ref<void(llvm::ArrayRef<int64_t>)> visit);

/// The elements as doubles, or as integers modulo 2^64.
std::vector<double> realsOf(const OnnxConstant &constant);

/// The constant `constant` with as many elements as `shape`, repeated as NumPy does.
ConstantPtr broadcast(const OnnxConstant &constant, llvm::ArrayRef<int64_t> shape);

/// The window of an operator on images: its axes are those of the input behind batch and channels.
struct Window {
  Shape kernel, strides, dilations, low, high;
  /// The sizes of the result along these axes.
  Shape outputs;

  /// Where tap `k` of output `i` reads along `axis`; it may lie outside.
  int64_t at(size_t axis, int64_t i, int64_t k) const { return i * strides[axis] - low[axis] + k * dilations[axis]; }
};
/// The node's window of sizes `kernel`, from its attributes.
llvm::FailureOr<Window> readWindow(NodeImporter &n, llvm::ArrayRef<int64_t> kernel);

/// One output element along an axis: `weights[i]` times input `first + i`.
struct AxisTaps {
  int64_t first = 0;
  llvm::SmallVector<double> weights;
};
/// An error where a map has more rows or columns than weights of sums are computed for.
llvm::LogicalResult checkMapSizes(NodeImporter &n, llvm::ArrayRef<int64_t> sizes);
/// Weighted sums along rows and columns of a map [B, H, W, C].
MaybeImported makeResample(NodeImporter &n, const Imported &map, llvm::ArrayRef<AxisTaps> rows,
                           llvm::ArrayRef<AxisTaps> columns);

/// The shape of all operands together.
llvm::FailureOr<Shape> broadcastInputs(NodeImporter &n);

/// Whether the input holds one number; an error that calls it `what` otherwise.
llvm::FailureOr<int64_t> intInput(NodeImporter &n, size_t i, llvm::StringRef what);

} // namespace vitq::frontend

#endif // VITQ_LIB_FRONTEND_EVALUATE_EVALUATOR_H
