//===- Quantize.cpp - Real numbers to codes, choice of scales -===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/Quantize.h"

#include <cmath>

using namespace vitq::numerics;

double vitq::numerics::roundReal(double x, Rounding rounding) {
  // x - floor(x) is exact, whereas floor(x + 0.5) is wrong just below one half.
  const double below = std::floor(x);
  const double rest = x - below;
  switch (rounding) {
  case Rounding::HalfUp:
    return rest >= 0.5 ? below + 1.0 : below;
  case Rounding::HalfEven:
    if (rest == 0.5)
      return std::fmod(below, 2.0) == 0.0 ? below : below + 1.0;
    return rest > 0.5 ? below + 1.0 : below;
  case Rounding::HalfAway:
    return std::round(x);
  case Rounding::Floor:
    break;
  }
  return below;
}

int64_t vitq::numerics::quantizeReal(double x, double scale, int64_t zeroPoint, int64_t lo, int64_t hi,
                                     Rounding rounding) {
  assert(scale > 0.0 && lo <= hi && "malformed quantizer");
  const double ratio = x / scale;
  if (std::isnan(ratio))
    return std::clamp(zeroPoint, lo, hi);
  // 2^62 is beyond every code range; limiting first keeps the conversion and
  // the addition defined.
  const double limit = 0x1p62;
  if (ratio >= limit)
    return hi;
  if (ratio <= -limit)
    return lo;
  const auto code = static_cast<int64_t>(roundReal(ratio, rounding));
  return std::clamp(code + zeroPoint, lo, hi);
}

double vitq::numerics::symmetricScale(double absMax, int bits, double headroom) {
  assert(bits >= 2 && bits <= 32 && std::isfinite(absMax) && absMax >= 0.0 && headroom > 0.0 && "malformed range");
  if (absMax == 0.0)
    return 1.0;
  return std::max(absMax * headroom, kTinyRange) / static_cast<double>(codeRange(bits, /*isSigned=*/true).max);
}

ScaleZeroPoint vitq::numerics::asymmetricScale(double min, double max, int bits, bool isSigned, double headroom) {
  assert(bits >= 1 && bits <= 31 && std::isfinite(min) && std::isfinite(max) && min <= max && headroom > 0.0 &&
         "malformed range");
  const Interval codes = codeRange(bits, isSigned);
  const double low = std::min(min, 0.0) * headroom;
  const double high = std::max(max, 0.0) * headroom;
  if (low == 0.0 && high == 0.0)
    return {1.0, std::clamp<int64_t>(0, codes.min, codes.max)};
  const double scale = std::max(high - low, kTinyRange) / static_cast<double>(codes.max - codes.min);
  const double zero = static_cast<double>(codes.min) - low / scale;
  // low/scale is within [-(2^bits - 1), 0] up to rounding, so the clamp only
  // repairs a last-bit error.
  return {scale, std::clamp(static_cast<int64_t>(roundReal(zero, Rounding::HalfEven)), codes.min, codes.max)};
}

double vitq::numerics::scaleAround(RealInterval range, int64_t zeroPoint, Interval codes) {
  assert(std::isfinite(range.min) && std::isfinite(range.max) && codes.min <= zeroPoint && zeroPoint <= codes.max &&
         "malformed quantizer");
  const double above = std::max(range.max, 0.0), below = std::max(-range.min, 0.0);
  const auto codesAbove = static_cast<double>(codes.max - zeroPoint);
  const auto codesBelow = static_cast<double>(zeroPoint - codes.min);
  auto step = [](double reach, double count) { return count > 0 ? reach / count : 0.0; };
  double scale = std::max(step(above, codesAbove), step(below, codesBelow));
  if ((codesAbove == 0 && above > scale / 2) || (codesBelow == 0 && below > scale / 2))
    return std::numeric_limits<double>::infinity();
  return scale > kTinyRange ? scale : 1.0;
}

double vitq::numerics::zeroPointCost(const std::vector<RealInterval> &channels, int64_t zeroPoint, Interval codes) {
  double sum = 0, count = 0;
  for (RealInterval range : channels) {
    const double own =
        (std::max(range.max, 0.0) - std::min(range.min, 0.0)) / static_cast<double>(codes.max - codes.min);
    if (own <= kTinyRange)
      continue;
    const double ratio = scaleAround(range, zeroPoint, codes) / own;
    sum += ratio * ratio;
    ++count;
  }
  return count > 0 ? sum / count : 1.0;
}

int64_t vitq::numerics::sharedZeroPoint(const std::vector<RealInterval> &channels, Interval codes, double *cost) {
  int64_t best = std::clamp<int64_t>(0, codes.min, codes.max);
  double least = std::numeric_limits<double>::infinity();
  for (int64_t zeroPoint = codes.min; zeroPoint <= codes.max; ++zeroPoint)
    if (double sum = zeroPointCost(channels, zeroPoint, codes); sum < least) {
      best = zeroPoint;
      least = sum;
    }
  if (cost)
    *cost = least;
  return best;
}
