//===- Geometry.cpp - Resizing as Pillow does it, cropping ----------------===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The resampling follows Pillow's src/libImaging/Resample.c step by step, in
// its 8-bit version; the order of floating-point operations matters. This file
// is compiled with -ffp-contract=off for that reason.
//
//===----------------------------------------------------------------------===//

#include "vitq/Data/Image.h"

#include "llvm/ADT/STLFunctionalExtras.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

using namespace llvm;
using namespace vitq::data;

/// Fraction bits of a coefficient: 32, less 8 for the pixel, less 2 for sums
/// that overshoot.
static constexpr int kPrecisionBits = 32 - 8 - 2;

static double bilinear(double x) {
  x = std::abs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

static double bicubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0)
    return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0)
    return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

namespace {
/// The weights of one direction: output `i` is the sum of `weights[i * stride
/// + j]` times input `first[i] + j` for `j` below `count[i]`.
struct Coefficients {
  size_t stride;
  std::vector<int32_t> weights;
  std::vector<int> first;
  std::vector<int> count;
};
} // namespace

static Coefficients computeCoefficients(int inSize, int outSize, Interpolation interpolation) {
  bool cubic = interpolation == Interpolation::Bicubic;
  double scale = static_cast<double>(inSize) / outSize;
  double filterScale = std::max(scale, 1.0);
  double support = (cubic ? 2.0 : 1.0) * filterScale;
  double inverse = 1.0 / filterScale;

  Coefficients result;
  result.stride = static_cast<size_t>(std::ceil(support)) * 2 + 1;
  result.weights.resize(result.stride * outSize);
  result.first.resize(outSize);
  result.count.resize(outSize);
  std::vector<double> row(result.stride);
  for (int i = 0; i < outSize; ++i) {
    double center = (i + 0.5) * scale;
    // Rounded as Pillow does: toward zero after a half was added.
    // NOLINTBEGIN(bugprone-incorrect-roundings)
    int first = std::max(static_cast<int>(center - support + 0.5), 0);
    int count = std::min(static_cast<int>(center + support + 0.5), inSize) - first;
    // NOLINTEND(bugprone-incorrect-roundings)
    double sum = 0.0;
    for (int j = 0; j < count; ++j) {
      double x = (j + first - center + 0.5) * inverse;
      row[j] = cubic ? bicubic(x) : bilinear(x);
      sum += row[j];
    }
    int32_t *weights = &result.weights[result.stride * i];
    for (int j = 0; j < count; ++j) {
      double weight = sum != 0.0 ? row[j] / sum : row[j];
      double scaled = weight * (1 << kPrecisionBits);
      weights[j] = static_cast<int32_t>(weight < 0 ? scaled - 0.5 : scaled + 0.5);
    }
    result.first[i] = first;
    result.count[i] = count;
  }
  return result;
}

static uint8_t clip8(int32_t value) { return static_cast<uint8_t>(std::clamp(value >> kPrecisionBits, 0, 255)); }

/// Resamples along the width.
static Image resampleRows(const Image &in, int width, Interpolation kernel) {
  Coefficients k = computeCoefficients(in.width, width, kernel);
  int channels = in.channels;
  Image out{in.height, width, channels, std::vector<uint8_t>(static_cast<size_t>(in.height) * width * channels)};
  uint8_t *target = out.pixels.data();
  for (int y = 0; y < in.height; ++y) {
    const uint8_t *row = &in.pixels[static_cast<size_t>(y) * in.width * channels];
    for (int x = 0; x < width; ++x) {
      const int32_t *weights = &k.weights[k.stride * x];
      for (int c = 0; c < channels; ++c) {
        const uint8_t *source = row + static_cast<size_t>(k.first[x]) * channels + c;
        int32_t sum = 1 << (kPrecisionBits - 1);
        for (int j = 0; j < k.count[x]; ++j)
          sum += source[static_cast<size_t>(j) * channels] * weights[j];
        *target++ = clip8(sum);
      }
    }
  }
  return out;
}

/// Resamples along the height.
static Image resampleColumns(const Image &in, int height, Interpolation kernel) {
  Coefficients k = computeCoefficients(in.height, height, kernel);
  size_t rowSize = static_cast<size_t>(in.width) * in.channels;
  Image out{height, in.width, in.channels, std::vector<uint8_t>(height * rowSize)};
  std::vector<int32_t> sums(rowSize);
  for (int y = 0; y < height; ++y) {
    llvm::fill(sums, 1 << (kPrecisionBits - 1));
    for (int j = 0; j < k.count[y]; ++j) {
      int32_t weight = k.weights[k.stride * y + j];
      const uint8_t *row = &in.pixels[(k.first[y] + j) * rowSize];
      for (size_t x = 0; x < rowSize; ++x)
        sums[x] += row[x] * weight;
    }
    llvm::transform(sums, &out.pixels[y * rowSize], clip8);
  }
  return out;
}

