//===- QuantizeDetail.h - What the quantization passes share -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// vit-quantize, vit-quantize-weights and vit-quantize-result share how a cast is
// made, how a range becomes a type, and where a value's codes come from.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_TRANSFORMS_QUANTIZEDETAIL_H
#define LIB_TRANSFORMS_QUANTIZEDETAIL_H

#include "vitq/Analysis/BitChoice.h"
#include "vitq/Analysis/CalibrationStatistics.h"
#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Tensor/Tensor.h"
#include "vitq/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/PatternMatch.h"

namespace vitq::quantize {

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// The value that moves of one operand lead to.
mlir::Value root(mlir::Value value);

/// The float value behind casts and moves: what was calibrated.
mlir::Value realSource(mlir::Value value);

/// The type of the codes that `value` has already: of a dequantization, moved or joined with others of its type.
/// Null where it has none.
mlir::Type codedType(mlir::Value value);
bool isCoded(mlir::Value value);

/// Whether `value` is the dequantization of a constant: a weight that has codes.
bool isCodedConstant(mlir::Value value);

/// Whether `value` is the exact sum of products, not yet requantized.
bool isContraction(mlir::Value value);

/// The normalization of the image that `op` reads, if it can read the bytes instead; else null.
vit::NormalizePixelsOp pixelsOf(mlir::Operation *op);

/// Whether `op`, with one result, reads the image, or gives the program's result: what is lost there no other layer
/// makes up for.
bool isFirstOrLast(mlir::Operation *op);

/// A sum of two linear layers' accumulators on its way to another sum: it stays an
/// accumulator, in units of the first.
bool isAccumulatorSum(mlir::Value value);

/// Which tensor `use` of `op` is; none where its codes are not to be chosen.
std::optional<TensorRole> roleOf(vit::QuantizableOp op, mlir::OpOperand &use);

/// The range of codes for a calibrated value; an error where there is none.
using Range = std::pair<double, double>;
mlir::FailureOr<Range> calibratedRange(mlir::Value value);

/// Rows of the result of `op` that calibration saw, of all images; none where that is not known.
std::optional<double> rowsSeen(mlir::Operation *op);

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

/// What a use wants, ordered by precision.
enum class Kind : uint8_t {
  None,        ///< takes the value as it is: an accumulator, or already quantized
  Signed8,     ///< right operand of a matmul; any operand in I-ViT's layout
  Unsigned8,   ///< left operand of a contraction, argument of a function
  Signed16,    ///< residual stream
  Probability, ///< softmax in I-ViT's layout: 16 bits, scale 2^-15
  Accumulator  ///< sum of accumulators: 32 bits, scales of the first one
};

/// Per-tensor codes of `value` for a range. Of 16-bit codes the range grows by
/// `headroom`, and the scale is at least what layer_norms that read them need.
mlir::quant::QuantizedType typeFor(mlir::Value value, Range range, Kind kind, double headroom);

/// Codes of 8 bits with one scale for each index of the last axis, from
/// `vit.code_ranges`. All have one zero point, so that a contraction can fold it.
mlir::quant::QuantizedType typeFor(mlir::Value value, const ChannelRanges &ranges, Kind kind);

//===----------------------------------------------------------------------===//
// Casts
//===----------------------------------------------------------------------===//

inline vit::Rounding roundingOf(QuantizedLayout layout) {
  return layout == QuantizedLayout::IVit ? vit::Rounding::HalfEven : vit::Rounding::HalfUp;
}
/// How codes of `value` are rounded: as its op can, otherwise as the layout says.
vit::Rounding roundingOf(mlir::Value value, QuantizedLayout layout);

/// quantize, dequantize at the insertion point; the real value.
mlir::Value castPair(mlir::RewriterBase &rewriter, mlir::Location loc, mlir::Value value,
                     mlir::quant::QuantizedType type, QuantizedLayout layout);

/// Codes of a constant, in the width of the storage type, as a quant-typed value and its
/// dequantization.
mlir::Value dequantizedConstant(mlir::RewriterBase &rewriter, mlir::Location loc, mlir::Value constant,
                                const Tensor &codes, mlir::quant::QuantizedType type);

/// A float constant in codes of a per-tensor type. An error at `loc` when it is no
/// constant that can be read.
mlir::FailureOr<mlir::Value> quantizeConstant(mlir::RewriterBase &rewriter, mlir::Location loc, mlir::Value constant,
                                              mlir::quant::UniformQuantizedType type);

/// Codes of a value, made at the insertion point from the codes that it has already
/// (accumulators have none), for 32 bits from 16-bit codes where its op gives no wide
/// result. Elements are moved as codes: scales of classes do not commute with a choice of
/// classes, and a sum has no codes but its own.
mlir::FailureOr<mlir::Value> codesOf(mlir::RewriterBase &rewriter, mlir::Value value,
                                     mlir::quant::UniformQuantizedType type, QuantizedLayout layout, double headroom);

/// Erases `op` and the moves that lead to it while nobody reads them.
void eraseUnread(mlir::Operation *op);

} // namespace vitq::quantize

#endif // LIB_TRANSFORMS_QUANTIZEDETAIL_H
