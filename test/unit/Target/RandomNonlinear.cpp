//===- RandomNonlinear.cpp - Random nonlinear ops -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RandomGenerator.h"

#include "vitq/Numerics/Gelu.h"

#include <cmath>

using namespace vitq::test;
using namespace mlir;
using namespace vitq::integer;

void Generator::table() {
  Value x = operand({8});
  const unsigned width = pickWidth({8, 16, 32});
  const int64_t length = int64_t(1) << widthOf(x);
  // Those of narrow codes are known when kernels are built.
  auto anyTable = [&](ArrayRef<int64_t> shape) {
    return widthOf(x) < 8 ? constant(shape, width) : fresh(shape, width);
  };
  Value entries, index;
  if (flip()) {
    entries = anyTable({length});
  } else {
    const int64_t count = random.pick<int64_t>({1, 3, 128});
    entries = anyTable({count, length});
    SmallVector<int8_t> which;
    for (int64_t i = 0; i < shapeOf(x).back(); ++i)
      which.push_back(static_cast<int8_t>(random.between(0, count - 1)));
    index = arith::ConstantOp::create(b, loc,
                                      DenseElementsAttr::get(tensor({shapeOf(x).back()}, 8), ArrayRef<int8_t>(which)));
  }
  make<TableOp>(tensor(shapeOf(x), width), x, entries, index, code(read(x).isUnsigned(), 0));
}

void Generator::interpolate() {
  Value x = operand({16});
  const int64_t start = random.oneIn(4) ? random.pick<int64_t>({-32768, 0, 32767}) : random.between(-32768, 8000);
  make<InterpolateOp>(tensor(shapeOf(x), 16), x, fresh({1025}, 16), i64(start), i64(random.between(0, 6)),
                      dyadic(1, true));
}

void Generator::gelu() {
  Value x = operand({8});
  const unsigned width = pickWidth({8, 16});
  const int64_t step = random.pick<int64_t>({-1, -2, -7, -23, -random.between(1, 65536)});
  make<GeluOp>(tensor(shapeOf(x), width), x, i64(step), i64(random.between(1, 30)), dyadic(1), rounding(), read(x),
               write(width), i64(reciprocalBits()));
}

void Generator::pwl() {
  Value x = operand({8, 16});
  const unsigned width = pickWidth({8, 8, 16, 32});
  CodeAttr input = read(x);
  const vitq::numerics::Interval inputs = codeOf(widthOf(x), input).values();
  // slope * q and intercept are below 2^30 each.
  const int64_t steepest = int64_t(1) << random.between(0, widthOf(x) <= 8 ? 22 : 14),
                highest = int64_t(1) << random.between(0, 30);
  SmallVector<int32_t> points, slopes, intercepts;
  for (int64_t i = random.between(2, 40); i > 0; --i) {
    slopes.push_back(static_cast<int32_t>(random.between(-steepest, steepest - 1)));
    intercepts.push_back(static_cast<int32_t>(random.between(-highest, highest - 1)));
    if (i > 1)
      points.push_back(!points.empty() && random.oneIn(4)
                           ? points.back()
                           : static_cast<int32_t>(random.between(inputs.min - 9, inputs.max + 9)));
  }
  llvm::sort(points);
  make<PwlOp>(tensor(shapeOf(x), width), x, PiecewiseLinearAttr::get(b.getContext(), points, slopes, intercepts),
              dyadic(flip() ? 1 : shapeOf(x).back()), rounding(), input, write(width));
}

void Generator::polyGelu() {
  Value x = operand({8, 16});
  const unsigned width = pickWidth({8, 8, 16, 32});
  CodeAttr input = read(x);
  const vitq::numerics::Interval inputs = codeOf(widthOf(x), input).values();
  vitq::numerics::PolyGelu gelu;
  do
    gelu = {random.between(0, int64_t(1) << random.between(0, 12)),
            random.between(1, int64_t(1) << random.between(0, 23))};
  while (!gelu.fits(std::max(inputs.max, -inputs.min)));
  make<PolyGeluOp>(tensor(shapeOf(x), width), x, i64(gelu.clip), i64(gelu.one), dyadic(flip() ? 1 : shapeOf(x).back()),
                   rounding(), input, write(width));
}

