//===- ImportConvolution.cpp - Convolutions -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// ONNX has maps as [B, C, H, W], ops on maps have their channels last: a transpose before and one behind, which
// vit-move-layouts takes out again between two of them. What runs over one axis is a map of height 1.

#include "Importer.h"

#include "ConstantCodes.h"
#include "WindowAttributes.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::frontend;

MaybeImported vitq::frontend::toChannelsLast(NodeImporter &n, const Imported &input) {
  const int64_t rank = input.rank();
  Shape permutation{0};
  for (int64_t axis = 2; axis < rank; ++axis)
    permutation.push_back(axis);
  permutation.push_back(1);
  MaybeImported map = n.transpose(input, permutation);
  if (failed(map) || rank == 4)
    return map;
  ArrayRef<int64_t> shape = map->shape();
  return n.reshape(*map, Shape{shape[0], 1, shape[1], shape[2]});
}

MaybeImported vitq::frontend::toChannelsFirst(NodeImporter &n, const Imported &map, int64_t rank) {
  if (rank == 4)
    return n.transpose(map, {0, 3, 1, 2});
  ArrayRef<int64_t> shape = map.shape();
  MaybeImported flat = n.reshape(map, Shape{shape[0], shape[2], shape[3]});
  return failed(flat) ? flat : n.transpose(*flat, {0, 2, 1});
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

namespace {
/// Of two axes; those of a convolution over one axis have 1, or 0 for pads, in front.
struct ConvAttributes {
  Shape kernel, strides, dilations, pads;
  int64_t groups = 1;
};
} // namespace

/// Padding that keeps the size of the image: output = ceil(input / stride).
static void padToSame(ConvAttributes &attributes, ArrayRef<int64_t> image, bool lower) {
  const size_t rank = image.size();
  for (size_t i = 0; i < rank; ++i) {
    int64_t stride = attributes.strides[i], extent = (attributes.kernel[i] - 1) * attributes.dilations[i] + 1;
    int64_t outputs = llvm::divideCeilSigned(image[i], stride);
    int64_t total = std::max<int64_t>(0, (outputs - 1) * stride + extent - image[i]);
    attributes.pads[i] = lower ? total - total / 2 : total / 2;
    attributes.pads[rank + i] = total - attributes.pads[i];
  }
}

/// What a model can hardly mean.
static LogicalResult checkWindows(NodeImporter &n, ArrayRef<int64_t> image, const ConvAttributes &attributes) {
  const size_t rank = image.size();
  for (size_t i = 0; i < rank; ++i) {
    const int64_t extent = (attributes.kernel[i] - 1) * attributes.dilations[i] + 1, low = attributes.pads[i],
                  high = attributes.pads[rank + i], padded = image[i] + low + high;
    if (low > extent || high > extent)
      return n.error() << "pads " << text(attributes.pads) << " are larger than the kernel, which reaches over "
                       << extent << " elements of axis " << i + 2
                       << ": windows would see nothing but padding; pad the result "
                          "instead";
    if (extent > padded)
      return n.error() << "the result is empty: a kernel of " << attributes.kernel[i] << " with dilation "
                       << attributes.dilations[i] << " reaches over " << extent << " elements of axis " << i + 2
                       << ", which has " << image[i] << " and " << low + high
                       << " of padding; give the model a larger input (--shape)";
    if (attributes.strides[i] > padded)
      return n.error() << "stride " << attributes.strides[i] << " is beyond the " << padded << " elements of axis "
                       << i + 2
                       << " with its padding; give the model a larger input (--shape), or export it with a "
                          "stride of the kernel's size at most";
  }
  return success();
}

static FailureOr<ConvAttributes> readConvAttributes(NodeImporter &n, ArrayRef<int64_t> image,
                                                    ArrayRef<int64_t> kernel) {
  const size_t rank = image.size();
  ConvAttributes attributes;
  attributes.kernel.assign(kernel.begin(), kernel.end());
  std::optional<Shape> given = n.intsAttr("kernel_shape");
  if (given && *given != attributes.kernel)
    return n.error() << "kernel_shape " << text(*given) << " is not the weight's, " << text(kernel);
  FailureOr<Shape> strides = readSizes(n, "strides", rank, 1, 1), dilations = readSizes(n, "dilations", rank, 1, 1),
                   pads = readSizes(n, "pads", 2 * rank, 0, 0);
  if (failed(strides) || failed(dilations) || failed(pads))
    return failure();
  attributes.strides = *strides;
  attributes.dilations = *dilations;
  attributes.pads = *pads;
  attributes.groups = n.intAttr("group", 1);
  std::string autoPad = n.stringAttr("auto_pad", "NOTSET");
  if (failed(checkAutoPad(n, autoPad, *pads)))
    return failure();
  if (autoPad == "SAME_UPPER" || autoPad == "SAME_LOWER")
    padToSame(attributes, image, autoPad == "SAME_LOWER");
  else if (autoPad == "VALID")
    attributes.pads.assign(2 * rank, 0);
  else if (autoPad != "NOTSET")
    return n.error() << "auto_pad '" << autoPad << "' is not supported";
  return attributes;
}

/// Attributes of one axis as those of two.
static void addHeight(ConvAttributes &attributes) {
  if (attributes.kernel.size() == 2)
    return;
  for (Shape *sizes : {&attributes.kernel, &attributes.strides, &attributes.dilations})
    sizes->insert(sizes->begin(), 1);
  attributes.pads = {0, attributes.pads[0], 0, attributes.pads[1]};
}

static LogicalResult checkRanks(NodeImporter &n, const Imported &input, const Imported &weight) {
  if ((input.rank() != 3 && input.rank() != 4) || weight.rank() != input.rank())
    return n.error() << "only convolutions over one or two axes are supported; the input has rank " << input.rank()
                     << ", the weight " << weight.rank();
  if (!weight.constant)
    return n.error() << "the weight must be a constant";
  return success();
}

//===----------------------------------------------------------------------===//
// Convolution
//===----------------------------------------------------------------------===//

/// The convolution of a map, channels last, with a weight [D, C/groups, K_h, K_w].
static MaybeImported convolve(NodeImporter &n, Value map, const Imported &weight, const Imported &bias,
                              const ConvAttributes &attributes) {
  Value rest;
  FailureOr<Value> w = n.materializeWeight(weight, rest);
  if (failed(w))
    return failure();
  SmallVector<Value> operands{map, *w};
  if (bias) {
    FailureOr<Value> b = n.materialize(bias);
    if (failed(b))
      return failure();
    operands.push_back(*b);
  }
  auto create = [&](ValueRange values) {
    return n.create<vit::Conv2dOp>(values,
                                   {n.i64s("strides", attributes.strides), n.i64s("pads", attributes.pads),
                                    n.i64s("dilations", attributes.dilations), n.i64("groups", attributes.groups)});
  };
  MaybeImported result = create(operands);
  if (failed(result) || !rest)
    return result;
  MaybeImported share = create({map, rest});
  return failed(share) ? share : n.create<vit::AddOp>({result->value, share->value});
}

MaybeImported vitq::frontend::importConvolution(NodeImporter &n, const Imported &input, const Imported &weight,
                                                const Imported &bias) {
  if (failed(checkRanks(n, input, weight)))
    return failure();
  FailureOr<ConvAttributes> attributes =
      readConvAttributes(n, input.shape().drop_front(2), weight.shape().drop_front(2));
  if (failed(attributes))
    return failure();
  const int64_t channels = input.shape()[1], outputs = weight.shape()[0], groups = attributes->groups;
  if (groups < 1 || groups > outputs || outputs % groups || weight.shape()[1] * groups != channels)
    return n.error() << "has unusable strides, dilations, pads or groups: " << groups << " groups do not divide "
                     << channels << " input and " << outputs << " output channels into those of the weight "
                     << text(weight.shape());
  if (failed(checkWindows(n, input.shape().drop_front(2), *attributes)))
    return failure();
  addHeight(*attributes);
  Imported kernel = weight;
  if (weight.rank() == 3)
    kernel =
        reshapedConstant(*weight.constant, {outputs, weight.shape()[1], 1, weight.shape()[2]}, weight.constant->name);
  MaybeImported map = toChannelsLast(n, input);
  FailureOr<Value> x = failed(map) ? FailureOr<Value>(failure()) : n.materialize(*map);
  if (failed(x))
    return failure();
  if (bias)
    remarkBiasScale(n, input, weight.constant, bias.constant);
  MaybeImported result = convolve(n, *x, kernel, bias, *attributes);
  return failed(result) ? result : toChannelsFirst(n, *result, input.rank());
}

MaybeImported vitq::frontend::makeConv(NodeImporter &n) {
  return importConvolution(n, n.input(0), n.input(1), n.input(2));
}

static LogicalResult importConv(NodeImporter &n) { return n.setOutput(makeConv(n)); }

//===----------------------------------------------------------------------===//
// Transposed convolution
//===----------------------------------------------------------------------===//

namespace {
/// A transposed convolution: what a convolution with these attributes passes back.
struct Transposed {
  ConvAttributes attributes;
  /// Of the result, and how much the last rows and columns have beyond the windows.
  Shape outputs, beyond;
};
} // namespace

/// The pads that make the result as large as output_shape, or input * stride, says; and that size.
static LogicalResult sizeResult(NodeImporter &n, ArrayRef<int64_t> image, Transposed &op) {
  const size_t rank = image.size();
  ConvAttributes &attributes = op.attributes;
  const std::string autoPad = n.stringAttr("auto_pad", "NOTSET");
  std::optional<Shape> wanted = n.intsAttr("output_shape");
  if (wanted && wanted->size() > rank)
    wanted->erase(wanted->begin(), wanted->end() - static_cast<int64_t>(rank));
  if (wanted && (wanted->size() != rank || !isSane(*wanted, 1)))
    return n.error() << "output_shape " << text(*wanted) << " must be " << rank << " positive numbers";
  const bool same = autoPad == "SAME_UPPER" || autoPad == "SAME_LOWER";
  for (size_t i = 0; i < rank; ++i) {
    const int64_t stride = attributes.strides[i], extent = (attributes.kernel[i] - 1) * attributes.dilations[i] + 1,
                  whole = stride * (image[i] - 1) + op.beyond[i] + extent;
    if (wanted || same) {
      const int64_t size = wanted ? (*wanted)[i] : image[i] * stride, total = std::max<int64_t>(0, whole - size);
      op.beyond[i] += std::max<int64_t>(0, size - whole);
      attributes.pads[i] = autoPad == "SAME_UPPER" ? total / 2 : total - total / 2;
      attributes.pads[rank + i] = total - attributes.pads[i];
      op.outputs.push_back(size);
    } else {
      op.outputs.push_back(whole - attributes.pads[i] - attributes.pads[rank + i]);
    }
    if (op.outputs.back() < 1)
      return n.error() << "the result is empty: pads " << text(attributes.pads) << " take all of the " << whole
                       << " elements of axis " << i + 2;
  }
  return success();
}

/// [C, D/G, ...] as the weight [D, C/G, ...] of a convolution, its kernel turned round.
static Imported turned(const OnnxConstant &weight, int64_t groups) {
  ArrayRef<int64_t> shape = weight.shape();
  const int64_t inputs = shape[0] / groups, outputs = shape[1], height = shape[2], width = shape[3];
  Shape split{groups, inputs, outputs, height, width};
  ConstantPtr grouped = transposedConstant(*reshapedConstant(weight, split, weight.name), {0, 2, 1, 3, 4}, weight.name);
  ConstantPtr whole = reshapedConstant(*grouped, {groups * outputs, inputs, height, width}, weight.name);
  Tensor view =
      TensorView(whole->elements, height * width - 1, {groups * outputs * inputs, height * width}, {height * width, -1})
          .toTensor();
  return Imported(whole->with(view.reshaped(whole->shape()), weight.name));
}

/// Kernel = stride: each element of the map becomes a kernel's size of the result, a linear layer and a move.
static MaybeImported expand(NodeImporter &n, const Imported &map, ConstantPtr weight, ConstantPtr bias,
                            const ConvAttributes &attributes) {
  const int64_t outputs = weight->shape()[1], height = attributes.kernel[0], width = attributes.kernel[1];
  ArrayRef<int64_t> shape = map.shape();
  const int64_t batch = shape[0], rows = shape[1], columns = shape[2];
  // Rows of the weight in the order (y, x, channel).
  ConstantPtr ordered = transposedConstant(*weight, {2, 3, 1, 0}, weight->name);
  ordered = reshapedConstant(*ordered, {height * width * outputs, shape[3]}, weight->name);
  if (bias)
    bias = bias->with(broadcastTo(bias->elements, {height * width, outputs}).reshaped({height * width * outputs}),
                      bias->name);
  MaybeImported result = makeLinear(n, map, ordered, bias);
  if (succeeded(result))
    result = n.reshape(*result, {batch, rows, columns, height, width, outputs});
  if (succeeded(result))
    result = n.transpose(*result, {0, 1, 3, 2, 4, 5});
  return failed(result) ? result : n.reshape(*result, {batch, rows * height, columns * width, outputs});
}

/// The map with `strides - 1` zeros between neighbours.
static FailureOr<Value> insertZeros(NodeImporter &n, Imported map, ArrayRef<int64_t> strides) {
  const Shape shape(map.shape());
  if (strides[0] == 1 && strides[1] == 1)
    return n.materialize(map);
  MaybeImported result = n.reshape(map, {shape[0], shape[1], 1, shape[2], 1, shape[3]});
  FailureOr<Value> x = failed(result) ? FailureOr<Value>(failure()) : n.materialize(*result);
  if (failed(x))
    return failure();
  result = n.create<vit::PadOp>(
      *x, {n.i64s("low", Shape(6, 0)), n.i64s("high", {0, 0, strides[0] - 1, 0, strides[1] - 1, 0})});
  const int64_t rows = shape[1] * strides[0], columns = shape[2] * strides[1];
  if (succeeded(result))
    result = n.reshape(*result, {shape[0], rows, columns, shape[3]});
  if (succeeded(result))
    result = n.slice(*result, Shape(4, 0), {shape[0], rows - strides[0] + 1, columns - strides[1] + 1, shape[3]},
                     Shape(4, 1));
  return failed(result) ? FailureOr<Value>(failure()) : n.materialize(*result);
}

/// Any other: a convolution of the map with zeros inserted, by the kernel turned round.
static MaybeImported convolveZeros(NodeImporter &n, const Imported &map, const OnnxConstant &weight,
                                   const Imported &bias, const Transposed &op) {
  FailureOr<Value> zeros = insertZeros(n, map, op.attributes.strides);
  if (failed(zeros))
    return failure();
  ConvAttributes attributes = op.attributes;
  attributes.strides = {1, 1};
  // Pads of the result that are larger than the kernel cut the map instead.
  Shape offsets(4, 0), sizes(vit::shapeOf(*zeros));
  for (int i = 0; i < 2; ++i) {
    const int64_t reach = (attributes.kernel[i] - 1) * attributes.dilations[i];
    const int64_t low = reach - op.attributes.pads[i], high = reach - op.attributes.pads[2 + i] + op.beyond[i];
    attributes.pads[i] = std::max<int64_t>(low, 0);
    attributes.pads[2 + i] = std::max<int64_t>(high, 0);
    offsets[1 + i] = std::max<int64_t>(-low, 0);
    sizes[1 + i] -= offsets[1 + i] + std::max<int64_t>(-high, 0);
  }
  if (llvm::any_of(sizes, [](int64_t size) { return size < 1; }))
    return n.error() << "pads " << text(op.attributes.pads) << " take all of the input " << text(map.shape());
  MaybeImported cut = n.slice(Imported(*zeros), offsets, sizes, Shape(4, 1));
  FailureOr<Value> x = failed(cut) ? FailureOr<Value>(failure()) : n.materialize(*cut);
  return failed(x) ? MaybeImported(failure()) : convolve(n, *x, turned(weight, attributes.groups), bias, attributes);
}

static MaybeImported makeConvTranspose(NodeImporter &n) {
  const Imported &input = n.input(0), &weight = n.input(1), &bias = n.input(2);
  if (failed(checkRanks(n, input, weight)))
    return failure();
  ArrayRef<int64_t> image = input.shape().drop_front(2);
  const size_t rank = image.size();
  Transposed op;
  ConvAttributes &attributes = op.attributes;
  attributes.kernel = Shape(weight.shape().drop_front(2));
  std::optional<Shape> given = n.intsAttr("kernel_shape");
  if (given && *given != attributes.kernel)
    return n.error() << "kernel_shape " << text(*given) << " is not the weight's, " << text(attributes.kernel);
  FailureOr<Shape> strides = readSizes(n, "strides", rank, 1, 1), dilations = readSizes(n, "dilations", rank, 1, 1),
                   pads = readSizes(n, "pads", 2 * rank, 0, 0), beyond = readSizes(n, "output_padding", rank, 0, 0);
  if (failed(strides) || failed(dilations) || failed(pads) || failed(beyond) ||
      failed(checkAutoPad(n, n.stringAttr("auto_pad", "NOTSET"), *pads)) ||
      failed(checkOutputPadding(n, *beyond, *strides, *dilations)))
    return failure();
  attributes.strides = *strides;
  attributes.dilations = *dilations;
  attributes.pads = *pads;
  attributes.groups = n.intAttr("group", 1);
  op.beyond = *beyond;
  const int64_t channels = input.shape()[1];
  if (attributes.groups < 1 || weight.shape()[0] != channels || channels % attributes.groups)
    return n.error() << "has unusable strides, dilations, pads or groups: " << attributes.groups
                     << " groups do not divide " << channels << " input channels for the weight "
                     << text(weight.shape());
  if (bias && !bias.constant)
    return n.error() << "the bias must be a constant";
  if (failed(sizeResult(n, image, op)))
    return failure();
  addHeight(attributes);
  if (rank == 1)
    op.beyond.insert(op.beyond.begin(), 0);
  ConstantPtr kernel = weight.constant;
  if (rank == 1)
    kernel = reshapedConstant(*kernel, {weight.shape()[0], weight.shape()[1], 1, weight.shape()[2]}, kernel->name);
  MaybeImported map = toChannelsLast(n, input);
  if (failed(map))
    return failure();
  auto isZero = [](int64_t value) { return value == 0; };
  const bool expands = attributes.kernel == attributes.strides && attributes.groups == 1 &&
                       llvm::all_of(attributes.pads, isZero) && llvm::all_of(op.beyond, isZero) &&
                       llvm::all_of(attributes.dilations, [](int64_t d) { return d == 1; });
  MaybeImported result =
      expands ? expand(n, *map, kernel, bias.constant, attributes) : convolveZeros(n, *map, *kernel, bias, op);
  return failed(result) ? result : toChannelsFirst(n, *result, input.rank());
}

static LogicalResult importConvTranspose(NodeImporter &n) { return n.setOutput(makeConvTranspose(n)); }

void vitq::frontend::addConvolutionHandlers(HandlerTable &table) {
  table["Conv"] = {importConv, 2, 3};
  table["ConvTranspose"] = {importConvTranspose, 2, 3};
}
