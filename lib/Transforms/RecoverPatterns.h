//===- RecoverPatterns.h - Parts of vit-recover-patterns ---*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_TRANSFORMS_RECOVERPATTERNS_H
#define VITQ_LIB_TRANSFORMS_RECOVERPATTERNS_H

#include "dialects/vit/Vit.h"
#include "vitq/Tensor/Tensor.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Rewrite/FrozenRewritePatternSet.h"

namespace vitq::recover {

//===----------------------------------------------------------------------===//
// Pattern sets, one for each file
//===----------------------------------------------------------------------===//

void populateNormPatterns(mlir::RewritePatternSet &patterns);
void populateActivationPatterns(mlir::RewritePatternSet &patterns);
/// Choices that choose nothing, and softmax guarded against rows that are masked altogether.
void populateGuardPatterns(mlir::RewritePatternSet &patterns);
/// Biases, LayerScale, layers that are packed into one.
void populateLinearPatterns(mlir::RewritePatternSet &patterns);
/// Patch embeddings, and the normalization of pixels in front of them; for the end, convolutions that are patch
/// embeddings or linear layers.
void populatePatchPatterns(mlir::RewritePatternSet &patterns);
void populateLatePatchPatterns(mlir::RewritePatternSet &patterns);
/// Factors and summands for each channel behind linear layers and convolutions; for the end,
/// when normalizations have taken theirs, those before them.
void populateChannelPatterns(mlir::RewritePatternSet &patterns);
void populateLateChannelPatterns(mlir::RewritePatternSet &patterns);
/// Shape ops: chains that undo each other, layouts other than [B, N, C].
void populateViewPatterns(mlir::RewritePatternSet &patterns);
/// Attention's products; for the end, keys without queries that a linear gives.
void populateAttentionPatterns(mlir::RewritePatternSet &patterns);
void populateLateAttentionPatterns(mlir::RewritePatternSet &patterns);
/// Heads that were computed one by one; for the end, packed ones that no product took.
void populateHeadPatterns(mlir::RewritePatternSet &patterns);
void populateLateHeadPatterns(mlir::RewritePatternSet &patterns);
/// Constants that are added to attention scores.
void populateMaskPatterns(mlir::RewritePatternSet &patterns);
/// Divisions of rows by their sums.
void populateRowSumPatterns(mlir::RewritePatternSet &patterns);
/// Rotary embeddings: signs of what is concatenated become part of the constant factors.
void populateRotaryPatterns(mlir::RewritePatternSet &patterns);
/// Sums of products as products of matrices; rows divided by sums.
void populateSumPatterns(mlir::RewritePatternSet &patterns);
/// Casts of quantized models that repeat others.
void populateCastPatterns(mlir::RewritePatternSet &patterns);
/// For the end: scalar factors beside casts.
void populateCastFactorPatterns(mlir::RewritePatternSet &patterns);
/// For the end, when attention has taken its scales: what is left of scalar
/// factors and of divisions by constants.
void populateScalarPatterns(mlir::RewritePatternSet &patterns);

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

/// `size` elements that lie `stride` apart in the source.
struct Factor {
  int64_t size, stride;
  bool operator==(const Factor &other) const { return size == other.size && stride == other.stride; }
};
using Factors = llvm::SmallVector<Factor, 4>;

/// Joins neighbours that are one run of elements.
Factors coalesce(llvm::ArrayRef<Factor> factors);

/// A tensor made of reshape, transpose, slice and gather ops as a strided view
/// of the value before them. Each axis is a row-major product of factors;
/// factors of size 1 are left out.
struct StridedView {
  mlir::Value source;
  int64_t offset = 0;
  llvm::SmallVector<Factors> dims;
  /// The ops between.
  unsigned numOps = 0;