PiecewiseLinearAttr Generator::linesBelow(double first, double unit, double power) {
  const int entries = static_cast<int>(random.pick<int64_t>({3, 8, 8, 16, 31}));
  // Chords lie above a convex function, by no more than that.
  const double octaves = std::log2(4096 / first) / entries, above = 1.0 + 0.13 * octaves * octaves;
  SmallVector<int32_t> points, slopes, intercepts;
  for (int i = 0; i < entries; ++i) {
    const double from = first * std::exp2(octaves * i), to = first * std::exp2(octaves * (i + 1));
    auto at = [&](double x) { return unit * std::pow(x, power) / (1.004 * above); };
    slopes.push_back(static_cast<int32_t>(std::lround((at(to) - at(from)) / (to - from))));
    intercepts.push_back(static_cast<int32_t>(at(from) - slopes.back() * from));
    if (i)
      points.push_back(static_cast<int32_t>(from));
  }
  return PiecewiseLinearAttr::get(b.getContext(), points, slopes, intercepts);
}

SoftmaxOp Generator::anySoftmax(Value x, DyadicAttr by) {
  MLIRContext *context = b.getContext();
  const int64_t step = random.between(1, random.oneIn(4) ? 65536 : 64);
  unsigned width = narrow();
  ExponentialAttrInterface algorithm;
  switch (random.between(0, 5)) {
  case 0: {
    SmallVector<APInt> entries;
    for (int i = 0; i < vitq::numerics::kDistances; ++i)
      entries.emplace_back(width, static_cast<uint64_t>(random.between(0, vitq::numerics::largestCode(width))));
    auto table = DenseElementsAttr::get(tensor({vitq::numerics::kDistances}, width), entries);
    algorithm = ExpTableAttr::get(context, cast<DenseIntElementsAttr>(table));
    break;
  }
  case 1:
    algorithm = ExpShiftAttr::get(context, -step, random.between(1, 30), random.between(1, 46));
    break;
  case 2: {
    SmallVector<int32_t> points, slopes, intercepts;
    for (int64_t i = random.between(2, 17); i > 0; --i) {
      slopes.push_back(static_cast<int32_t>(random.between(-300, 3000)));
      intercepts.push_back(static_cast<int32_t>(random.between(-1000, 10000)));
      if (i > 1)
        points.push_back(static_cast<int32_t>(random.between(-256, 1)));
    }
    llvm::sort(points);
    algorithm =
        ExpPwlAttr::get(context, PiecewiseLinearAttr::get(context, points, slopes, intercepts), random.between(1, 8));
    break;
  }
  case 3: {
    const int64_t linear = 2 * step + random.between(0, 1000);
    algorithm = ExpPolyAttr::get(context, -step, random.between(1, 16), linear,
                                 step * (linear - step) + random.between(1, 10000), random.between(1, 46));
    break;
  }
  case 4: {
    SmallVector<int16_t> entries;
    for (int i = 0; i < 256; ++i)
      entries.push_back(static_cast<int16_t>(random.between(1, 1 << 14)));
    llvm::sort(entries, std::greater<int16_t>());
    auto table = DenseElementsAttr::get(RankedTensorType::get({256}, IntegerType::get(context, 16)), ArrayRef(entries));
    algorithm = ExpOctaveAttr::get(context, cast<DenseIntElementsAttr>(table));
    width = 16;
    break;
  }
  default:
    algorithm = ExpLog2Attr::get(context, random.between(1, 14));
    width = 16;
    break;
  }
  // Distances that are a product of 32 bits, as compilers make them, or not.
  if (random.oneIn(2)) {
    SmallVector<int32_t> factors;
    for (size_t i = 0; i < by.size(); ++i)
      factors.push_back(static_cast<int32_t>(random.between(2, random.oneIn(4) ? (1 << 24) + 1 : 1 << 16)));
    by = DyadicAttr::get(context, factors, SmallVector<int32_t>(by.size(), vitq::numerics::kDistanceFraction));
  }
  ArrayRef<int64_t> sizes = shapeOf(x);
  return SoftmaxOp::create(b, loc, tensor(sizes, width), tensor(sizes.drop_back(), 32), x, by, algorithm);
}

void Generator::softmax() {
  Value x = operand({32});
  ArrayRef<int64_t> sizes = shapeOf(x);
  emit(anySoftmax(x, dyadic(sizes.size() >= 3 && flip() ? sizes[1] : 1, true)));
}

void Generator::shiftmaxOf(Value x) {
  const unsigned width = pickWidth({8, 16});
  const int64_t step = random.pick<int64_t>({-1, -20, -random.between(1, 1000), -random.between(1, 1 << 30)});
  make<ShiftmaxOp>(tensor(shapeOf(x), width), x, i64(step), i64(random.between(1, 30)), i64(reciprocalBits()),
                   i64(width));
}
void Generator::shiftmax() {
  Value x = operand({8, 32});
  if (widthOf(x) == 8 || widthOf(x) == 32 || !isUnsigned.lookup(x))
    shiftmaxOf(x);
}

