//===- EvaluateResize.cpp - Resizing constants -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Position embeddings that are interpolated to the image's size come as a Resize of
// weights. Each axis is resized by itself: an output is a weighted sum of inputs, with
// the weights of the operator's definition.

#include "Evaluator.h"

#include "../WindowAttributes.h"

#include "llvm/Support/Format.h"

#include <cmath>

using namespace mlir;
using namespace vitq;
using namespace vitq::frontend;

namespace {
enum class Mode { Nearest, Linear, Cubic };

struct ResizeAttributes {
  Mode mode = Mode::Nearest;
  std::string coordinates, nearest, policy;
  double cubic = -0.75, extrapolation = 0;
  bool excludeOutside = false, antialias = false;
};

/// What becomes of an axis.
struct ResizedAxis {
  int64_t axis = 0, from = 1, to = 1;
  double scale = 1;
  /// The part that is read, for `tf_crop_and_resize`.
  double begin = 0, end = 1;
  /// Whether `to` was given, and not `scale`.
  bool bySize = false;

  bool isKept() const { return from == to && scale == 1 && begin == 0 && end == 1; }
};
} // namespace

/// Where output `output` lies among the inputs of an axis.
static double sourceOf(StringRef coordinates, const ResizedAxis &axis, int64_t output) {
  const auto i = static_cast<double>(output), from = static_cast<double>(axis.from), to = static_cast<double>(axis.to);
  if (coordinates == "align_corners")
    return axis.to == 1 ? 0 : i * (from - 1) / (to - 1);
  if (coordinates == "asymmetric")
    return i / axis.scale;
  if (coordinates == "tf_half_pixel_for_nn")
    return (i + 0.5) / axis.scale;
  if (coordinates == "tf_crop_and_resize")
    return axis.to == 1 ? (axis.begin + axis.end) * (from - 1) / 2
                        : (axis.begin + i * (axis.end - axis.begin) / (to - 1)) * (from - 1);
  if (coordinates == "pytorch_half_pixel" && axis.to <= 1)
    return 0;
  double centre = 0;
  if (coordinates == "half_pixel_symmetric") // `scale * from` may be no integer
    centre = from / 2 * (1 - to / (axis.scale * from));
  return centre + (i + 0.5) / axis.scale - 0.5;
}

static int64_t nearestOf(StringRef mode, double x, double scale) {
  if (mode == "simple") // before opset 11
    return static_cast<int64_t>(scale < 1 ? std::ceil(x) : std::floor(x));
  if (mode == "floor")
    return static_cast<int64_t>(std::floor(x));
  if (mode == "ceil")
    return static_cast<int64_t>(std::ceil(x));
  if (mode == "round_prefer_ceil")
    return static_cast<int64_t>(std::floor(x + 0.5));
  return static_cast<int64_t>(std::ceil(x - 0.5));
}

