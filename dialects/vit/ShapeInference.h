//===- ShapeInference.h - Result shapes of vit and vitq ops -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_VIT_SHAPEINFERENCE_H
#define DIALECTS_VIT_SHAPEINFERENCE_H

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Operation.h"
#include "mlir/IR/OperationSupport.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "llvm/ADT/STLExtras.h"

namespace vitq::vit {

using Shape = llvm::SmallVector<int64_t>;
using OptLoc = std::optional<mlir::Location>;

/// Windows that slide over the rows and columns of a map [B, H, W, C]: `size` elements, `dilations` apart, at
/// steps of `strides`, over the map with `pads` (top, left, bottom, right) around it.
struct Windows {
  Shape size, strides, dilations, pads;

  Windows() = default;
  /// What is empty is 1, or 0 for pads.
  Windows(llvm::ArrayRef<int64_t> size, llvm::ArrayRef<int64_t> strides, llvm::ArrayRef<int64_t> pads,
          llvm::ArrayRef<int64_t> dilations);

  /// How many elements of the map a window reaches over along axis `i` of two.
  int64_t extent(int i) const { return dilations[i] * (size[i] - 1) + 1; }
  /// Where along axis `i` of the map the window `window` begins; before the map where that is negative.
  int64_t first(int i, int64_t window) const { return window * strides[i] - pads[i]; }
  bool isPadded() const {
    return llvm::any_of(pads, [](int64_t pad) { return pad != 0; });
  }
  /// Whether windows lie side by side on the map, without pads, and cover it.
  bool tile(int64_t height, int64_t width) const;
};

/// Rows and columns of windows on a map of `height` x `width`.
llvm::FailureOr<Shape> inferWindows(OptLoc loc, int64_t height, int64_t width, const Windows &windows);

/// The functions below give the shape of a result or, where the operands do not
/// fit, emit an error at `loc` (if there is one) and fail. Both dialects share
/// them: an op means the same shape in either.

/// NumPy broadcasting of two shapes.
llvm::FailureOr<Shape> inferBroadcast(OptLoc loc, llvm::ArrayRef<int64_t> a, llvm::ArrayRef<int64_t> b);
/// `from` broadcast to exactly `to`.
llvm::FailureOr<Shape> inferBroadcastTo(OptLoc loc, llvm::ArrayRef<int64_t> from, llvm::ArrayRef<int64_t> to);
llvm::FailureOr<Shape> inferLinear(OptLoc loc, llvm::ArrayRef<int64_t> input, llvm::ArrayRef<int64_t> weight);
/// `sharedRhs`: a rank-2 rhs may serve all batches.
llvm::FailureOr<Shape> inferMatmul(OptLoc loc, llvm::ArrayRef<int64_t> lhs, llvm::ArrayRef<int64_t> rhs,
                                   bool transposeRhs, bool sharedRhs);
llvm::FailureOr<Shape> inferPatchEmbed(OptLoc loc, llvm::ArrayRef<int64_t> input, llvm::ArrayRef<int64_t> weight,
                                       bool channelsLast);
llvm::FailureOr<Shape> inferConv2d(OptLoc loc, llvm::ArrayRef<int64_t> input, llvm::ArrayRef<int64_t> weight,
                                   const Windows &windows, int64_t groups);
llvm::LogicalResult checkVector(OptLoc loc, llvm::StringRef what, llvm::ArrayRef<int64_t> shape, int64_t channels);
llvm::FailureOr<Shape> inferReduce(OptLoc loc, llvm::ArrayRef<int64_t> input, llvm::ArrayRef<int64_t> axes,
                                   bool keepDims);
llvm::FailureOr<Shape> inferReshape(OptLoc loc, llvm::ArrayRef<int64_t> input, llvm::ArrayRef<int64_t> shape);
llvm::FailureOr<Shape> inferTranspose(OptLoc loc, llvm::ArrayRef<int64_t> input, llvm::ArrayRef<int64_t> permutation);
llvm::FailureOr<Shape> inferConcat(OptLoc loc, llvm::ArrayRef<llvm::ArrayRef<int64_t>> inputs, int64_t axis);
llvm::FailureOr<Shape> inferSlice(OptLoc loc, llvm::ArrayRef<int64_t> input, llvm::ArrayRef<int64_t> offsets,
                                  llvm::ArrayRef<int64_t> sizes, llvm::ArrayRef<int64_t> strides);
llvm::FailureOr<Shape> inferGather(OptLoc loc, llvm::ArrayRef<int64_t> input, llvm::ArrayRef<int64_t> indices,
                                   int64_t axis);
llvm::FailureOr<Shape> inferPad(OptLoc loc, llvm::ArrayRef<int64_t> input, llvm::ArrayRef<int64_t> low,
                                llvm::ArrayRef<int64_t> high);
/// Windows of a `[B, H, W, C]` map; pads are top, left, bottom, right. Each must hold an element of the map.
llvm::FailureOr<Shape> inferMaxPool(OptLoc loc, llvm::ArrayRef<int64_t> input, llvm::ArrayRef<int64_t> kernel,
                                    llvm::ArrayRef<int64_t> strides, llvm::ArrayRef<int64_t> pads,
                                    llvm::ArrayRef<int64_t> dilations);
/// Windows that begin at `rows` and `columns` of a `[B, H, W, C]` map, with as many weights for each.
llvm::FailureOr<Shape> inferResample(OptLoc loc, llvm::ArrayRef<int64_t> input, llvm::ArrayRef<int64_t> rows,
                                     llvm::ArrayRef<int64_t> rowWeights, llvm::ArrayRef<int64_t> columns,
                                     llvm::ArrayRef<int64_t> columnWeights);
/// The largest sum of magnitudes of one row's weights times that of one column's, at most 2^62.
int64_t resampleGain(llvm::ArrayRef<int64_t> rows, llvm::ArrayRef<int64_t> rowWeights, llvm::ArrayRef<int64_t> columns,
                     llvm::ArrayRef<int64_t> columnWeights);
/// Rows of patches of a `[B, H, W, C]` image.
llvm::FailureOr<Shape> inferPatches(OptLoc loc, llvm::ArrayRef<int64_t> input, const Windows &windows, bool mustTile,
                                    bool asMap);
llvm::FailureOr<Shape> inferDepthwise(OptLoc loc, llvm::ArrayRef<int64_t> input, llvm::ArrayRef<int64_t> weight,
                                      const Windows &windows);
llvm::FailureOr<Shape> inferRows(OptLoc loc, llvm::ArrayRef<int64_t> input);

/// The shape of a ranked operand.
inline llvm::ArrayRef<int64_t> shapeOf(mlir::Value value) {
  return llvm::cast<mlir::ShapedType>(value.getType()).getShape();
}

namespace detail {
llvm::LogicalResult verifyInferredShapes(mlir::Operation *op, llvm::ArrayRef<mlir::ShapedTypeComponents> inferred);
} // namespace detail

/// Verifies declared result shapes against inferReturnTypeComponents.
template <typename ConcreteOp>
class ShapesInferred : public mlir::OpTrait::TraitBase<ConcreteOp, ShapesInferred> {
public:
  static llvm::LogicalResult verifyTrait(mlir::Operation *op) {
    llvm::SmallVector<mlir::ShapedTypeComponents> inferred;
    typename ConcreteOp::Adaptor adaptor(llvm::cast<ConcreteOp>(op));
    if (failed(ConcreteOp::inferReturnTypeComponents(op->getContext(), op->getLoc(), adaptor, inferred)))
      return mlir::failure();
    return detail::verifyInferredShapes(op, inferred);
  }
};

/// The result types an op would have on these operands. `elementTypes` gives one
/// element type for each result. Where the operands do not fit, an error is
/// emitted at `loc` if there is one.
template <typename OpTy>
llvm::FailureOr<llvm::SmallVector<mlir::Type>>
inferTypes(mlir::MLIRContext *context, OptLoc loc, llvm::ArrayRef<mlir::Type> elementTypes, mlir::ValueRange operands,
           llvm::ArrayRef<mlir::NamedAttribute> attributes = {}) {
  auto dictionary = mlir::DictionaryAttr::get(context, attributes);
  typename OpTy::Properties properties{};
  mlir::OperationName name(OpTy::getOperationName(), context);
  auto emitError = [&] {
    return loc ? mlir::emitError(*loc) << "'" << OpTy::getOperationName() << "' op " : mlir::InFlightDiagnostic();
  };
  if (failed(OpTy::setPropertiesFromAttr(properties, dictionary, emitError)))
    return mlir::failure();
  OpTy::populateDefaultProperties(name, properties);
  llvm::SmallVector<mlir::ShapedTypeComponents> inferred;
  typename OpTy::Adaptor adaptor(operands, dictionary, properties);
  if (failed(OpTy::inferReturnTypeComponents(context, loc, adaptor, inferred)))
    return mlir::failure();
  llvm::SmallVector<mlir::Type> types;
  for (auto [components, elementType] : llvm::zip_equal(inferred, elementTypes))
    types.push_back(mlir::RankedTensorType::get(components.getDims(), elementType));
  return types;
}

/// Creates an op whose result shapes are inferred. Null after an error was
/// emitted at `loc`.
template <typename OpTy>
OpTy createInferred(mlir::OpBuilder &builder, mlir::Location loc, llvm::ArrayRef<mlir::Type> elementTypes,
                    mlir::ValueRange operands, llvm::ArrayRef<mlir::NamedAttribute> attributes = {}) {
  auto types = inferTypes<OpTy>(builder.getContext(), loc, elementTypes, operands, attributes);
  return failed(types) ? OpTy() : OpTy::create(builder, loc, *types, operands, attributes);
}

/// The same with every result of the first operand's element type.
template <typename OpTy>
OpTy createInferred(mlir::OpBuilder &builder, mlir::Location loc, mlir::ValueRange operands,
                    llvm::ArrayRef<mlir::NamedAttribute> attributes = {}) {
  mlir::Type elementType = llvm::cast<mlir::ShapedType>(operands.front().getType()).getElementType();
  llvm::SmallVector<mlir::Type> elementTypes(OpTy::template hasTrait<mlir::OpTrait::OneResult>() ? 1 : 2, elementType);
  return createInferred<OpTy>(builder, loc, elementTypes, operands, attributes);
}

} // namespace vitq::vit

#endif // DIALECTS_VIT_SHAPEINFERENCE_H