void Generator::divideRows() {
  Value x = operand({32});
  ArrayRef<int64_t> sizes = shapeOf(x);
  const unsigned width = pickWidth({8, 8, 16, 32});
  const int64_t axis = random.between(-1, static_cast<int64_t>(sizes.size()) - 1);
  const int64_t channels = axis < 0 ? sizes.back() : sizes[axis];
  make<DivideRowsOp>(tensor(sizes, width), x, fresh(sizes.drop_back(), 32), dyadic(flip() ? 1 : channels), rounding(),
                     i64(axis), write(width), random.oneIn(3) ? reciprocalLines() : PiecewiseLinearAttr());
}

void Generator::layerNorm() {
  Value x = operand({8, 16});
  const int64_t channels = shapeOf(x).back();
  if (channels > 2048)
    return;
  const bool exact = flip(), pwl = exact && flip();
  const unsigned width = pickWidth({8, 16});
  SmallVector<int64_t> offsets;
  const int64_t limit = exact ? int64_t(1) << random.between(1, 58) : INT32_MAX;
  for (int64_t i = 0; i < channels; ++i)
    offsets.push_back(random.between(-limit, limit));
  DenseI64ArrayAttr postOffsets;
  if (!exact && flip()) {
    SmallVector<int64_t> values;
    for (int64_t i = 0; i < channels; ++i)
      values.push_back(random.between(-70000, 70000));
    postOffsets = b.getDenseI64ArrayAttr(values);
  }
  DyadicAttr by = dyadic(channels);
  if (flip())
    by = DyadicAttr::get(b.getContext(), by.getMultipliers(),
                         SmallVector<int32_t>(channels, static_cast<int32_t>(random.between(1, 62))));
  const int64_t eps = random.between(1, int64_t(1) << random.between(0, 50));
  const bool isUnsigned = read(x).isUnsigned();
  const bool centered = !exact || isUnsigned || channels == 2048 || !random.oneIn(3);
  NormalizationAttrInterface algorithm = NormExactAttr::get(b.getContext(), eps, centered);
  if (pwl)
    algorithm = NormPwlAttr::get(b.getContext(), eps, inverseRootLines(), centered);
  else if (!exact)
    algorithm = NormShiftAttr::get(b.getContext(), rounding().getValue(), postOffsets);
  make<LayerNormOp>(tensor(shapeOf(x), width), x, by, b.getDenseI64ArrayAttr(offsets), algorithm, code(isUnsigned, 0),
                    write(width));
}

void Generator::normQuant() {
  Value x = operand({8, 16});
  const unsigned width = pickWidth({8, 16});
  const int64_t channels = shapeOf(x).back(), levels = anyLevels(width);
  if (channels > 2048)
    return;
  // Squares up to 2^2 where most values are, and any.
  SmallVector<int32_t> squares;
  for (int64_t i = 0; i < levels * channels; ++i)
    squares.push_back(static_cast<int32_t>(random.oneIn(4) ? random.between(-INT32_MAX, INT32_MAX)
                                                           : random.between(-(1 << 22), 1 << 22)));
  Value thresholds = arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(tensor({levels, channels}, 32), ArrayRef<int32_t>(squares)));
  CodeAttr result = write(width);
  SmallVector<bool> negative;
  for (int64_t c = 0; c < channels; ++c)
    negative.push_back(flip());
  make<NormQuantOp>(tensor(shapeOf(x), width), x, thresholds, b.getDenseBoolArrayAttr(negative),
                    i64(random.between(1, int64_t(1) << random.between(0, 50))),
                    i64(firstLevel(codeOf(width, result), levels)), code(read(x).isUnsigned(), 0),
                    code(result.isUnsigned(), 0));
}

void Generator::threshold() {
  Value x = operand({8, 16, 32});
  const unsigned width = pickWidth({8, 8, 16});
  const int64_t levels = anyLevels(width), channels = shapeOf(x).back();
  CodeAttr result = write(width);
  Value thresholds = flip() ? fresh({levels}, 32) : fresh({levels, channels}, 32);
  make<ThresholdOp>(tensor(shapeOf(x), width), x, thresholds, i64(firstLevel(codeOf(width, result), levels)),
                    code(read(x).isUnsigned(), 0), code(result.isUnsigned(), 0));
}
