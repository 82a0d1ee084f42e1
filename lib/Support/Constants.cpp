//===- Constants.cpp - Reading and making constants -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Support/Constants.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"

#include <cassert>
#include <type_traits>

using namespace mlir;
using namespace vitq;

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

/// A constant whose elements are floats, or are not.
static FailureOr<Tensor> readConstant(Attribute attribute, bool wantsFloat, EmitConstantError emitError) {
  llvm::Expected<Tensor> tensor = readTensor(attribute);
  if (tensor && isFloat(tensor->kind()) == wantsFloat)
    return std::move(*tensor);
  std::string reason =
      tensor ? ("has elements of type " + toString(tensor->kind())).str() : llvm::toString(tensor.takeError());
  if (emitError)
    emitError() << reason;
  return failure();
}

template <typename Out>
static FailureOr<std::vector<Out>> readAs(Attribute attribute, EmitConstantError emitError) {
  FailureOr<Tensor> tensor = readConstant(attribute, std::is_floating_point_v<Out>, emitError);
  if (failed(tensor))
    return failure();
  Tensor converted = tensor->converted(kindOf<Out>());
  ArrayRef<Out> values = converted.values<Out>();
  return std::vector<Out>(values.begin(), values.end());
}

FailureOr<Tensor> vitq::getIntTensor(Attribute attribute, EmitConstantError emitError) {
  return readConstant(attribute, /*wantsFloat=*/false, emitError);
}
FailureOr<std::vector<double>> vitq::getFloatConstant(Attribute attribute, EmitConstantError emitError) {
  return readAs<double>(attribute, emitError);
}
FailureOr<std::vector<float>> vitq::getFloatConstantF32(Attribute attribute, EmitConstantError emitError) {
  return readAs<float>(attribute, emitError);
}
FailureOr<std::vector<int64_t>> vitq::getIntConstant(Attribute attribute, EmitConstantError emitError) {
  return readAs<int64_t>(attribute, emitError);
}

/// What is passed into the region that `value` is an argument of, if that is one value; else
/// `value`.
static Value passedIn(Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  // A block that is being converted is in no region.
  Region *region = argument ? argument.getOwner()->getParent() : nullptr;
  if (!region || argument.getOwner() != &region->front())
    return value;
  auto branch = dyn_cast_or_null<RegionBranchOpInterface>(region->getParentOp());
  if (!branch)
    return value;
  SmallVector<Value> passed;
  branch.getPredecessorValues(RegionSuccessor(region, region->getArguments()),
                              static_cast<int>(argument.getArgNumber()), passed);
  return passed.size() == 1 ? passedIn(passed.front()) : value;
}

static Attribute constantAttr(Value value) {
  if (!value)
    return {};
  value = passedIn(value);
  auto constant = value.getDefiningOp<arith::ConstantOp>();
  return constant ? Attribute(constant.getValue()) : Attribute();
}

FailureOr<Tensor> vitq::getIntTensor(Value value, EmitConstantError emitError) {
  return getIntTensor(constantAttr(value), emitError);
}
FailureOr<std::vector<double>> vitq::getFloatConstant(Value value, EmitConstantError emitError) {
  return getFloatConstant(constantAttr(value), emitError);
}
FailureOr<std::vector<float>> vitq::getFloatConstantF32(Value value, EmitConstantError emitError) {
  return getFloatConstantF32(constantAttr(value), emitError);
}
FailureOr<std::vector<int64_t>> vitq::getIntConstant(Value value, EmitConstantError emitError) {
  return getIntConstant(constantAttr(value), emitError);
}

std::optional<double> vitq::getSplatFloat(Value value) {
  Attribute attribute = constantAttr(value);
  if (auto dense = dyn_cast_or_null<DenseElementsAttr>(attribute);
      dense && dense.isSplat() && isa<FloatType>(dense.getElementType()))
    return dense.getSplatValue<APFloat>().convertToDouble();
  FailureOr<std::vector<double>> values = getFloatConstant(attribute);
  if (failed(values) || values->empty() || !llvm::all_equal(*values))
    return std::nullopt;
  return values->front();
}

bool vitq::isConstant(Value value) { return static_cast<bool>(constantAttr(value)); }

StringRef vitq::getBlobName(Value value) {
  auto resource = dyn_cast_or_null<DenseResourceElementsAttr>(constantAttr(value));
  return resource ? resource.getRawHandle().getKey() : StringRef();
}

//===----------------------------------------------------------------------===//
// Making
//===----------------------------------------------------------------------===//

TypedAttr vitq::makeFloatAttr(RankedTensorType type, ArrayRef<float> values, StringRef blobName) {
  Tensor tensor = Tensor::of(type.getShape(), values);
  return makeTensorAttr(type, tensor.converted(*storageKindOf(type.getElementType())), blobName);
}

TypedAttr vitq::makeIntAttr(RankedTensorType type, ArrayRef<int64_t> values, StringRef blobName) {
  Tensor tensor = Tensor::allocate(*storageKindOf(type.getElementType()), type.getShape());
  assert(tensor.numElements() == static_cast<int64_t>(values.size()) && "one value for each element");
  // An element of one bit is the lowest bit.
  const int64_t mask = tensor.kind() == ElementKind::I1 ? 1 : -1;
  for (auto [i, value] : llvm::enumerate(values))
    tensor.setInt(static_cast<int64_t>(i), value & mask);
  return makeTensorAttr(type, tensor, blobName);
}

arith::ConstantOp vitq::createConstant(OpBuilder &builder, Location loc, RankedTensorType type, const Tensor &tensor,
                                       StringRef blobName) {
  return arith::ConstantOp::create(builder, loc, makeTensorAttr(type, tensor, blobName));
}

arith::ConstantOp vitq::createFloatConstant(OpBuilder &builder, Location loc, RankedTensorType type,
                                            ArrayRef<float> values, StringRef blobName) {
  return arith::ConstantOp::create(builder, loc, makeFloatAttr(type, values, blobName));
}

arith::ConstantOp vitq::createIntConstant(OpBuilder &builder, Location loc, RankedTensorType type,
                                          ArrayRef<int64_t> values, StringRef blobName) {
  return arith::ConstantOp::create(builder, loc, makeIntAttr(type, values, blobName));
}
