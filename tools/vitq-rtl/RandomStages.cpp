//===- RandomStages.cpp - Stages that try the units in RTL -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RandomStages.h"

#include "vitq/Numerics/Softmax.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace vitq;
using namespace vitq::simulator;
using namespace vitq::rtl;
using numerics::Dyadic;
using numerics::PiecewiseLinear;

Stage StageMaker::make(llvm::StringRef name, bool first) {
  if (name == "requant")
    return RequantStage{rounding(), first ? draw.extreme(-200, 200) : draw.pick(-9, 9), output(), false, each()};
  if (name == "add")
    return AddStage{rounding(), draw.pick(-200, 200), draw.pick(-200, 200), output(), draw.flip(), each(), each()};
  if (name == "threshold")
    return threshold();
  if (name == "table")
    return table();
  if (name == "pwl")
    return pwl(first);
  if (name == "softmax_table")
    return SoftmaxTableStage{draw.all<uint8_t>(256, 0, 255), ofBatches()};
  if (name == "softmax_shift")
    return softmaxShift();
  if (name == "shiftmax")
    return ShiftmaxStage{-draw.pick(1, int64_t(1) << draw.pick(1, 30)), draw.pick(1, 30), draw.flip() ? 31 : 62,
                         draw.pick(2, 16)};
  if (name == "divide_rows")
    return divideRows();
  if (name == "norm_quant")
    return normQuant();
  return layerNorm(name);
}

OutputRange StageMaker::output() {
  if (draw.pick(0, 3) == 0)
    return {draw.extreme(INT32_MIN, INT32_MAX), INT32_MIN, INT32_MAX};
  const int64_t bits = draw.pick(2, 8);
  return {draw.pick(-5, 5), -(int64_t(1) << (bits - 1)), (int64_t(1) << (bits - 1)) - 1};
}

Dyadic StageMaker::dyadic(bool positive) {
  return {static_cast<int32_t>(draw.extreme(positive ? 0 : -INT32_MAX, INT32_MAX)),
          static_cast<int32_t>(draw.flip() ? draw.extreme(1, 62) : draw.pick(40, 60))};
}

Multipliers StageMaker::some(int64_t n, bool positive) {
  Multipliers all;
  for (int64_t i = 0; i < n; ++i)
    all.push_back(dyadic(positive));
  return all;
}

Stage StageMaker::threshold() {
  ThresholdStage stage;
  stage.levels = draw.pick(1, 15);
  stage.min = draw.pick(-8, 0);
  stage.thresholds = draw.all<int32_t>(stage.levels * (draw.flip() ? 1 : channels), INT32_MIN, INT32_MAX);
  return stage;
}

Stage StageMaker::table() {
  TableStage stage;
  stage.inputSigned = draw.flip();
  stage.inputBits = draw.pick(2, 8);
  const int64_t tables = draw.flip() ? 1 : draw.pick(2, 4);
  stage.entries = draw.all<int32_t>(tables << stage.inputBits, -128, 255);
  if (tables > 1)
    stage.tableOfChannel = draw.all<int32_t>(channels, 0, tables - 1);
  return stage;
}

PiecewiseLinear StageMaker::lines(int64_t entries, int64_t lo, int64_t hi, int64_t slope) {
  PiecewiseLinear lines;
  lines.breakpoints = draw.all<int32_t>(entries - 1, lo, hi);
  llvm::sort(lines.breakpoints);
  lines.slopes = draw.all<int32_t>(entries, -slope, slope);
  lines.intercepts = draw.all<int32_t>(entries, -(1 << 24), 1 << 24);
  return lines;
}

Stage StageMaker::pwl(bool first) {
  // Lines of codes of 8 or 16 bits.
  const int64_t bits = draw.flip() ? 8 : 16, top = int64_t(1) << (bits - 1);
  if (first)
    input = {-top, top - 1};
  return PwlStage{rounding(), draw.pick(-9, 9), output(), lines(draw.pick(1, 16), -top, top, 1 << (29 - bits)), each()};
}

