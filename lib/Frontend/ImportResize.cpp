//===- ImportResize.cpp - Resizing constants -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Position embeddings that are interpolated to the image's size come as a Resize of
// weights. Each axis is resized by itself: an output is a weighted sum of inputs, with
// the weights of the operator's definition.

#include "Importer.h"

#include <cmath>

using namespace mlir;
using namespace vitq;
using namespace vitq::frontend;

namespace {
enum class Mode { Nearest, Linear, Cubic };

struct ResizeAttributes {
  Mode mode = Mode::Nearest;
  std::string coordinates, nearest;
  double cubic = -0.75;
  bool excludeOutside = false, antialias = false;
};

/// One output element along an axis: `weights[i]` times input `first + i`.
struct Taps {
  int64_t first = 0;
  llvm::SmallVector<double> weights;
};
} // namespace

/// Where output `i` lies among `from` inputs of an axis that becomes `to` long.
static double sourceOf(StringRef coordinates, double i, double from, double to, double scale) {
  if (coordinates == "align_corners")
    return to == 1 ? 0 : i * (from - 1) / (to - 1);
  if (coordinates == "asymmetric")
    return i / scale;
  if (coordinates == "pytorch_half_pixel" && to <= 1)
    return 0;
  double centre = 0;
  if (coordinates == "half_pixel_symmetric") // `scale * from` may be no integer
    centre = from / 2 * (1 - to / (scale * from));
  return centre + (i + 0.5) / scale - 0.5;
}

