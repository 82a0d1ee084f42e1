//===- ImporterValues.cpp - Functions of imported values -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// What operators have in common: constants are computed, the image's data become ops.

#include "ConstantCodes.h"
#include "Importer.h"

#include "vitq/Support/Constants.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::frontend;

MaybeImported NodeImporter::checkResult(Value value) {
  if (countElements(vit::shapeOf(value)))
    return Imported(value);
  return error() << "the result is too large";
}

LogicalResult NodeImporter::checkFloats(const Imported &lhs, const Imported &rhs) {
  if (!lhs.isFloat() || !rhs.isFloat())
    return error() << "mixes the image's floats with integers";
  return failure(failed(broadcastShapes(*this, lhs.shape(), rhs.shape())));
}

Imported NodeImporter::scalar(double value) {
  auto tensor = std::make_shared<OnnxConstant>(DType::F32, ArrayRef<int64_t>(), "");
  tensor->setDouble(0, value);
  return Imported(ConstantPtr(std::move(tensor)));
}

FailureOr<Value> NodeImporter::materialize(const Imported &imported) {
  if (imported.value)
    return imported.value;
  const ConstantPtr &tensor = imported.constant;
  assert(tensor && "an input that is needed was checked to be there");
  auto known = state.constants.find(tensor.get());
  if (known != state.constants.end())
    return known->second.first;
  if (tensor->size() == 0)
    return error() << "operand '" << tensor->name << "' is empty";
  Location constantLoc = tensor->name.empty() ? loc : NameLoc::get(builder.getStringAttr(tensor->name));
  Value value;
  if (isFloat(tensor->dtype)) {
    auto type = RankedTensorType::get(tensor->shape(), builder.getF32Type());
    value = createConstant(builder, constantLoc, type, toF32(*tensor), tensor->name);
  } else if (tensor->dtype == DType::Bool) {
    auto type = RankedTensorType::get(tensor->shape(), builder.getI1Type());
    value = createConstant(builder, constantLoc, type, tensor->elements, tensor->name);
  } else {
    return error() << "computes with integers (" << stringify(tensor->dtype) << " '" << tensor->name
                   << "') that meet the image's data; that is not supported";
  }
  state.constants[tensor.get()] = {value, tensor};
  return value;
}

MaybeImported NodeImporter::reshape(const Imported &input, ArrayRef<int64_t> shape) {
  if (input.shape() == shape)
    return input;
  std::optional<int64_t> count = countElements(shape), have = countElements(input.shape());
  if (!count || count != have)
    return error() << "cannot reshape " << have.value_or(0) << " elements to " << count.value_or(-1);
  if (input.constant)
    return Imported(reshapedConstant(*input.constant, shape, outputName()));
  return create<vit::ReshapeOp>(input.value, i64s("shape", shape));
}

MaybeImported NodeImporter::transpose(const Imported &input, ArrayRef<int64_t> permutation) {
  if (failed(vit::inferTranspose(loc, input.shape(), permutation)))
    return failure();
  if (llvm::equal(permutation, llvm::seq<int64_t>(0, permutation.size())))
    return input;
  if (input.constant)
    return Imported(transposedConstant(*input.constant, permutation, outputName()));
  return create<vit::TransposeOp>(input.value, i64s("permutation", permutation));
}

MaybeImported NodeImporter::slice(const Imported &input, ArrayRef<int64_t> offsets, ArrayRef<int64_t> sizes,
                                  ArrayRef<int64_t> strides) {
  if (ArrayRef<int64_t>(sizes) == input.shape())
    return input;
  // Nothing of the image's data is a constant, too.
  if (llvm::is_contained(sizes, 0))
    return Imported(
        std::make_shared<OnnxConstant>(input.constant ? input.constant->dtype : DType::F32, sizes, outputName()));
  if (failed(vit::inferSlice(loc, input.shape(), offsets, sizes, strides)))
    return failure();
  if (input.constant)
    return Imported(slicedConstant(*input.constant, offsets, sizes, strides, outputName()));
  return create<vit::SliceOp>(input.value, {i64s("offsets", offsets), i64s("sizes", sizes), i64s("strides", strides)});
}

MaybeImported NodeImporter::channels(const Imported &input, int64_t offset, int64_t size) {
  Shape offsets(input.rank(), 0), sizes(input.shape()), strides(input.rank(), 1);
  offsets.back() = offset;
  sizes.back() = size;
  return slice(input, offsets, sizes, strides);
}

MaybeImported NodeImporter::gather(const Imported &input, ArrayRef<int64_t> indices, int64_t axis) {
  if (indices.empty()) {
    Shape sizes(input.shape());
    sizes[axis] = 0;
    return slice(input, Shape(sizes.size(), 0), sizes, Shape(sizes.size(), 1));
  }
  if (failed(vit::inferGather(loc, input.shape(), indices, axis)))
    return failure();
  bool isRange = true;
  for (size_t i = 1; i < indices.size(); ++i)
    isRange &= indices[i] == indices[0] + static_cast<int64_t>(i);
  if (isRange) {
    Shape offsets(input.rank(), 0), strides(input.rank(), 1), sizes(input.shape());
    offsets[axis] = indices.front();
    sizes[axis] = indices.size();
    return slice(input, offsets, sizes, strides);
  }
  if (input.constant)
    return Imported(input.constant->with(gathered(input.constant->elements, indices, axis), outputName()));
  return create<vit::GatherOp>(input.value, {i64s("indices", indices), i64("axis", axis)});
}

MaybeImported NodeImporter::broadcast(const Imported &input, ArrayRef<int64_t> shape) {
  if (input.shape() == shape)
    return input;
  if (failed(checkFolded(input.constant ? input.constant->dtype : DType::F32, shape)) ||
      failed(vit::inferBroadcastTo(loc, input.shape(), shape)))
    return failure();
  if (input.constant)
    return Imported(input.constant->with(broadcastTo(input.constant->elements, shape), outputName()));
  return create<vit::BroadcastOp>(input.value, i64s("shape", shape));
}

MaybeImported NodeImporter::concat(ArrayRef<Imported> parts, int64_t axis) {
  SmallVector<ArrayRef<int64_t>> shapes;
  for (const Imported &part : parts)
    shapes.push_back(part.shape());
  FailureOr<vit::Shape> shape = vit::inferConcat(loc, shapes, axis);
  if (failed(shape))
    return failure();
  if (!countElements(*shape))
    return error() << "the result is too large";
  if (llvm::all_of(parts, [](const Imported &part) { return static_cast<bool>(part.constant); })) {
    const OnnxConstant &first = *parts.front().constant;
    if (failed(checkFolded(first.dtype, *shape)))
      return failure();
    SmallVector<Tensor> tensors;
    for (const Imported &part : parts) {
      if (part.constant->dtype != first.dtype)
        return error() << "joins " << stringify(first.dtype) << " and " << stringify(part.constant->dtype);
      tensors.push_back(part.constant->elements);
    }
    return Imported(first.with(concatenated(tensors, axis), outputName()));
  }
  SmallVector<Value> values;
  for (const Imported &part : parts) {
    if (part.shape()[axis] == 0)
      continue;
    if (part.shape() == ArrayRef<int64_t>(*shape))
      return part; // the others are empty
    FailureOr<Value> value = materialize(part);
    if (failed(value))
      return failure();
    values.push_back(*value);
  }
  return create<vit::ConcatOp>(values, i64("axis", axis));
}