static Error tooLarge(int64_t height, int64_t width) {
  return createStringError(inconvertibleErrorCode(), "resizing makes a picture of " + Twine(height) + "x" +
                                                         Twine(width) + " pixels; at most " + Twine(kMaxPixels) +
                                                         " are supported, so leave this picture out or crop it first");
}

/// Whether the height is resampled before the width. Pillow's order since 13.0.
static bool isHeightFirst(Size from, Size to, PillowRelease pillow) {
  int64_t height = int64_t(from.height) - to.height, width = int64_t(from.width) - to.width;
  return pillow == PillowRelease::V13 && height > 0 && height > 2 * width;
}

Expected<Image> vitq::data::resizeImage(const Image &image, Size size, Interpolation interpolation,
                                        PillowRelease pillow) {
  if (size.height < 1 || size.width < 1)
    return createStringError(inconvertibleErrorCode(),
                             "resizing leaves no pixels (" + Twine(size.height) + "x" + Twine(size.width) + ")");
  bool heightFirst = isHeightFirst(image.size(), size, pillow);
  // Between the two passes one side is as before and the other as after.
  Size between = heightFirst ? Size{size.height, image.width} : Size{image.height, size.width};
  for (Size made : {between, size})
    if (made.height > kMaxPixels / made.width)
      return tooLarge(made.height, made.width);
  // A direction that keeps its size is not resampled.
  Image first, second;
  const Image *current = &image;
  auto resample = [&](bool isHeight, Image &out) {
    if (isHeight && size.height != image.height)
      out = resampleColumns(*current, size.height, interpolation);
    else if (!isHeight && size.width != image.width)
      out = resampleRows(*current, size.width, interpolation);
    else
      return;
    current = &out;
  };
  resample(heightFirst, first);
  resample(!heightFirst, second);
  return *current;
}

/// Half of `difference`, ties to even: Python's int(round(difference / 2.0)).
static int roundedHalf(int difference) {
  int half = difference / 2;
  return difference % 2 ? half + (half & 1) : half;
}

Expected<Image> vitq::data::centerCrop(const Image &image, Size size) {
  if (size == image.size())
    return image;
  if (size.height > image.height || size.width > image.width)
    return createStringError(inconvertibleErrorCode(),
                             "the picture is " + Twine(image.height) + "x" + Twine(image.width) +
                                 " before the crop of " + Twine(size.height) + "x" + Twine(size.width) +
                                 ", which is larger; add 'resize=' to --preprocess or raise it");
  int top = roundedHalf(image.height - size.height);
  int left = roundedHalf(image.width - size.width);
  size_t rowSize = static_cast<size_t>(size.width) * image.channels;
  Image out{size.height, size.width, image.channels, std::vector<uint8_t>(size.height * rowSize)};
  for (int y = 0; y < size.height; ++y)
    std::memcpy(&out.pixels[y * rowSize],
                &image.pixels[(static_cast<size_t>(top + y) * image.width + left) * image.channels], rowSize);
  return out;
}

Expected<Image> vitq::data::applyGeometry(const Image &image, const Preprocess &preprocess) {
  if (!preprocess.resize)
    return preprocess.crop ? centerCrop(image, *preprocess.crop) : Expected<Image>(image);
  Resize::Result result = preprocess.resize->resultFor(image.size());
  // Before the extents are narrowed to int.
  if (result.height > kMaxPixels || result.width > kMaxPixels)
    return tooLarge(result.height, result.width);
  auto resized = resizeImage(image, {static_cast<int>(result.height), static_cast<int>(result.width)},
                             preprocess.interpolation, preprocess.pillow);
  if (!resized || !preprocess.crop)
    return resized;
  return centerCrop(*resized, *preprocess.crop);
}

std::vector<float> vitq::data::normalize(const Image &image, const Preprocess &preprocess) {
  size_t count = static_cast<size_t>(image.height) * image.width;
  size_t channels = image.channels;
  std::vector<float> values(count * channels);
  for (size_t c = 0; c < channels; ++c) {
    auto mean = static_cast<float>(preprocess.meanOf(c));
    auto stdDev = static_cast<float>(preprocess.stdDevOf(c));
    std::array<float, 256> table;
    for (size_t p = 0; p < table.size(); ++p)
      table[p] = (static_cast<float>(p) / 255.0f - mean) / stdDev;
    for (size_t i = 0; i < count; ++i)
      values[c * count + i] = table[image.pixels[i * channels + c]];
  }
  return values;
}