/// The weight of an input at distance `x`.
static double filter(const ResizeAttributes &attributes, double x) {
  x = std::fabs(x);
  if (attributes.mode == Mode::Linear)
    return std::max(0.0, 1 - x);
  const double a = attributes.cubic;
  if (x <= 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/// Coordinates further outside read the border only, and might be no integers.
static constexpr double kFarOutside = 1e9;

static AxisTaps tapsAt(const ResizeAttributes &attributes, double x, int64_t from, double scale) {
  x = std::clamp(x, -kFarOutside, static_cast<double>(from) + kFarOutside);
  if (attributes.mode == Mode::Nearest)
    return {std::clamp<int64_t>(nearestOf(attributes.nearest, x, scale), 0, from - 1), {1.0}};
  const double support = attributes.mode == Mode::Linear ? 1 : 2;
  // A filter against aliasing is as wide as the outputs are apart.
  const double stretch = attributes.antialias && scale < 1 ? scale : 1;
  const double radius = support / stretch;
  auto low = static_cast<int64_t>(std::floor(x - radius)) + 1, high = static_cast<int64_t>(std::ceil(x + radius)) - 1;
  low = std::min(low, static_cast<int64_t>(std::floor(x)));
  high = std::max(high, low);
  AxisTaps taps;
  taps.first = std::clamp<int64_t>(low, 0, from - 1);
  taps.weights.assign(std::clamp<int64_t>(high, 0, from - 1) - taps.first + 1, 0.0);
  double sum = 0;
  for (int64_t i = low; i <= high; ++i) {
    if (attributes.excludeOutside && (i < 0 || i >= from))
      continue;
    const double weight = filter(attributes, (static_cast<double>(i) - x) * stretch);
    taps.weights[std::clamp<int64_t>(i, 0, from - 1) - taps.first] += weight;
    sum += weight;
  }
  for (double &weight : taps.weights)
    weight /= sum;
  return taps;
}

/// `input` with one axis resized; all in doubles.
static FailureOr<ConstantPtr> resizeAxis(NodeImporter &n, const ResizeAttributes &attributes, const OnnxConstant &input,
                                         const ResizedAxis &axis) {
  Shape shape(input.shape());
  shape[axis.axis] = axis.to;
  FailureOr<Result> result = n.allocate(DType::F64, shape);
  if (failed(result))
    return failure();
  const AlongAxis along(input.shape(), axis.axis);
  const double *source = input.elements.data<double>();
  double *target = (*result)->elements.mutableData<double>();
  for (int64_t i = 0; i < axis.to; ++i) {
    const AxisTaps taps = tapsAt(attributes, sourceOf(attributes.coordinates, axis, i), axis.from, axis.scale);
    // What one output reads can be as long as the axis.
    if (failed(n.spend(static_cast<double>(taps.weights.size()) * static_cast<double>(along.outer * along.inner + 1))))
      return failure();
    for (int64_t o = 0; o < along.outer; ++o)
      for (int64_t k = 0; k < along.inner; ++k) {
        double value = 0;
        for (auto [t, weight] : llvm::enumerate(taps.weights))
          // An infinity that has no part in an output makes it no NaN.
          if (weight != 0)
            value += weight * source[along.at(o, taps.first + static_cast<int64_t>(t), k)];
        target[(o * axis.to + i) * along.inner + k] = value;
      }
  }
  return ConstantPtr(*result);
}

/// Outputs of `tf_crop_and_resize` that lie outside the input have a value of their own.
static void fillOutside(const ResizeAttributes &attributes, ArrayRef<ResizedAxis> axes, OnnxConstant &result) {
  SmallVector<std::vector<bool>> outside(result.shape().size());
  for (const ResizedAxis &axis : axes)
    for (int64_t i = 0; i < axis.to; ++i) {
      const double x = sourceOf(attributes.coordinates, axis, i);
      outside[axis.axis].push_back(!(x >= 0 && x <= static_cast<double>(axis.from - 1)));
    }
  int64_t i = 0;
  forEachIndex(result.shape(), [&](ArrayRef<int64_t> index) {
    for (auto [axis, flags] : llvm::enumerate(outside))
      if (!flags.empty() && flags[index[axis]])
        result.setDouble(i, attributes.extrapolation);
    ++i;
  });
}

//===----------------------------------------------------------------------===//
// Reading the node
//===----------------------------------------------------------------------===//

static std::string shown(double number) {
  std::string result;
  llvm::raw_string_ostream(result) << llvm::format("%g", number);
  return result;
}

static FailureOr<ResizeAttributes> readAttributes(NodeImporter &n) {
  ResizeAttributes attributes;
  std::string mode = n.stringAttr("mode", "nearest");
  if (mode != "nearest" && mode != "linear" && mode != "cubic")
    return n.error() << "mode '" << mode << "' is not supported; ONNX has nearest, linear and cubic";
  attributes.mode = mode == "nearest" ? Mode::Nearest : mode == "cubic" ? Mode::Cubic : Mode::Linear;
  if (n.opset() < 11) {
    attributes.coordinates = "asymmetric";
    attributes.nearest = "simple";
    attributes.policy = "stretch";
    return attributes;
  }
  attributes.coordinates = n.stringAttr("coordinate_transformation_mode", "half_pixel");
  if (!llvm::is_contained({"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric",
                           "tf_half_pixel_for_nn", "tf_crop_and_resize"},
                          attributes.coordinates))
    return n.error() << "coordinate_transformation_mode '" << attributes.coordinates << "' is not supported";
  attributes.nearest = n.stringAttr("nearest_mode", "round_prefer_floor");
  if (!llvm::is_contained({"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"}, attributes.nearest))
    return n.error() << "nearest_mode '" << attributes.nearest << "' is not supported";
  attributes.policy = n.stringAttr("keep_aspect_ratio_policy", "stretch");
  if (!llvm::is_contained({"stretch", "not_larger", "not_smaller"}, attributes.policy))
    return n.error() << "keep_aspect_ratio_policy '" << attributes.policy << "' is not supported";
  attributes.cubic = n.floatAttr("cubic_coeff_a", -0.75);
  if (attributes.mode == Mode::Cubic && !std::isfinite(attributes.cubic))
    return n.error() << "cubic_coeff_a must be a finite number, not " << shown(attributes.cubic);
  attributes.excludeOutside = n.intAttr("exclude_outside", 0) != 0;
  attributes.antialias = n.intAttr("antialias", 0) != 0;
  attributes.extrapolation = n.floatAttr("extrapolation_value", 0);
  if (attributes.antialias && attributes.coordinates == "tf_crop_and_resize")
    return n.error() << "antialias is not supported with tf_crop_and_resize";
  return attributes;
}

/// The part of the input that is read: all first ends, then all second ones.
static LogicalResult readRegion(NodeImporter &n, MutableArrayRef<ResizedAxis> axes) {
  const ConstantPtr &region = n.input(1).constant;
  if (!region || !isFloat(region->dtype) || region->size() != 2 * static_cast<int64_t>(axes.size()))
    return n.error() << "needs a known region, two numbers for each axis";
  for (auto [i, axis] : llvm::enumerate(axes)) {
    axis.begin = region->getDouble(static_cast<int64_t>(i));
    axis.end = region->getDouble(static_cast<int64_t>(i + axes.size()));
    if (!std::isfinite(axis.begin) || !std::isfinite(axis.end))
      return n.error() << "needs a known region, two numbers for each axis";
  }
  return success();
}

/// The axes get `sizes`, or with a policy the largest, or smallest, that keep the proportions.
static LogicalResult applySizes(NodeImporter &n, const ResizeAttributes &attributes, size_t input,
                                MutableArrayRef<ResizedAxis> axes) {
  FailureOr<Shape> given = n.intsInput(input, "sizes");
  if (failed(given))
    return failure();
  if (given->size() != axes.size())
    return n.error() << "needs one size for each axis";
  for (auto [axis, size] : llvm::zip_equal(axes, *given)) {
    axis.to = size;
    axis.bySize = true;
    axis.scale = static_cast<double>(size) / static_cast<double>(axis.from);
  }
  if (attributes.policy == "stretch" || axes.empty())
    return success();
  auto byScale = [](const ResizedAxis &a, const ResizedAxis &b) { return a.scale < b.scale; };
  const double scale = attributes.policy == "not_larger" ? llvm::min_element(axes, byScale)->scale
                                                         : llvm::max_element(axes, byScale)->scale;
  for (ResizedAxis &axis : axes) {
    axis.scale = scale;
    axis.to = static_cast<int64_t>(
        std::floor(std::min(static_cast<double>(axis.from) * scale, static_cast<double>(kMaxElements)) + 0.5));
  }
  return success();
}

static LogicalResult applyScales(NodeImporter &n, const OnnxConstant *given, MutableArrayRef<ResizedAxis> axes) {
  if (!given || !isFloat(given->dtype) || given->size() != static_cast<int64_t>(axes.size()))
    return n.error() << "needs known sizes, or one known scale for each axis";
  for (auto [i, axis] : llvm::enumerate(axes)) {
    axis.scale = given->getDouble(static_cast<int64_t>(i));
    const double size = std::floor(static_cast<double>(axis.from) * (axis.end - axis.begin) * axis.scale);
    axis.to = size < static_cast<double>(kMaxElements) && axis.scale > 0 ? static_cast<int64_t>(size) : -1;
  }
  return success();
}

/// The axes, the sizes that they get, and how much longer each becomes. The inputs: X, region, scales and sizes;
/// before opset 11 X and scales, and of the first Upsample an attribute.
static FailureOr<SmallVector<ResizedAxis>> readAxes(NodeImporter &n, const ResizeAttributes &attributes) {
  SmallVector<ResizedAxis> axes;
  for (int64_t entry : n.intsAttr("axes").value_or(range(0, n.input(0).rank()))) {
    FailureOr<int64_t> axis = n.axis(entry, n.input(0).rank());
    if (failed(axis))
      return failure();
    if (llvm::any_of(axes, [&](const ResizedAxis &other) { return other.axis == *axis; }))
      return n.error() << "axis " << entry << " is given twice";
    axes.push_back({*axis, n.input(0).shape()[*axis]});
  }
  if (attributes.coordinates == "tf_crop_and_resize" && failed(readRegion(n, axes)))
    return failure();
  const bool old = n.opset() < 11;
  // Until opset 12 scales that are not given are an empty tensor.
  if (const ConstantPtr &scales = n.input(2).constant; !old && n.has(3) && n.has(2) && (!scales || scales->size() > 0))
    return n.error() << "has both scales and sizes"
                     << (scales ? ", " + std::to_string(scales->size()) + " numbers" : "")
                     << ", which exclude each other; remove one of them";
  if (failed(!old && n.has(3) ? applySizes(n, attributes, 3, axes)
                              : applyScales(n, n.input(old ? 1 : 2).constant.get(), axes)))
    return failure();
  return axes;
}

/// The taps of all outputs along an axis; those of an axis that is kept are its elements.
static SmallVector<AxisTaps> tapsOf(const ResizeAttributes &attributes, const ResizedAxis &axis) {
  SmallVector<AxisTaps> all;
  for (int64_t i = 0; i < axis.to; ++i) {
    if (axis.isKept())
      all.push_back({i, {1.0}});
    else
      all.push_back(tapsAt(attributes, sourceOf(attributes.coordinates, axis, i), axis.from, axis.scale));
  }
  return all;
}

/// Rows and columns of a map: the nearest elements are moved, others are weighted sums.
static MaybeImported resizeMap(NodeImporter &n, const ResizeAttributes &attributes, const Imported &map,
                               const ResizedAxis &vertical, const ResizedAxis &horizontal) {
  SmallVector<AxisTaps> rows = tapsOf(attributes, vertical), columns = tapsOf(attributes, horizontal);
  auto isElement = [](const AxisTaps &taps) { return taps.weights.size() == 1; };
  if (!llvm::all_of(rows, isElement) || !llvm::all_of(columns, isElement))
    return makeResample(n, map, rows, columns);
  ArrayRef<int64_t> shape = map.shape();
  // Of many pixels a list would be long.
  constexpr int64_t kMostIndices = 1 << 20;
  if (vertical.to * horizontal.to > kMostIndices) {
    auto firsts = [](ArrayRef<AxisTaps> all) {
      return llvm::map_to_vector(all, [](const AxisTaps &taps) { return taps.first; });
    };
    MaybeImported part = n.gather(map, firsts(rows), 1);
    return failed(part) ? part : n.gather(*part, firsts(columns), 2);
  }
  Shape pixels, result{shape[0], vertical.to, horizontal.to, shape[3]};
  for (const AxisTaps &row : rows)
    for (const AxisTaps &column : columns)
      pixels.push_back(row.first * shape[2] + column.first);
  MaybeImported list = n.reshape(map, {shape[0], shape[1] * shape[2], shape[3]});
  MaybeImported moved = failed(list) ? list : n.gather(*list, pixels, 1);
  return failed(moved) ? moved : n.reshape(*moved, result);
}

static LogicalResult refuseSize(NodeImporter &n, const ResizedAxis &axis) {
  InFlightDiagnostic error = n.error();
  error << "the result is empty or too large, or has a negative size: axis " << axis.axis << " of " << axis.from
        << " elements ";
  if (axis.bySize)
    return error << "gets the size " << axis.to;
  return error << "is scaled by " << shown(axis.scale);
}

static LogicalResult refuseSizes(NodeImporter &n, ArrayRef<int64_t> shape) {
  return n.error() << "the result has more elements than are supported: " << text(shape);
}

/// Of maps of features, along their last two axes.
static LogicalResult importResize(NodeImporter &n) {
  FailureOr<ResizeAttributes> attributes = readAttributes(n);
  FailureOr<SmallVector<ResizedAxis>> axes =
      failed(attributes) ? FailureOr<SmallVector<ResizedAxis>>() : readAxes(n, *attributes);
  if (failed(axes))
    return failure();
  if (llvm::all_of(*axes, [](const ResizedAxis &axis) { return axis.isKept(); }))
    return n.setOutput(MaybeImported(n.input(0)));
  const int64_t rank = n.input(0).rank();
  if (attributes->coordinates == "tf_crop_and_resize" || (rank != 3 && rank != 4))
    return n.error() << "is supported on maps [B, C, H, W], without tf_crop_and_resize, and on constants";
  ResizedAxis spatial[2]; // rows and columns; a signal is one row
  for (int64_t i = 0; i < rank - 2; ++i) {
    const int64_t axis = rank - 1 - i;
    spatial[1 - i] = {axis, n.input(0).shape()[axis], n.input(0).shape()[axis]};
  }
  for (const ResizedAxis &axis : *axes) {
    if (axis.to < 1 || axis.to > kMaxElements)
      return refuseSize(n, axis);
    if (axis.isKept())
      continue;
    if (axis.axis < 2)
      return n.error() << "resizes axis " << axis.axis << ", batch or channels, which is supported on constants only";
    spatial[axis.axis - rank + 2] = axis;
  }
  if (!countElements({n.input(0).shape()[0], n.input(0).shape()[1], spatial[0].to, spatial[1].to}))
    return refuseSizes(n, {n.input(0).shape()[0], n.input(0).shape()[1], spatial[0].to, spatial[1].to});
  if (failed(checkMapSizes(n, {spatial[0].to, spatial[1].to})))
    return failure();
  return n.setOutput(applyChannelsLast(
      n, n.input(0), [&](const Imported &map) { return resizeMap(n, *attributes, map, spatial[0], spatial[1]); }));
}

static LogicalResult evaluateResize(NodeImporter &n) {
  const OnnxConstant &input = n.constant(0);
  if (input.size() == 0)
    return n.error() << "the input is empty";
  FailureOr<ResizeAttributes> attributes = readAttributes(n);
  FailureOr<SmallVector<ResizedAxis>> axes =
      failed(attributes) ? FailureOr<SmallVector<ResizedAxis>>() : readAxes(n, *attributes);
  if (failed(axes))
    return failure();
  Shape shape(input.shape());
  for (const ResizedAxis &axis : *axes) {
    if (axis.to < 1 || axis.to > kMaxElements)
      return refuseSize(n, axis);
    shape[axis.axis] = axis.to;
  }
  if (countElements(shape, kMaxFoldedElements).value_or(0) < 1)
    return refuseSizes(n, shape);
  if (llvm::all_of(*axes, [](const ResizedAxis &axis) { return axis.isKept(); }))
    return n.setOutput(MaybeImported(n.input(0)));
  if (input.dtype == DType::Bool)
    return n.error() << "is no function of bool";
  // The axes that shrink first: what lies between is no larger than input or result.
  llvm::sort(*axes, [](const ResizedAxis &a, const ResizedAxis &b) {
    return std::pair(a.scale, a.axis) < std::pair(b.scale, b.axis);
  });
  ConstantPtr value = castConstant(input, DType::F64, n.outputName());
  for (const ResizedAxis &axis : *axes) {
    if (axis.isKept())
      continue;
    FailureOr<ConstantPtr> next = resizeAxis(n, *attributes, *value, axis);
    if (failed(next))
      return failure();
    value = *next;
  }
  FailureOr<Result> result = n.allocate(input.dtype, shape);
  if (failed(result))
    return failure();
  for (int64_t i = 0, e = (*result)->size(); i < e; ++i)
    (*result)->setDouble(i, value->getDouble(i));
  if (attributes->coordinates == "tf_crop_and_resize")
    fillOutside(*attributes, *axes, **result);
  return n.give(*result);
}

void vitq::frontend::addResizeHandlers(HandlerTable &table) {
  table["Resize"] = {importResize, 1, 4};
  addEvaluator(table, "Resize", evaluateResize, 1, 4);
  // Until opset 9; the scales of the first one are an attribute.
  addEvaluator(table, "Upsample", evaluateResize, 2, 2);
}
