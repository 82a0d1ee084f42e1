//===- ShapeInference.cpp - Result shapes of vit and vitq ops -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/vit/ShapeInference.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallBitVector.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using llvm::ArrayRef;

namespace vitq::vit {

static std::string str(ArrayRef<int64_t> shape) {
  std::string text = "[";
  llvm::raw_string_ostream os(text);
  llvm::interleaveComma(shape, os);
  return text + "]";
}

FailureOr<Shape> inferBroadcast(OptLoc loc, ArrayRef<int64_t> a, ArrayRef<int64_t> b) {
  size_t rank = std::max(a.size(), b.size());
  Shape result(rank, 1);
  for (size_t i = 0; i < rank; ++i) {
    int64_t da = i < a.size() ? a[a.size() - 1 - i] : 1;
    int64_t db = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (da != db && da != 1 && db != 1)
      return emitOptionalError(loc, "shapes ", str(a), " and ", str(b), " do not broadcast");
    result[rank - 1 - i] = da == 1 ? db : da;
  }
  return result;
}

FailureOr<Shape> inferBroadcastTo(OptLoc loc, ArrayRef<int64_t> from, ArrayRef<int64_t> to) {
  if (llvm::any_of(to, [](int64_t d) { return d < 0; }))
    return emitOptionalError(loc, "shape ", str(to), " has a negative size");
  FailureOr<Shape> shape = inferBroadcast(loc, from, to);
  if (failed(shape))
    return failure();
  if (ArrayRef<int64_t>(*shape) != to)
    return emitOptionalError(loc, "shape ", str(from), " does not broadcast to ", str(to));
  return shape;
}

FailureOr<Shape> inferLinear(OptLoc loc, ArrayRef<int64_t> input, ArrayRef<int64_t> weight) {
  if (input.empty() || weight.size() != 2)
    return emitOptionalError(loc, "expects an input of rank >= 1 and a weight [N, K], got ", str(input), " and ",
                             str(weight));
  if (input.back() != weight[1])
    return emitOptionalError(loc, "input has ", input.back(), " features but the weight takes ", weight[1]);
  Shape shape(input);
  shape.back() = weight[0];
  return shape;
}

FailureOr<Shape> inferMatmul(OptLoc loc, ArrayRef<int64_t> lhs, ArrayRef<int64_t> rhs, bool transposeRhs,
                             bool sharedRhs) {
  size_t minRank = sharedRhs ? 1 : 2;
  if (lhs.size() < minRank || rhs.size() < 2)
    return emitOptionalError(loc, "expects matrices, got ", str(lhs), " and ", str(rhs));
  bool shared = sharedRhs && rhs.size() == 2;
  if (!shared && lhs.drop_back(2) != rhs.drop_back(2))
    return emitOptionalError(loc, "batch dimensions of ", str(lhs), " and ", str(rhs), " differ");
  int64_t k = rhs[rhs.size() - (transposeRhs ? 1 : 2)], n = rhs[rhs.size() - (transposeRhs ? 2 : 1)];
  if (lhs.back() != k)
    return emitOptionalError(loc, "contracted sizes ", lhs.back(), " and ", k, " differ");
  Shape shape(lhs);
  shape.back() = n;
  return shape;
}

FailureOr<Shape> inferPatchEmbed(OptLoc loc, ArrayRef<int64_t> input, ArrayRef<int64_t> weight, bool channelsLast) {
  if (input.size() != 4 || weight.size() != 4)
    return emitOptionalError(loc, "expects an image and a weight of rank 4, got ", str(input), " and ", str(weight));
  int64_t c = input[channelsLast ? 3 : 1], h = input[channelsLast ? 1 : 2], w = input[channelsLast ? 2 : 3];
  if (c != weight[1])
    return emitOptionalError(loc, "image has ", c, " channels but the weight takes ", weight[1]);
  if (weight[2] <= 0 || weight[3] <= 0 || h % weight[2] || w % weight[3])
    return emitOptionalError(loc, "patch ", weight[2], "x", weight[3], " does not divide the image ", h, "x", w);
  return Shape{input[0], (h / weight[2]) * (w / weight[3]), weight[0]};
}

static Shape orFill(ArrayRef<int64_t> values, size_t count, int64_t fill) {
  return values.empty() ? Shape(count, fill) : Shape(values);
}

Windows::Windows(ArrayRef<int64_t> size, ArrayRef<int64_t> strides, ArrayRef<int64_t> pads, ArrayRef<int64_t> dilations)
    : size(size), strides(orFill(strides, 2, 1)), dilations(orFill(dilations, 2, 1)), pads(orFill(pads, 4, 0)) {}

bool Windows::tile(int64_t height, int64_t width) const {
  for (int i = 0; i < 2; ++i)
    if (size[i] <= 0 || strides[i] != size[i] || (dilations[i] != 1 && size[i] != 1) || pads[i] || pads[2 + i] ||
        (i ? width : height) % size[i])
      return false;
  return true;
}

/// "3x5"
static std::string times(ArrayRef<int64_t> pair) { return std::to_string(pair[0]) + "x" + std::to_string(pair[1]); }

FailureOr<Shape> inferWindows(OptLoc loc, int64_t height, int64_t width, const Windows &windows) {
  // So much smaller than 64 bits that no sum or product of two leaves them.
  constexpr int64_t kLimit = int64_t(1) << 30;
  auto positive = [](int64_t v) { return v > 0 && v < kLimit; };
  if (windows.size.size() != 2 || windows.strides.size() != 2 || windows.dilations.size() != 2 ||
      windows.pads.size() != 4 || !llvm::all_of(windows.size, positive) || !llvm::all_of(windows.strides, positive) ||
      !llvm::all_of(windows.dilations, positive) ||
      !llvm::all_of(windows.pads, [](int64_t v) { return v >= 0 && v < kLimit; }))
    return emitOptionalError(
        loc, "sizes, strides and dilations must be two positive numbers, pads four that are not negative");
  const Shape extent{windows.extent(0), windows.extent(1)};
  const Shape padded{height + windows.pads[0] + windows.pads[2], width + windows.pads[1] + windows.pads[3]};
  Shape shape;
  for (int i = 0; i < 2; ++i) {
    if (extent[i] > padded[i])
      return emitOptionalError(loc, "windows of ", times(windows.size), " with dilations ", times(windows.dilations),
                               " reach over ", times(extent), ", more than the padded map of ", times(padded));
    shape.push_back((padded[i] - extent[i]) / windows.strides[i] + 1);
  }
  return shape;
}

FailureOr<Shape> inferConv2d(OptLoc loc, ArrayRef<int64_t> input, ArrayRef<int64_t> weight, const Windows &windows,
                             int64_t groups) {
  if (input.size() != 4 || weight.size() != 4)
    return emitOptionalError(loc, "expects a map [B, H, W, C] and a weight of rank 4, got ", str(input), " and ",
                             str(weight));
  if (groups < 1 || weight[0] < 1 || weight[1] * groups != input[3] || weight[0] % groups)
    return emitOptionalError(loc, input[3], " input channels in ", groups, " groups do not fit the weight ",
                             str(weight));
  FailureOr<Shape> map = inferWindows(loc, input[1], input[2], windows);
  if (failed(map))
    return failure();
  return Shape{input[0], (*map)[0], (*map)[1], weight[0]};
}

FailureOr<Shape> inferDepthwise(OptLoc loc, ArrayRef<int64_t> input, ArrayRef<int64_t> weight, const Windows &windows) {
  if (input.size() != 4 || weight.size() != 3 || input[3] != weight[2])
    return emitOptionalError(loc, "expects a map [B, H, W, C] and a weight [K_h, K_w, C], got ", str(input), " and ",
                             str(weight));
  FailureOr<Shape> map = inferWindows(loc, input[1], input[2], windows);
  if (failed(map))
    return failure();
  return Shape{input[0], (*map)[0], (*map)[1], input[3]};
}

LogicalResult checkVector(OptLoc loc, StringRef what, ArrayRef<int64_t> shape, int64_t channels) {
  if (shape.size() == 1 && shape[0] == channels)
    return success();
  return emitOptionalError(loc, what, " must have shape [", channels, "], got ", str(shape));
}

FailureOr<Shape> inferReduce(OptLoc loc, ArrayRef<int64_t> input, ArrayRef<int64_t> axes, bool keepDims) {
  llvm::SmallBitVector reduced(input.size());
  int64_t last = -1;
  for (int64_t axis : axes) {
    if (axis <= last || axis >= static_cast<int64_t>(input.size()))
      return emitOptionalError(loc, "axes ", str(axes), " must be sorted, distinct and below the rank ", input.size());
    last = axis;
    reduced.set(axis);
  }
  Shape shape;
  for (auto [i, size] : llvm::enumerate(input)) {
    if (!reduced[i])
      shape.push_back(size);
    else if (keepDims)
      shape.push_back(1);
  }
  return shape;
}

FailureOr<Shape> inferReshape(OptLoc loc, ArrayRef<int64_t> input, ArrayRef<int64_t> shape) {
  if (llvm::any_of(shape, [](int64_t d) { return d < 0; }) ||
      ShapedType::getNumElements(input) != ShapedType::getNumElements(shape))
    return emitOptionalError(loc, "cannot reshape ", str(input), " to ", str(shape));
  return Shape(shape);
}

FailureOr<Shape> inferTranspose(OptLoc loc, ArrayRef<int64_t> input, ArrayRef<int64_t> permutation) {
  llvm::SmallBitVector seen(input.size());
  Shape shape;
  bool bad = permutation.size() != input.size();
  for (int64_t axis : permutation) {
    if (bad || axis < 0 || axis >= static_cast<int64_t>(input.size()) || seen[axis]) {
      bad = true;
      break;
    }
    seen.set(axis);
    shape.push_back(input[axis]);
  }
  if (bad)
    return emitOptionalError(loc, str(permutation), " is not a permutation of ", input.size(), " axes");
  return shape;
}

FailureOr<Shape> inferConcat(OptLoc loc, ArrayRef<ArrayRef<int64_t>> inputs, int64_t axis) {
  if (inputs.empty())
    return emitOptionalError(loc, "needs at least one input");
  Shape shape(inputs.front());
  if (axis < 0 || axis >= static_cast<int64_t>(shape.size()))
    return emitOptionalError(loc, "axis ", axis, " is outside rank ", shape.size());
  for (ArrayRef<int64_t> input : inputs.drop_front()) {
    for (size_t i = 0; i < shape.size(); ++i)
      if (input.size() != shape.size() || (static_cast<int64_t>(i) != axis && input[i] != shape[i]))
        return emitOptionalError(loc, "inputs ", str(inputs.front()), " and ", str(input), " differ outside axis ",
                                 axis);
    shape[axis] += input[axis];
  }
  return shape;
}

FailureOr<Shape> inferSlice(OptLoc loc, ArrayRef<int64_t> input, ArrayRef<int64_t> offsets, ArrayRef<int64_t> sizes,
                            ArrayRef<int64_t> strides) {
  size_t rank = input.size();
  if (offsets.size() != rank || sizes.size() != rank || strides.size() != rank)
    return emitOptionalError(loc, "needs one offset, size and stride for each of ", rank, " axes");
  for (size_t i = 0; i < rank; ++i)
    if (offsets[i] < 0 || sizes[i] < 1 || strides[i] < 1 || offsets[i] >= input[i] ||
        (sizes[i] - 1) > (input[i] - 1 - offsets[i]) / strides[i])
      return emitOptionalError(loc, "box of axis ", i, " lies outside [0, ", input[i], ")");
  return Shape(sizes);
}

FailureOr<Shape> inferGather(OptLoc loc, ArrayRef<int64_t> input, ArrayRef<int64_t> indices, int64_t axis) {
  if (axis < 0 || axis >= static_cast<int64_t>(input.size()))
    return emitOptionalError(loc, "axis ", axis, " is outside rank ", input.size());
  if (indices.empty())
    return emitOptionalError(loc, "needs at least one index");
  for (int64_t index : indices)
    if (index < 0 || index >= input[axis])
      return emitOptionalError(loc, "index ", index, " is outside [0, ", input[axis], ")");
  Shape shape(input);
  shape[axis] = indices.size();
  return shape;
}

FailureOr<Shape> inferPad(OptLoc loc, ArrayRef<int64_t> input, ArrayRef<int64_t> low, ArrayRef<int64_t> high) {
  auto negative = [](int64_t v) { return v < 0; };
  if (low.size() != input.size() || high.size() != input.size() || llvm::any_of(low, negative) ||
      llvm::any_of(high, negative))
    return emitOptionalError(loc, "needs one low and one high count, not negative, for each of ", input.size(),
                             " axes");
  Shape shape(input);
  for (size_t i = 0; i < shape.size(); ++i)
    shape[i] += low[i] + high[i];
  return shape;
}

FailureOr<Shape> inferMaxPool(OptLoc loc, ArrayRef<int64_t> input, ArrayRef<int64_t> kernel, ArrayRef<int64_t> strides,
                              ArrayRef<int64_t> pads, ArrayRef<int64_t> dilations) {
  // Sizes beyond would overflow products of them.
  auto isSane = [](int64_t least) {
    return [least](int64_t value) { return value >= least && value < (int64_t(1) << 24); };
  };
  if (input.size() != 4 || kernel.size() != 2 || strides.size() != 2 || pads.size() != 4 || dilations.size() != 2 ||
      !llvm::all_of(kernel, isSane(1)) || !llvm::all_of(strides, isSane(1)) || !llvm::all_of(pads, isSane(0)) ||
      !llvm::all_of(dilations, isSane(1)))
    return emitOptionalError(loc, "expects a map [B, H, W, C], two sizes, strides and dilations that are positive, and "
                                  "four pads that are not negative");
  Shape shape(input);
  for (size_t i = 0; i < 2; ++i) {
    const int64_t size = input[1 + i], low = pads[i], high = pads[2 + i];
    const int64_t extent = size + low + high - dilations[i] * (kernel[i] - 1) - 1;
    if (extent < 0)
      return emitOptionalError(loc, "kernel ", kernel[i], " is larger than the padded map of ", size + low + high);
    shape[1 + i] = extent / strides[i] + 1;
    for (int64_t at = 0; at < shape[1 + i]; ++at) {
      // The first tap that is not before the map.
      int64_t tap = at * strides[i] - low;
      tap += tap < 0 ? llvm::divideCeil(static_cast<uint64_t>(-tap), dilations[i]) * dilations[i] : 0;
      if (tap >= size || tap > at * strides[i] - low + dilations[i] * (kernel[i] - 1))
        return emitOptionalError(loc, "window ", at, " along axis ", 1 + i, " holds padding only: pads ", low, " and ",
                                 high, ", kernel ", kernel[i], ", size ", size);
    }
  }
  return shape;
}

FailureOr<Shape> inferResample(OptLoc loc, ArrayRef<int64_t> input, ArrayRef<int64_t> rows,
                               ArrayRef<int64_t> rowWeights, ArrayRef<int64_t> columns,
                               ArrayRef<int64_t> columnWeights) {
  if (input.size() != 4)
    return emitOptionalError(loc, "expects a map [B, H, W, C]");
  const std::pair<ArrayRef<int64_t>, ArrayRef<int64_t>> axes[] = {{rows, rowWeights}, {columns, columnWeights}};
  for (auto [i, axis] : llvm::enumerate(axes)) {
    auto [starts, weights] = axis;
    if (starts.empty() || weights.empty() || weights.size() % starts.size())
      return emitOptionalError(loc, weights.size(), " weights for ", starts.size(), i == 0 ? " rows" : " columns");
    const auto taps = static_cast<int64_t>(weights.size() / starts.size());
    for (int64_t start : starts)
      if (start < 0 || taps > input[1 + i] || start > input[1 + i] - taps)
        return emitOptionalError(loc, "window [", start, ", ", start, " + ", taps, ") of a ", i == 0 ? "row" : "column",
                                 " is outside [0, ", input[1 + i], ")");
  }
  return Shape{input[0], static_cast<int64_t>(rows.size()), static_cast<int64_t>(columns.size()), input[3]};
}

int64_t resampleGain(ArrayRef<int64_t> rows, ArrayRef<int64_t> rowWeights, ArrayRef<int64_t> columns,
                     ArrayRef<int64_t> columnWeights) {
  constexpr int64_t kMost = int64_t(1) << 31; // whose square is 2^62
  auto largest = [&](size_t outputs, ArrayRef<int64_t> weights) {
    int64_t most = 0;
    for (size_t taps = weights.size() / outputs; !weights.empty(); weights = weights.drop_front(taps)) {
      int64_t sum = 0;
      for (int64_t weight : weights.take_front(taps))
        sum = std::min(sum + std::min(weight < -kMost ? kMost : std::abs(weight), kMost), kMost);
      most = std::max(most, sum);
    }
    return most;
  };
  return largest(rows.size(), rowWeights) * largest(columns.size(), columnWeights);
}

FailureOr<Shape> inferPatches(OptLoc loc, ArrayRef<int64_t> input, const Windows &windows, bool mustTile, bool asMap) {
  if (input.size() != 4 || windows.size.size() != 2)
    return emitOptionalError(loc, "expects a map [B, H, W, C] and two patch sizes");
  if (mustTile && !windows.tile(input[1], input[2]))
    return emitOptionalError(loc, "patch ", windows.size[0], "x", windows.size[1], " does not divide the image ",
                             input[1], "x", input[2]);
  FailureOr<Shape> map = inferWindows(loc, input[1], input[2], windows);
  if (failed(map))
    return failure();
  const int64_t row = windows.size[0] * windows.size[1] * input[3];
  if (asMap)
    return Shape{input[0], (*map)[0], (*map)[1], row};
  return Shape{input[0], (*map)[0] * (*map)[1], row};
}

FailureOr<Shape> inferRows(OptLoc loc, ArrayRef<int64_t> input) {
  if (input.empty())
    return emitOptionalError(loc, "expects rank >= 1");
  return Shape(input.drop_back());
}

LogicalResult detail::verifyInferredShapes(Operation *op, ArrayRef<ShapedTypeComponents> inferred) {
  for (auto [result, components] : llvm::zip_equal(op->getResults(), inferred))
    if (shapeOf(result) != ArrayRef<int64_t>(components.getDims()))
      return op->emitOpError("result #") << result.getResultNumber() << " has shape " << str(shapeOf(result))
                                         << " but the operands give " << str(components.getDims());
  return success();
}

} // namespace vitq::vit
