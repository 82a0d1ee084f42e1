//===- QuantizeDetail.h - Constants and weights of vit-quantize -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_TRANSFORMS_QUANTIZEDETAIL_H
#define LIB_TRANSFORMS_QUANTIZEDETAIL_H

#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Transforms/Passes.h"

#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/PatternMatch.h"

#include <vector>

namespace vitq::quantize {

/// Options of the pass.
struct Parameters {
  double headroom = 1.1;
  unsigned weightBits = 8;
  bool compensateBias = false;
  QuantizedLayout layout = QuantizedLayout::Vitq;

  bool isIVit() const { return layout == QuantizedLayout::IVit; }
  vit::Rounding rounding() const { return isIVit() ? vit::Rounding::HalfEven : vit::Rounding::HalfUp; }
};

/// Codes of a constant, as a quant-typed value and its dequantization.
mlir::Value dequantizedConstant(mlir::RewriterBase &rewriter, mlir::Location loc, mlir::Value constant,
                                llvm::ArrayRef<int64_t> codes, mlir::quant::QuantizedType type);

/// A float constant in codes of a per-tensor type. An error at `loc` when it is no
/// constant that can be read.
mlir::FailureOr<mlir::Value> quantizeConstant(mlir::RewriterBase &rewriter, mlir::Location loc, mlir::Value constant,
                                              mlir::quant::UniformQuantizedType type);

/// What is known of the input of a contraction with constant weights.
struct ContractionInput {
  /// Its codes, which moves leave as they are; none: not quantized.
  std::optional<UniformParameters> codes;
  /// Real values per unit of the folded codes, one for each input channel; empty: all 1.
  llvm::SmallVector<double> factors;
  /// Means over the calibration images; empty: not known.
  std::vector<double> means;
  /// Magnitude of what another accumulator adds to each row's, in reals; empty: nothing.
  std::vector<double> added;
};

/// What each output channel of `op`, whose weight is float still, may reach in magnitude.
std::vector<double> reachOf(vit::LinearOp op, const ContractionInput &input);

/// Quantizes the weight of `op` [N, K] symmetrically per output channel, after its
/// columns were multiplied by the factors of `input`; with `compensateBias`
/// the bias takes up what that changes in the mean output.
llvm::LogicalResult quantizeLinear(mlir::RewriterBase &rewriter, vit::LinearOp op, const ContractionInput &input,
                                   const Parameters &parameters);

/// The same for the weight [D, C, P_h, P_w] of a patch embedding. With
/// `foldPixels` the pixel normalization that feeds it is folded into weight and bias.
llvm::LogicalResult quantizePatchEmbed(mlir::RewriterBase &rewriter, vit::PatchEmbedOp op, bool foldPixels,
                                       const ContractionInput &input, const Parameters &parameters);

} // namespace vitq::quantize

#endif // LIB_TRANSFORMS_QUANTIZEDETAIL_H
