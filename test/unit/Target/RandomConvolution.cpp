//===- RandomConvolution.cpp - Seeded convolutions ---------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RandomGenerator.h"

using namespace vitq::test;
using namespace mlir;
using namespace vitq::integer;

Generator::AnyWindows Generator::windowsOn(ArrayRef<int64_t> map) {
  AnyWindows windows{{}, {}, Shape(4), {}, {}};
  const bool padded = !random.oneIn(3), dilated = random.oneIn(3);
  for (int i = 0; i < 2; ++i) {
    const int64_t size = map[1 + i];
    int64_t kernel = random.pick<int64_t>({1, 2, 3, 3, 3, 5, 7}), dilation = dilated ? random.between(1, 3) : 1;
    const int64_t low = padded ? random.between(0, kernel) : 0, high = padded ? random.between(0, kernel) : 0;
    while (dilation * (kernel - 1) + 1 > size + low + high)
      dilation > 1 ? --dilation : --kernel;
    windows.size.push_back(kernel);
    windows.dilations.push_back(dilation);
    windows.strides.push_back(random.oneIn(2) ? 1 : random.between(1, 4));
    windows.pads[i] = low;
    windows.pads[2 + i] = high;
    windows.results.push_back((size + low + high - dilation * (kernel - 1) - 1) / windows.strides.back() + 1);
  }
  return windows;
}

Value Generator::anyMap(bool wide) {
  const int64_t channels = random.pick<int64_t>({1, 2, 3, 4, 8, 12, 16, 17, 24, 32, 35, 64});
  const int64_t most = channels > 16 ? 9 : 20, breadth = random.oneIn(3) ? 32 : most;
  const unsigned bits = wide && random.oneIn(3) ? 16 : 8;
  Value map = argument({random.between(1, 2), random.between(1, most), random.between(1, breadth), channels}, bits);
  if (bits == 16 || !random.oneIn(4))
    return map;
  const unsigned width = static_cast<unsigned>(random.between(2, 7));
  make<RequantOp>(tensor(shapeOf(map), width), map, dyadic(1), rounding(), i64(-1), read(map), write(width),
                  IntegerAttr(), IntegerAttr());
  return values.back();
}

Value Generator::smallBias(int64_t channels) {
  std::vector<int32_t> small;
  for (int64_t i = 0; i < channels; ++i)
    small.push_back(static_cast<int32_t>(random.between(-(1 << 28), 1 << 28)));
  return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(tensor({channels}, 32), ArrayRef<int32_t>(small)));
}

/// Patches of a map, which nothing needs to read.
void Generator::patches() {
  Value map = anyMap();
  const AnyWindows windows = windowsOn(shapeOf(map));
  const int64_t channels = shapeOf(map)[3], row = windows.size[0] * windows.size[1] * channels;
  Shape padding;
  auto [lo, hi] = numerics::codeRange(static_cast<int>(widthOf(map)), true);
  if (flip())
    for (int64_t c = 0, count = flip() ? 1 : channels; c < count; ++c)
      padding.push_back(random.between(lo, flip() ? hi : 2 * hi + 1));
  const bool asMap = flip();
  Shape shape{shapeOf(map)[0], windows.results[0], windows.results[1], row};
  if (!asMap)
    shape = {shape[0], shape[1] * shape[2], row};
  make<ExtractPatchesOp>(tensor(shape, widthOf(map)), map, b.getDenseI64ArrayAttr(windows.size),
                         b.getDenseI64ArrayAttr(windows.strides), b.getDenseI64ArrayAttr(windows.pads),
                         b.getDenseI64ArrayAttr(windows.dilations),
                         padding.empty() ? DenseI64ArrayAttr() : b.getDenseI64ArrayAttr(padding), unit(asMap));
}

/// A product of patches with a matrix, whose sums are requantized, or not.
void Generator::convolution() {
  patches();
  Value rows = values.back();
  const int64_t depth = shapeOf(rows).back(), outputs = random.pick<int64_t>({1, 3, 8, 16, 17, 40});
  Shape shape(shapeOf(rows));
  shape.back() = outputs;
  const bool transposed = flip();
  make<MatmulOp>(tensor(shape, 32), rows,
                 constant(transposed ? Shape{outputs, depth} : Shape{depth, outputs}, narrow()),
                 flip() ? smallBias(outputs) : Value(), read(rows), unit(transposed));
  if (random.oneIn(3))
    return;
  const unsigned width = pickWidth({8, 16});
  make<RequantOp>(tensor(shape, width), values.back(), dyadic(flip() ? 1 : outputs), rounding(), i64(-1),
                  code(false, 0), write(width), IntegerAttr(), IntegerAttr());
}

/// A depthwise convolution; behind it nothing, a requantization, or a sum with a map of the same shape.
void Generator::depthwise() {
  Value map = anyMap(/*wide=*/true);
  const AnyWindows windows = windowsOn(shapeOf(map));
  const int64_t channels = shapeOf(map)[3];
  const Shape shape{shapeOf(map)[0], windows.results[0], windows.results[1], channels};
  make<DepthwiseConv2dOp>(tensor(shape, 32), map, constant({windows.size[0], windows.size[1], channels}, narrow()),
                          flip() ? smallBias(channels) : Value(), b.getDenseI64ArrayAttr(windows.strides),
                          b.getDenseI64ArrayAttr(windows.pads), b.getDenseI64ArrayAttr(windows.dilations), read(map));
  Value sums = values.back();
  const int kind = random.between(0, 3);
  const unsigned width = kind == 2 ? 16 : pickWidth({8, 16});
  if (kind == 1)
    make<AddOp>(tensor(shape, width), sums, argument(shape, random.pick<unsigned>({8, 16})), addend(channels),
                addend(channels), rounding(), code(false, 0), code(false, 0), write(width));
  else if (kind > 1)
    make<RequantOp>(tensor(shape, width), sums, dyadic(flip() ? 1 : channels), rounding(), i64(-1), code(false, 0),
                    write(width), IntegerAttr(), IntegerAttr());
}

OwningOpRef<ModuleOp> Generator::runConvolutions() {
  const Maker makers[] = {&Generator::depthwise, &Generator::depthwise, &Generator::convolution, &Generator::maxPool,
                          &Generator::resample};
  return runAny(makers, 10);
}

OwningOpRef<ModuleOp> vitq::test::randomConvolutions(MLIRContext &context, uint64_t seed) {
  return Generator(context, seed).runConvolutions();
}