  /// Whether it has the source's elements in the source's order.
  bool isIdentity() const;
  /// The factors of axes [begin, end), neighbours joined where they can be.
  Factors flatten(size_t begin, size_t end) const;
};

/// The longest view that ends in `value`.
StridedView traceView(mlir::Value value);

/// Whether the op only moves elements: reshape, transpose, slice, gather.
bool isViewOp(mlir::Operation *op);

/// What an op that only moves elements makes of these; `padding` stands where it pads.
/// None where it is no such op.
std::optional<Tensor> moveTensors(mlir::Operation *op, llvm::ArrayRef<Tensor> operands, int64_t padding = 0);

//===----------------------------------------------------------------------===//
// Replacing
//===----------------------------------------------------------------------===//

/// Whether a value of type `from` can stand for one of type `to`: they differ in
/// nothing but leading axes of size 1, as a constant of higher rank adds them.
bool canReplace(mlir::Type from, mlir::Type to);

/// Every recovery replaces through these two, so that no op's result changes its
/// type. Leading axes of size 1 are made up for by a reshape; where types differ
/// otherwise nothing is changed.
llvm::LogicalResult replaceWith(mlir::PatternRewriter &rewriter, mlir::Operation *op, mlir::Value value);

/// The same with a new op, which takes the place and the location of `op`.
template <typename OpTy>
llvm::LogicalResult replaceWith(mlir::PatternRewriter &rewriter, mlir::Operation *op, mlir::ValueRange operands,
                                llvm::ArrayRef<mlir::NamedAttribute> attributes = {}) {
  mlir::Type element = mlir::cast<mlir::ShapedType>(operands.front().getType()).getElementType();
  auto types = vit::inferTypes<OpTy>(op->getContext(), std::nullopt, element, operands, attributes);
  if (failed(types) || !canReplace(types->front(), op->getResult(0).getType()))
    return rewriter.notifyMatchFailure(op, "what it computes has another type");
  return replaceWith(rewriter, op, OpTy::create(rewriter, op->getLoc(), *types, operands, attributes)->getResult(0));
}

//===----------------------------------------------------------------------===//
// Helpers
//===----------------------------------------------------------------------===//

/// `value` = x * factor with a constant factor (mul or div by a constant that
/// is the same everywhere): x, and the factor. Null otherwise.
mlir::Value matchScalarProduct(mlir::Value value, double &factor);

/// The op that makes an operand of `op`, read by nothing else (a reshape by leading
/// axes of size 1 apart), that `isWanted` and whose result can replace that of `op`;
/// `other` is the other operand. Null when neither is.
mlir::Operation *matchOperand(mlir::Operation *op, mlir::Value &other,
                              llvm::function_ref<bool(mlir::Operation *)> isWanted);

/// The constant [channels] that `value` is when broadcast along the last axis:
/// a vector, with ones in front or not, or a scalar. None otherwise.
std::optional<std::vector<float>> getChannelConstant(mlir::Value value, int64_t channels);

/// Elements of a float constant as they stand in the larger `shape` (as in NumPy).
std::vector<float> broadcastValues(llvm::ArrayRef<float> values, llvm::ArrayRef<int64_t> from,
                                   llvm::ArrayRef<int64_t> shape);

mlir::Value makeReshape(mlir::PatternRewriter &rewriter, mlir::Location loc, mlir::Value input,
                        llvm::ArrayRef<int64_t> shape);
mlir::Value makeTranspose(mlir::PatternRewriter &rewriter, mlir::Location loc, mlir::Value input,
                          llvm::ArrayRef<int64_t> permutation);
/// A vit.linear; `bias` may be null.
mlir::Value makeLinear(mlir::PatternRewriter &rewriter, mlir::Location loc, mlir::Value input, mlir::Value weight,
                       mlir::Value bias);

/// Rows [first, first + count) of a constant of f32, in its memory. Null when it is no such constant.
mlir::Value makeRows(mlir::PatternRewriter &rewriter, mlir::Location loc, mlir::Value constant, int64_t first,
                     int64_t count, llvm::StringRef name);
/// Some rows of a constant weight, of floats or of codes with scales; "." and `role` are
/// appended to its name. Failure when it is neither.
llvm::FailureOr<mlir::Value> takeRows(mlir::PatternRewriter &rewriter, mlir::Location loc, mlir::Value weight,
                                      llvm::ArrayRef<int64_t> rows, llvm::StringRef role);
/// Such a weight [D, ...] as another shape [D, ...].
llvm::FailureOr<mlir::Value> reshapeWeight(mlir::PatternRewriter &rewriter, mlir::Value weight,
                                           llvm::ArrayRef<int64_t> shape);
/// Such a weight with each row multiplied by its own number.
llvm::FailureOr<mlir::Value> scaleRows(mlir::PatternRewriter &rewriter, mlir::Value weight,
                                       llvm::ArrayRef<float> factors);

/// Whether windows of `conv` tile the image that the model reads, normalized or not.
bool isPatchEmbedding(vit::Conv2dOp conv);

/// Moves transposes of maps behind the ops that read them (vit-move-layouts); whether any moved.
bool moveLayouts(mlir::func::FuncOp function, const mlir::FrozenRewritePatternSet &patterns);
void populateLayoutPatterns(mlir::RewritePatternSet &patterns);

/// Takes casts out between ops that exist only to be parts of a function, which no
/// pattern recovers with casts inside; how many.
unsigned dropInnerCasts(mlir::func::FuncOp function);

inline int64_t rankOf(mlir::Value value) { return vit::shapeOf(value).size(); }

/// |a - b| <= tolerance * |b|.
bool isNear(double a, double b, double tolerance = 1e-4);

} // namespace vitq::recover

#endif // VITQ_LIB_TRANSFORMS_RECOVERPATTERNS_H