Stage StageMaker::softmaxShift() {
  const numerics::SoftmaxShift s = numerics::softmaxShiftConstants(1.0 / static_cast<double>(draw.pick(1, 60000)));
  if (draw.flip())
    return SoftmaxShiftStage{s.x0, s.n, s.t, ofBatches()};
  return SoftmaxShiftStage{-draw.extreme(1, 1 << 16), draw.pick(1, 30), draw.extreme(1, 46), ofBatches()};
}

/// Near kappa/x or kappa/sqrt(x) at all codes, which is all that is asked of them.
PiecewiseLinear StageMaker::nearCurve(bool root) {
  PiecewiseLinear lines;
  const double first = root ? 256 : 512, last = 4096;
  auto curve = [&](double x) { return root ? 0x1p27 / std::sqrt(x + 1) : 0x1p32 / (x + 1); };
  const int entries = 16;
  for (int i = 0; i < entries; ++i) {
    const double a = first * std::pow(last / first, double(i) / entries);
    const double b = first * std::pow(last / first, double(i + 1) / entries);
    // A tangent lies below the curve.
    const double middle = std::sqrt(a * b), step = 1e-3;
    const double slope = std::ceil((curve(middle + step) - curve(middle - step)) / (2 * step));
    double least = 1e300;
    for (int x = static_cast<int>(std::floor(a)); x <= static_cast<int>(std::ceil(b)); ++x)
      least = std::min(least, curve(x) - slope * x);
    lines.slopes.push_back(static_cast<int32_t>(slope));
    lines.intercepts.push_back(static_cast<int32_t>(std::floor(least) - 2));
    if (i > 0)
      lines.breakpoints.push_back(static_cast<int32_t>(std::ceil(a)));
  }
  return lines;
}

Stage StageMaker::divideRows() {
  DivideRowsStage stage;
  stage.rounding = rounding();
  stage.output = output();
  stage.perBatch = draw.flip();
  stage.multipliers = some(draw.flip() ? 1 : stage.perBatch ? batches : channels);
  if (draw.flip())
    stage.lines = nearCurve(/*root=*/false);
  return stage;
}

Stage StageMaker::layerNorm(llvm::StringRef name) {
  LayerNormStage stage;
  stage.byShifts = name == "layer_norm_shift";
  stage.output = output();
  const int64_t bits = draw.flip() ? 8 : 16, top = int64_t(1) << (bits - 1);
  input = {-top, top - 1};
  if (stage.byShifts) {
    stage.rounding = rounding();
    stage.multipliers = some(channels);
    stage.offsets = draw.all<int64_t>(channels, -(int64_t(1) << 31), int64_t(1) << 31);
    stage.postOffsets = draw.all<int64_t>(channels, -(int64_t(1) << 31), int64_t(1) << 31);
    return stage;
  }
  stage.keepsMean = draw.flip();
  stage.eps = draw.flip() ? 1 : draw.pick(1, 100000);
  for (int64_t c = 0; c < channels; ++c)
    stage.multipliers.push_back(
        {static_cast<int32_t>(draw.extreme(-(1 << 30), 1 << 30)), static_cast<int32_t>(draw.pick(20, 45))});
  stage.offsets = draw.all<int64_t>(channels, -(int64_t(1) << 50), int64_t(1) << 50);
  if (name == "layer_norm_lines")
    stage.lines = nearCurve(/*root=*/true);
  return stage;
}

Stage StageMaker::normQuant() {
  NormQuantStage stage;
  const bool wide = draw.flip();
  input = wide ? numerics::Interval{-32768, 32767} : numerics::Interval{-128, 127};
  stage.levels = draw.pick(1, 15);
  stage.eps = draw.pick(1, 500);
  stage.min = draw.pick(-8, 0);
  stage.squares = draw.all<int32_t>(stage.levels * channels, draw.flip() ? -INT32_MAX : -4000000,
                                    draw.flip() ? INT32_MAX : 4000000);
  stage.negative = draw.all<uint8_t>(channels, 0, 1);
  return stage;
}
