//===- ImportShapeOps.cpp - Operators that move elements -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Importer.h"
#include "llvm/ADT/SmallSet.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace mlir;
using namespace vitq;
using namespace vitq::frontend;

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

template <typename Element>
static Tensor vectorOf(ArrayRef<Element> values) {
  return Tensor::of<Element>({static_cast<int64_t>(values.size())}, values);
}

static LogicalResult importConstant(NodeImporter &n) {
  if (n.node.attributes.size() != 1)
    return n.error() << "must have one value";
  const auto &[name, attribute] = *n.node.attributes.begin();
  using Kind = OnnxAttribute::Kind;
  auto setConstant = [&](DType dtype, const Tensor &elements) {
    return n.setOutput(MaybeImported(Imported(std::make_shared<OnnxConstant>(dtype, elements, n.outputName()))));
  };
  if (name == "value" && attribute.kind == Kind::Tensor && attribute.tensor)
    return n.setOutput(MaybeImported(Imported(attribute.tensor)));
  if (name == "value_float" && attribute.kind == Kind::Float)
    return setConstant(DType::F32, Tensor::of<float>({}, {attribute.f}));
  if (name == "value_int" && attribute.kind == Kind::Int)
    return setConstant(DType::I64, Tensor::of<int64_t>({}, {attribute.i}));
  if (name == "value_floats" && attribute.kind == Kind::Floats)
    return setConstant(DType::F32, vectorOf<float>(attribute.floats));
  if (name == "value_ints" && attribute.kind == Kind::Ints)
    return setConstant(DType::I64, vectorOf<int64_t>(attribute.ints));
  return n.error() << "attribute '" << name << "' is not supported";
}

/// A tensor of one repeated value.
static MaybeImported splat(NodeImporter &n, const OnnxConstant &value, ArrayRef<int64_t> shape) {
  if (failed(n.checkFolded(value.dtype, shape)))
    return failure();
  return Imported(value.with(broadcastTo(value.elements.reshaped({}), shape), n.outputName()));
}

static LogicalResult importConstantOfShape(NodeImporter &n) {
  FailureOr<Shape> shape = n.intsInput(0, "shape");
  if (failed(shape))
    return failure();
  OnnxConstant zero(DType::F32, Shape(), n.outputName());
  const OnnxAttribute *value = n.node.find("value");
  if (!value)
    return n.setOutput(splat(n, zero, *shape));
  if (value->kind != OnnxAttribute::Kind::Tensor || !value->tensor || value->tensor->size() != 1)
    return n.error() << "attribute 'value' must be one number";
  return n.setOutput(splat(n, *value->tensor, *shape));
}

static LogicalResult importShape(NodeImporter &n) {
  ArrayRef<int64_t> shape = n.input(0).shape();
  int64_t rank = shape.size(), start = n.intAttr("start", 0), end = n.intAttr("end", rank);
  auto clamp = [&](int64_t i) { return std::clamp<int64_t>(i < 0 && i >= -rank ? i + rank : i, 0, rank); };
  start = clamp(start);
  end = std::max(clamp(end), start);
  Tensor extents = vectorOf(shape.slice(start, end - start));
  return n.setOutput(MaybeImported(Imported(std::make_shared<OnnxConstant>(DType::I64, extents, n.outputName()))));
}