static int64_t nearestOf(StringRef mode, double x) {
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

static Taps tapsAt(const ResizeAttributes &attributes, double x, int64_t from, double scale) {
  if (attributes.mode == Mode::Nearest)
    return {std::clamp<int64_t>(nearestOf(attributes.nearest, x), 0, from - 1), {1.0}};
  const double support = attributes.mode == Mode::Linear ? 1 : 2;
  // A filter against aliasing is as wide as the outputs are apart.
  const double stretch = attributes.antialias && scale < 1 ? scale : 1;
  const double radius = support / stretch;
  auto low = static_cast<int64_t>(std::floor(x - radius)) + 1, high = static_cast<int64_t>(std::ceil(x + radius)) - 1;
  low = std::min(low, static_cast<int64_t>(std::floor(x)));
  high = std::max(high, low);
  Taps taps;
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

/// `input` with `axis` resized; all in doubles.
static std::shared_ptr<OnnxConstant> resizeAxis(const ResizeAttributes &attributes, const OnnxConstant &input,
                                                int64_t axis, int64_t to, double scale) {
  Shape shape(input.shape());
  const int64_t from = shape[axis];
  shape[axis] = to;
  auto result = std::make_shared<OnnxConstant>(DType::F64, shape, input.name);
  const double *source = input.elements.data<double>();
  double *target = result->elements.mutableData<double>();
  const int64_t inner = *countElements(ArrayRef(shape).drop_front(axis + 1));
  const int64_t outer = *countElements(ArrayRef(shape).take_front(axis));
  for (int64_t i = 0; i < to; ++i) {
    const Taps taps = tapsAt(attributes,
                             sourceOf(attributes.coordinates, static_cast<double>(i), static_cast<double>(from),
                                      static_cast<double>(to), scale),
                             from, scale);
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t k = 0; k < inner; ++k) {
        double sum = 0;
        for (auto [t, weight] : llvm::enumerate(taps.weights))
          sum += weight * source[(o * from + taps.first + static_cast<int64_t>(t)) * inner + k];
        target[(o * to + i) * inner + k] = sum;
      }
  }
  return result;
}

static FailureOr<ResizeAttributes> readAttributes(NodeImporter &n) {
  ResizeAttributes attributes;
  std::string mode = n.stringAttr("mode", "nearest");
  if (mode != "nearest" && mode != "linear" && mode != "cubic")
    return n.error() << "mode '" << mode << "' is not supported";
  attributes.mode = mode == "linear" ? Mode::Linear : mode == "cubic" ? Mode::Cubic : Mode::Nearest;
  attributes.coordinates = n.stringAttr("coordinate_transformation_mode", "half_pixel");
  if (!llvm::is_contained({"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric"},
                          attributes.coordinates))
    return n.error() << "coordinate_transformation_mode '" << attributes.coordinates << "' is not supported";
  attributes.nearest = n.stringAttr("nearest_mode", "round_prefer_floor");
  attributes.cubic = n.floatAttr("cubic_coeff_a", -0.75);
  attributes.excludeOutside = n.intAttr("exclude_outside", 0) != 0;
  attributes.antialias = n.intAttr("antialias", 0) != 0;
  if (n.stringAttr("keep_aspect_ratio_policy", "stretch") != "stretch")
    return n.error() << "keep_aspect_ratio_policy must be 'stretch'";
  return attributes;
}

/// The sizes that the axes get, and how much longer each becomes.
static LogicalResult readSizes(NodeImporter &n, ArrayRef<int64_t> axes, Shape &sizes, SmallVector<double> &scales) {
  ArrayRef<int64_t> shape = n.input(0).shape();
  sizes.assign(shape.begin(), shape.end());
  scales.assign(shape.size(), 1.0);
  if (n.has(3)) {
    FailureOr<Shape> given = n.intsInput(3, "sizes");
    if (failed(given))
      return failure();
    if (given->size() != axes.size())
      return n.error() << "needs one size for each axis";
    for (auto [axis, size] : llvm::zip_equal(axes, *given)) {
      sizes[axis] = size;
      scales[axis] = static_cast<double>(size) / static_cast<double>(shape[axis]);
    }
  } else {
    const ConstantPtr &given = n.input(2).constant;
    if (!given || !isFloat(given->dtype) || given->size() != static_cast<int64_t>(axes.size()))
      return n.error() << "needs known sizes, or one known scale for each axis";
    for (auto [i, axis] : llvm::enumerate(axes)) {
      scales[axis] = given->getDouble(i);
      double size = std::floor(static_cast<double>(shape[axis]) * scales[axis]);
      sizes[axis] = size < static_cast<double>(kMaxElements) ? static_cast<int64_t>(size) : -1;
    }
  }
  if (countElements(sizes, kMaxFoldedElements).value_or(0) < 1)
    return n.error() << "the result is empty or too large, or has a negative size";
  return success();
}

static LogicalResult importResize(NodeImporter &n) {
  const ConstantPtr &input = n.input(0).constant;
  FailureOr<ResizeAttributes> attributes = readAttributes(n);
  if (failed(attributes))
    return failure();
  Shape axes = n.intsAttr("axes").value_or(range(0, n.input(0).rank())), sizes;
  for (int64_t &entry : axes) {
    FailureOr<int64_t> normal = n.axis(entry, n.input(0).rank());
    if (failed(normal))
      return failure();
    entry = *normal;
  }
  SmallVector<double> scales;
  if (failed(readSizes(n, axes, sizes, scales)))
    return failure();
  if (ArrayRef<int64_t>(sizes) == n.input(0).shape() && llvm::all_equal(scales) && scales.front() == 1)
    return n.setOutput(MaybeImported(n.input(0)));
  if (!input || !isFloat(input->dtype))
    return n.error() << "is supported on constants of floats only, such as position embeddings";
  if (input->size() == 0)
    return n.error() << "the input is empty";
  ConstantPtr result = castConstant(*input, DType::F64, n.outputName());
  for (int64_t axis : axes)
    if (sizes[axis] != input->shape()[axis] || scales[axis] != 1)
      result = resizeAxis(*attributes, *result, axis, sizes[axis], scales[axis]);
  return n.setOutput(MaybeImported(Imported(castConstant(*result, input->dtype, n.outputName()))));
}

void vitq::frontend::addResizeHandlers(HandlerTable &table) { table["Resize"] = {importResize, 1, 4}; }