static LogicalResult importSize(NodeImporter &n) {
  Tensor count = Tensor::of<int64_t>({}, {countElements(n.input(0).shape()).value_or(0)});
  return n.setOutput(MaybeImported(Imported(std::make_shared<OnnxConstant>(DType::I64, count, n.outputName()))));
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

static LogicalResult importReshape(NodeImporter &n) {
  FailureOr<Shape> shape = n.intsInput(1, "shape");
  if (failed(shape))
    return failure();
  ArrayRef<int64_t> from = n.input(0).shape();
  bool allowZero = n.intAttr("allowzero", 0) != 0;
  int64_t open = -1, known = 1;
  for (auto [i, size] : llvm::enumerate(*shape)) {
    if (size == 0 && !allowZero) {
      if (i >= from.size())
        return n.error() << "size 0 of axis " << i << " stands for a size that the input does not have";
      size = from[i];
    }
    if (size == -1) {
      if (open >= 0)
        return n.error() << "has two open sizes";
      open = i;
    } else if (size < 0 || llvm::MulOverflow(known, size, known) || known > kMaxElements) {
      return n.error() << "has a negative or absurd size";
    }
  }
  if (open >= 0) {
    int64_t total = *countElements(from);
    if (known == 0 || total % known)
      return n.error() << "cannot reshape " << total << " elements to multiples of " << known;
    (*shape)[open] = total / known;
  }
  return n.setOutput(n.reshape(n.input(0), *shape));
}

static LogicalResult importFlatten(NodeImporter &n) {
  ArrayRef<int64_t> from = n.input(0).shape();
  int64_t rank = from.size(), axis = n.intAttr("axis", 1);
  if (axis < -rank || axis > rank)
    return n.error() << "axis " << axis << " is outside a tensor of rank " << rank;
  axis = axis < 0 ? axis + rank : axis;
  return n.setOutput(
      n.reshape(n.input(0), {*countElements(from.take_front(axis)), *countElements(from.drop_front(axis))}));
}

static LogicalResult importSqueeze(NodeImporter &n) {
  bool given = false;
  FailureOr<Shape> axes = n.axes(n.input(0).rank(), 13, given);
  if (failed(axes))
    return failure();
  Shape shape;
  for (auto [i, size] : llvm::enumerate(n.input(0).shape())) {
    bool drop = given ? llvm::is_contained(*axes, static_cast<int64_t>(i)) : size == 1;
    if (drop && size != 1)
      return n.error() << "axis " << i << " has size " << size << ", not 1";
    if (!drop)
      shape.push_back(size);
  }
  return n.setOutput(n.reshape(n.input(0), shape));
}

static LogicalResult importUnsqueeze(NodeImporter &n) {
  // The axes count in the result, so their number is needed first.
  size_t count = 0;
  if (n.opset() >= 13) {
    FailureOr<Shape> ints = n.intsInput(1, "axes");
    if (failed(ints))
      return failure();
    count = ints->size();
  } else {
    count = n.intsAttr("axes").value_or(Shape()).size();
  }
  int64_t rank = n.input(0).rank() + count;
  if (rank > static_cast<int64_t>(kMaxRank))
    return n.error() << "the result has too many axes";
  bool given = false;
  FailureOr<Shape> axes = n.axes(rank, 13, given);
  if (failed(axes))
    return failure();
  Shape shape;
  ArrayRef<int64_t> from = n.input(0).shape();
  for (int64_t i = 0; i < rank; ++i) {
    bool isNew = llvm::is_contained(*axes, i);
    shape.push_back(isNew ? 1 : from.front());
    if (!isNew)
      from = from.drop_front();
  }
  return n.setOutput(n.reshape(n.input(0), shape));
}

static LogicalResult importTranspose(NodeImporter &n) {
  Shape reversed = range(0, n.input(0).rank());
  std::reverse(reversed.begin(), reversed.end());
  return n.setOutput(n.transpose(n.input(0), n.intsAttr("perm").value_or(reversed)));
}

static LogicalResult importExpand(NodeImporter &n) {
  FailureOr<Shape> to = n.intsInput(1, "shape");
  if (failed(to))
    return failure();
  if (!countElements(*to))
    return n.error() << "the shape has a negative or absurd size";
  FailureOr<Shape> shape = broadcastShapes(n, n.input(0).shape(), *to);
  return failed(shape) ? failure() : n.setOutput(n.broadcast(n.input(0), *shape));
}

/// Repeated along an axis of its own, which is then joined with the one behind it.
static MaybeImported tileConstant(NodeImporter &n, const Imported &input, size_t axis, int64_t count) {
  Shape shape(input.shape()), split(shape), repeated;
  if (llvm::MulOverflow(shape[axis], count, shape[axis]))
    return n.error() << "the result is too large";
  split.insert(split.begin() + axis, 1);
  repeated = split;
  repeated[axis] = count;
  MaybeImported value = n.reshape(input, split);
  if (succeeded(value))
    value = n.broadcast(*value, repeated);
  return failed(value) ? value : n.reshape(*value, shape);
}

static LogicalResult importTile(NodeImporter &n) {
  FailureOr<Shape> repeats = n.intsInput(1, "repeats");
  if (failed(repeats))
    return failure();
  if (static_cast<int64_t>(repeats->size()) != n.input(0).rank())
    return n.error() << "needs one count for each axis";
  Imported result = n.input(0);
  for (auto [axis, count] : llvm::enumerate(*repeats)) {
    if (count == 1)
      continue;
    MaybeImported tiled = failure();
    if (count == 0)
      tiled = n.gather(result, {}, axis);
    else if (result.constant && count > 0)
      tiled = tileConstant(n, result, axis, count);
    else if (count < 0 || count > 4096)
      return n.error() << "repeats axis " << axis << ' ' << count << " times, which is not supported";
    else
      tiled = n.concat(SmallVector<Imported>(count, result), axis);
    if (failed(tiled))
      return failure();
    result = *tiled;
  }
  return n.setOutput(MaybeImported(result));
}

/// Blocks of size x size pixels to channels, or the other way: both are a transposition of [B, C, H, W] with axes for
/// the places in a block.
static LogicalResult moveBlocks(NodeImporter &n, ArrayRef<int64_t> split, ArrayRef<int64_t> permutation,
                                ArrayRef<int64_t> result) {
  MaybeImported value = n.reshape(n.input(0), split);
  if (succeeded(value))
    value = n.transpose(*value, permutation);
  return failed(value) ? failure() : n.setOutput(n.reshape(*value, result));
}

static LogicalResult importDepthToSpace(NodeImporter &n) {
  const int64_t size = n.intAttr("blocksize", 0);
  const std::string mode = n.stringAttr("mode", "DCR");
  ArrayRef<int64_t> shape = n.input(0).shape();
  if (shape.size() != 4 || size < 1 || size > 4096 || shape[1] % (size * size) || (mode != "DCR" && mode != "CRD"))
    return n.error() << "expects [B, C, H, W] with C a multiple of the squared blocksize";
  const int64_t batch = shape[0], channels = shape[1] / (size * size), height = shape[2], width = shape[3];
  Shape result{batch, channels, height * size, width * size};
  if (mode == "DCR")
    return moveBlocks(n, {batch, size, size, channels, height, width}, {0, 3, 4, 1, 5, 2}, result);
  return moveBlocks(n, {batch, channels, size, size, height, width}, {0, 1, 4, 2, 5, 3}, result);
}

static LogicalResult importSpaceToDepth(NodeImporter &n) {
  const int64_t size = n.intAttr("blocksize", 0);
  ArrayRef<int64_t> shape = n.input(0).shape();
  if (shape.size() != 4 || size < 1 || size > 4096 || shape[2] % size || shape[3] % size)
    return n.error() << "expects [B, C, H, W] with H and W multiples of the blocksize";
  const int64_t batch = shape[0], channels = shape[1], height = shape[2] / size, width = shape[3] / size;
  return moveBlocks(n, {batch, channels, height, size, width, size}, {0, 3, 5, 1, 2, 4},
                    {batch, channels * size * size, height, width});
}

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

static LogicalResult importConcat(NodeImporter &n) {
  SmallVector<Imported> parts;
  for (size_t i = 0; i < n.numInputs(); ++i) {
    if (!n.has(i))
      return n.error() << "input " << i << " is missing";
    parts.push_back(n.input(i));
  }
  if (!n.node.find("axis"))
    return n.error() << "has no axis";
  FailureOr<int64_t> axis = n.axis(n.intAttr("axis", 0), parts.front().rank());
  return failed(axis) ? failure() : n.setOutput(n.concat(parts, *axis));
}

/// The box along one axis.
static MaybeImported sliceAxis(NodeImporter &n, const Imported &input, int64_t axis, int64_t start, int64_t size,
                               int64_t step = 1) {
  if (step < 0 && size > 0) {
    Shape indices;
    for (int64_t i = 0; i < size; ++i)
      indices.push_back(start + i * step);
    return n.gather(input, indices, axis);
  }
  Shape offsets(input.rank(), 0), sizes(input.shape()), strides(input.rank(), 1);
  offsets[axis] = start;
  sizes[axis] = size;
  strides[axis] = std::max<int64_t>(step, 1);
  return n.slice(input, offsets, sizes, strides);
}

/// A list that was an attribute before opset `inputSince`.
static FailureOr<Shape> readList(NodeImporter &n, size_t i, const std::string &name, int64_t inputSince) {
  if (n.opset() >= inputSince)
    return n.intsInput(i, name);
  if (std::optional<Shape> ints = n.intsAttr(name))
    return *ints;
  return n.error() << "has no attribute '" << name << "'";
}

static LogicalResult importSlice(NodeImporter &n) {
  FailureOr<Shape> starts = readList(n, 1, "starts", 10), ends = readList(n, 2, "ends", 10);
  if (failed(starts) || failed(ends))
    return failure();
  Shape axes(range(0, starts->size())), steps(starts->size(), 1);
  if (n.has(3) || n.node.find("axes")) {
    FailureOr<Shape> given = readList(n, 3, "axes", 10);
    if (failed(given))
      return failure();
    axes = *given;
  }
  if (n.has(4)) {
    FailureOr<Shape> given = n.intsInput(4, "steps");
    if (failed(given))
      return failure();
    steps = *given;
  }
  if (ends->size() != starts->size() || axes.size() != starts->size() || steps.size() != starts->size())
    return n.error() << "starts, ends, axes and steps have different lengths";
  Imported result = n.input(0);
  llvm::SmallBitVector seen(result.rank());
  for (size_t i = 0; i < axes.size(); ++i) {
    FailureOr<int64_t> axis = n.axis(axes[i], result.rank());
    if (failed(axis))
      return failure();
    int64_t step = steps[i], size = result.shape()[*axis], start = (*starts)[i], end = (*ends)[i];
    if (seen[*axis] || step == 0 || step == std::numeric_limits<int64_t>::min())
      return n.error() << "axis " << *axis << " is given twice, or its step is unusable";
    seen.set(*axis);
    auto normal = [&](int64_t index, int64_t low, int64_t high) {
      return std::clamp(index < 0 && index >= -size ? index + size : index, low, high);
    };
    start = step > 0 ? normal(start, 0, size) : normal(start, size ? 0 : -1, size - 1);
    end = step > 0 ? normal(end, 0, size) : normal(end, -1, size - 1);
    int64_t magnitude = step > 0 ? step : -step, span = step > 0 ? end - start : start - end;
    int64_t count = span > 0 ? (span - 1) / magnitude + 1 : 0;
    MaybeImported part = sliceAxis(n, result, *axis, count ? start : 0, count, count > 1 ? step : 1);
    if (failed(part))
      return failure();
    result = *part;
  }
  return n.setOutput(MaybeImported(result));
}

static LogicalResult importSplit(NodeImporter &n) {
  const Imported &input = n.input(0);
  FailureOr<int64_t> axis = n.axis(n.intAttr("axis", 0), input.rank());
  if (failed(axis))
    return failure();
  int64_t total = input.shape()[*axis], parts = n.node.outputs.size();
  Shape sizes;
  bool given = true;
  if (n.opset() >= 13 && n.has(1)) {
    FailureOr<Shape> ints = n.intsInput(1, "split");
    if (failed(ints))
      return failure();
    sizes = *ints;
  } else if (std::optional<Shape> ints = n.opset() < 13 ? n.intsAttr("split") : std::nullopt) {
    sizes = *ints;
  } else {
    given = false;
    // Equal parts, the last smaller where they do not fit (opset 18).
    int64_t size = llvm::divideCeilSigned(total, parts);
    for (int64_t i = 0; i < parts; ++i)
      sizes.push_back(std::min(size, total - i * size));
  }
  int64_t sum = 0, smallest = given ? 0 : 1;
  bool valid = static_cast<int64_t>(sizes.size()) == parts;
  for (int64_t size : sizes)
    valid &= size >= smallest && !llvm::AddOverflow(sum, size, sum);
  if (!valid || sum != total)
    return n.error() << "cannot split an axis of " << total << " into these " << parts << " parts";
  int64_t offset = 0;
  for (auto [i, size] : llvm::enumerate(sizes)) {
    if (n.wantsOutput(i)) {
      MaybeImported part = sliceAxis(n, input, *axis, offset, size);
      if (failed(part))
        return failure();
      n.setOutput(i, *part);
    }
    offset += size;
  }
  return success();
}

static LogicalResult importGather(NodeImporter &n) {
  const Imported &input = n.input(0);
  FailureOr<int64_t> axis = n.axis(n.intAttr("axis", 0), input.rank());
  if (failed(axis))
    return failure();
  const ConstantPtr &indices = n.input(1).constant;
  if (!indices || isFloat(indices->dtype))
    return n.error() << "indices must be known integers";
  Shape list = indices->ints();
  for (int64_t &index : list) {
    if (index < -input.shape()[*axis] || index >= input.shape()[*axis])
      return n.error() << "index " << index << " is outside an axis of " << input.shape()[*axis];
    index += index < 0 ? input.shape()[*axis] : 0;
  }
  Shape shape(input.shape().take_front(*axis));
  llvm::append_range(shape, indices->shape());
  shape.append(input.shape().begin() + *axis + 1, input.shape().end());
  if (input.constant ? failed(n.checkFolded(input.constant->dtype, shape)) : list.empty() || !countElements(shape))
    return input.constant ? failure() : LogicalResult(n.error() << "the result is empty or too large");
  MaybeImported gathered = n.gather(input, list, *axis);
  return n.setOutput(failed(gathered) ? gathered : n.reshape(*gathered, shape));
}

/// Where element `i` of an axis that is padded lies in the axis itself, as `mode` says.
static int64_t paddedFrom(StringRef mode, int64_t i, int64_t size) {
  if (mode == "edge")
    return std::clamp<int64_t>(i, 0, size - 1);
  if (mode == "wrap" || size == 1)
    return (i % size + size) % size;
  // reflect: forth and back without repeating the ends
  const int64_t period = 2 * size - 2, at = (i % period + period) % period;
  return at < size ? at : period - at;
}

/// Padding with elements of the input itself.
static MaybeImported padWithElements(NodeImporter &n, const Imported &input, StringRef mode, ArrayRef<int64_t> low,
                                     ArrayRef<int64_t> high) {
  MaybeImported result = input;
  for (int64_t axis = 0, rank = input.rank(); axis < rank && succeeded(result); ++axis) {
    if (low[axis] == 0 && high[axis] == 0)
      continue;
    const int64_t size = input.shape()[axis];
    Shape indices;
    for (int64_t i = -low[axis]; i < size + high[axis]; ++i)
      indices.push_back(paddedFrom(mode, i, size));
    result = n.gather(*result, indices, axis);
  }
  return result;
}

/// Padding with a number other than 0: constants beside the input.
static MaybeImported padWithNumber(NodeImporter &n, const Imported &input, double number, ArrayRef<int64_t> low,
                                   ArrayRef<int64_t> high) {
  OnnxConstant value(DType::F32, Shape(), (n.outputName() + ".padding").str());
  value.setDouble(0, number);
  MaybeImported result = input;
  for (int64_t axis = 0, rank = input.rank(); axis < rank && succeeded(result); ++axis) {
    SmallVector<Imported> parts{*result};
    for (bool isHigh : {false, true}) {
      Shape shape(result->shape());
      shape[axis] = isHigh ? high[axis] : low[axis];
      if (shape[axis] == 0)
        continue;
      MaybeImported padding = splat(n, value, shape);
      if (failed(padding))
        return failure();
      parts.insert(isHigh ? parts.end() : parts.begin(), *padding);
    }
    if (parts.size() > 1)
      result = n.concat(parts, axis);
  }
  return result;
}

/// The number that the node pads with; none where the image decides.
static std::optional<double> paddingNumber(NodeImporter &n) {
  if (!n.has(2))
    return n.floatAttr("value", 0.0);
  const ConstantPtr &value = n.input(2).constant;
  return value && value->size() == 1 ? std::optional<double>(value->getDouble(0)) : std::nullopt;
}

/// A map that MaxPool will read.
static MaybeImported surroundWithLowest(NodeImporter &n, const Imported &input, ArrayRef<int64_t> low,
                                        ArrayRef<int64_t> shape) {
  if (shape.size() < 3 || shape.take_front(2) != input.shape().take_front(2))
    return n.error() << "pads batch or channels with -inf, which is not supported";
  Imported result;
  result.surrounded = input.value;
  result.surroundedShape.assign(shape.begin(), shape.end());
  result.before.assign(low.begin(), low.end());
  return result;
}

/// The counts before and behind each axis of the node's input.
static LogicalResult readPads(NodeImporter &n, Shape &low, Shape &high) {
  FailureOr<Shape> pads = readList(n, 1, "pads", 11);
  const int64_t rank = n.input(0).rank();
  FailureOr<Shape> axes = n.has(3) ? n.intsInput(3, "axes") : FailureOr<Shape>(Shape(range(0, rank)));
  if (failed(pads) || failed(axes))
    return failure();
  if (pads->size() != 2 * axes->size())
    return n.error() << "needs two counts for each axis";
  low.assign(rank, 0);
  high.assign(rank, 0);
  llvm::SmallSet<int64_t, 8> known;
  for (size_t i = 0; i < axes->size(); ++i) {
    FailureOr<int64_t> axis = n.axis((*axes)[i], rank);
    if (failed(axis))
      return failure();
    if (!known.insert(*axis).second)
      return n.error() << "axis " << (*axes)[i] << " is given twice";
    low[*axis] = (*pads)[i];
    high[*axis] = (*pads)[axes->size() + i];
    for (int64_t count : {low[*axis], high[*axis]})
      if (count > kMaxElements || count < -kMaxElements)
        return n.error() << "pads axis " << *axis << " with " << count << " elements; at most " << kMaxElements
                         << " are supported";
  }
  return success();
}

/// The input without what negative counts cut from it; they are 0 then.
static MaybeImported cutNegative(NodeImporter &n, MutableArrayRef<int64_t> low, MutableArrayRef<int64_t> high) {
  const Imported &input = n.input(0);
  Shape offsets(input.rank(), 0), sizes(input.shape());
  for (int64_t axis = 0; axis < input.rank(); ++axis) {
    offsets[axis] = std::max<int64_t>(0, -low[axis]);
    sizes[axis] -= offsets[axis] + std::max<int64_t>(0, -high[axis]);
    if (sizes[axis] < 1 && sizes[axis] < input.shape()[axis])
      return n.error() << "negative pads " << low[axis] << " and " << high[axis] << " leave nothing of axis " << axis
                       << ", which has " << input.shape()[axis] << " elements";
    low[axis] = std::max<int64_t>(0, low[axis]);
    high[axis] = std::max<int64_t>(0, high[axis]);
  }
  return ArrayRef<int64_t>(sizes) == input.shape() ? MaybeImported(input)
                                                   : n.slice(input, offsets, sizes, Shape(input.rank(), 1));
}

/// Of modes that take elements of the input, along each axis.
static LogicalResult checkElements(NodeImporter &n, StringRef mode, const Imported &input, ArrayRef<int64_t> low,
                                   ArrayRef<int64_t> high) {
  constexpr int64_t kMost = 1 << 14;
  for (int64_t axis = 0; axis < input.rank(); ++axis) {
    const int64_t most = std::max(low[axis], high[axis]);
    if (most > kMost)
      return n.error() << "pads axis " << axis << " with " << most << " elements; at most " << kMost
                       << " are supported";
    if (mode == "reflect" && most >= std::max<int64_t>(input.shape()[axis], 1))
      return n.error() << "reflects more elements than axis " << axis << " of size " << input.shape()[axis] << " has";
  }
  return success();
}

static LogicalResult importPad(NodeImporter &n) {
  const std::string mode = n.stringAttr("mode", "constant");
  const std::optional<double> number = paddingNumber(n);
  if (!llvm::is_contained({"constant", "edge", "reflect", "wrap"}, mode))
    return n.error() << "mode '" << mode << "' is not supported";
  const bool isLowest =
      number && *number == -std::numeric_limits<double>::infinity() && n.input(0).value && !n.input(0).codes;
  if (mode == "constant" && (!number || (!std::isfinite(*number) && !isLowest)))
    return n.error() << "only padding with a known finite number is supported, or with -inf in front of MaxPool";
  Shape low, high;
  if (failed(readPads(n, low, high)))
    return failure();
  MaybeImported input = cutNegative(n, low, high);
  if (failed(input) || (mode != "constant" && failed(checkElements(n, mode, *input, low, high))))
    return failure();
  Shape result(input->shape());
  for (size_t i = 0; i < result.size(); ++i)
    result[i] += low[i] + high[i];
  if (!countElements(result))
    return n.error() << "the result is too large";
  if (ArrayRef<int64_t>(result) == input->shape())
    return n.setOutput(input);
  if (mode != "constant")
    return n.setOutput(padWithElements(n, *input, mode, low, high));
  if (isLowest)
    return n.setOutput(surroundWithLowest(n, *input, low, result));
  if (*number != 0)
    return n.setOutput(padWithNumber(n, *input, *number, low, high));
  FailureOr<Value> value = n.materialize(*input);
  if (failed(value))
    return failure();
  return n.setOutput(n.create<vit::PadOp>(*value, {n.i64s("low", low), n.i64s("high", high)}));
}

void vitq::frontend::addShapeHandlers(HandlerTable &table) {
  table["Constant"] = {importConstant, 0, 0};
  table["ConstantOfShape"] = {importConstantOfShape, 1, 1};
  table["Shape"] = {importShape, 1, 1};
  table["Size"] = {importSize, 1, 1};
  table["Reshape"] = {importReshape, 2, 2};
  table["Flatten"] = {importFlatten, 1, 1};
  table["Squeeze"] = {importSqueeze, 1, 2};
  table["Unsqueeze"] = {importUnsqueeze, 1, 2};
  table["Transpose"] = {importTranspose, 1, 1};
  table["Expand"] = {importExpand, 2, 2};
  table["Tile"] = {importTile, 2, 2};
  table["DepthToSpace"] = {importDepthToSpace, 1, 1};
  table["SpaceToDepth"] = {importSpaceToDepth, 1, 1};
  table["Concat"] = {importConcat, 1, 1u << 16};
  table["Slice"] = {importSlice, 1, 5};
  table["Split"] = {importSplit, 1, 2};
  table["Gather"] = {importGather, 2, 2};
  table["Pad"] = {importPad, 1, 4};
}
