//===- RandomModule.cpp - Seeded modules of integer ops -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RandomGenerator.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace vitq::test;
using namespace mlir;
using namespace vitq::integer;

static constexpr int64_t kSizes[] = {1, 2, 3, 5, 7, 16, 17, 64, 197};
static constexpr int64_t kMostElements = 40000;

std::vector<char> vitq::test::randomBytes(Random &random, int64_t count, unsigned width) {
  const unsigned bytes = width / 8;
  std::vector<char> data(count * bytes);
  const bool extreme = random.oneIn(4);
  // Accumulators of a few thousand are as common as full 32-bit ones.
  const int64_t limit = width == 32 && random.oneIn(2) ? 1 << random.between(4, 24) : int64_t(1) << (width - 1);
  for (int64_t i = 0; i < count; ++i) {
    int64_t value = random.between(-limit, limit - 1);
    if (extreme)
      value = random.pick<int64_t>({-(int64_t(1) << (width - 1)), (int64_t(1) << (width - 1)) - 1, -1, 0});
    std::memcpy(&data[i * bytes], &value, bytes);
  }
  return data;
}

Shape Generator::shape(int64_t rank) {
  for (;;) {
    Shape sizes;
    for (int64_t i = 0; i < rank; ++i)
      sizes.push_back(random.pick(ArrayRef<int64_t>(kSizes)));
    if (countOf(sizes) <= kMostElements)
      return sizes;
  }
}

Value Generator::argument(ArrayRef<int64_t> shape, unsigned width) {
  return body->addArgument(tensor(shape, width), loc);
}

Value Generator::constant(ArrayRef<int64_t> shape, unsigned width) {
  if (width < 8) {
    const numerics::Code codes{width, false, 0};
    SmallVector<APInt> elements;
    for (int64_t i = 0; i < countOf(shape); ++i)
      elements.emplace_back(width, static_cast<uint64_t>(random.between(codes.min(), codes.max())), /*isSigned=*/true);
    return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(tensor(shape, width), elements));
  }
  std::vector<char> bytes = vitq::test::randomBytes(random, countOf(shape), width);
  auto attr = DenseElementsAttr::getFromRawBuffer(tensor(shape, width), bytes);
  return arith::ConstantOp::create(b, loc, attr);
}

Value Generator::operand(ArrayRef<unsigned> widths, int64_t leastRank) {
  SmallVector<Value> fitting;
  for (Value value : values)
    if (llvm::is_contained(widths, std::max(8u, widthOf(value))) &&
        static_cast<int64_t>(shapeOf(value).size()) >= leastRank)
      fitting.push_back(value);
  if (!fitting.empty() && !random.oneIn(3))
    return random.pick(ArrayRef<Value>(fitting));
  Value result = argument(shape(random.between(leastRank, std::max<int64_t>(leastRank, 4))), random.pick(widths));
  if (widthOf(result) != 8 || !random.oneIn(4))
    return result;
  // Programs take bytes.
  const unsigned width = static_cast<unsigned>(random.between(2, 7));
  make<RequantOp>(tensor(shapeOf(result), width), result, dyadic(1), rounding(), i64(-1), read(result), write(width),
                  IntegerAttr(), IntegerAttr());
  return values.back();
}

void Generator::noteSign(Value result) {
  if (widthOf(result) >= 8)
    return;
  Operation *op = result.getDefiningOp();
  if (CodeAttr code = cast<IntegerOp>(op).getWrittenCode())
    isUnsigned[result] = code.isUnsigned();
  else if (vit::isMove(op))
    isUnsigned[result] = isUnsigned.lookup(op->getOperand(0));
  else
    isUnsigned[result] = flip(); // a table's
}

CodeAttr Generator::write(unsigned width) {
  const bool isUnsigned = width != 32 && flip();
  return code(isUnsigned, zeroPoint(width, isUnsigned));
}

CodeAttr Generator::read(Value value) {
  const unsigned width = widthOf(value);
  auto [known, isNew] = isUnsigned.try_emplace(value, width != 32 && flip());
  const bool sign = width < 8 ? known->second : width != 32 && flip();
  return code(sign, zeroPoint(width, sign));
}

DyadicAttr Generator::dyadic(int64_t count, bool positive) {
  SmallVector<int32_t> multipliers, shifts;
  const int kind = random.between(0, 3);
  for (int64_t i = 0; i < count; ++i) {
    int64_t m = random.between(1 << 30, INT32_MAX);
    if (kind == 0)
      m = random.pick<int64_t>({INT32_MAX, 1, 1 << 30});
    multipliers.push_back(static_cast<int32_t>(positive || random.oneIn(2) ? m : -m));
    // Mostly what a program has; sometimes everything that is allowed, or what
    // makes many ties.
    shifts.push_back(kind == 0 && flip() ? random.between(31, 36)
                     : kind < 2          ? random.between(1, 62)
                     : kind == 2         ? random.between(33, 45)
                                         : random.between(28, 40));
  }
  return DyadicAttr::get(b.getContext(), multipliers, shifts);
}

DyadicAttr Generator::addend(int64_t channels) {
  if (random.oneIn(3))
    return DyadicAttr::get(b.getContext(), {1 << 30}, {30});
  return dyadic(flip() ? 1 : channels);
}

int64_t Generator::zeroPoint(unsigned width, bool isUnsigned) {
  if (width == 32 || random.oneIn(3))
    return 0;
  auto [lo, hi] = numerics::codeRange(static_cast<int>(width), !isUnsigned);
  return random.oneIn(4) ? random.pick({lo, hi}) : random.between(lo, hi);
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

void Generator::matmul() {
  Value lhs = operand({8, 16}, 2);
  ArrayRef<int64_t> left = shapeOf(lhs);
  const int64_t k = left.back();
  int64_t n = random.pick(ArrayRef<int64_t>(kSizes));
  if (countOf(left.drop_back()) * n > kMostElements || k > 197)
    n = 3;
  const bool transposed = flip(), shared = left.size() == 2 || flip();
  Shape right(shared ? ArrayRef<int64_t>() : left.drop_back(2));
  right.push_back(transposed ? n : k);
  right.push_back(transposed ? k : n);
  if (k > 197)
    return;
  Value rhs = fresh(right, narrow());
  Value bias = flip() ? smallBias(n) : Value();
  Shape result(left.drop_back());
  result.push_back(n);
  make<MatmulOp>(tensor(result, 32), lhs, rhs, bias, read(lhs), unit(transposed));
}

void Generator::requant() {
  Value x = operand({8, 16, 32});
  const unsigned width = pickWidth({8, 8, 16, 32});
  ArrayRef<int64_t> sizes = shapeOf(x);
  const int64_t axis = random.between(-1, static_cast<int64_t>(sizes.size()) - 1);
  const int64_t channels = axis < 0 ? sizes.back() : sizes[axis];
  CodeAttr result = write(width);
  IntegerAttr min, max;
  if (random.oneIn(3)) {
    auto [lo, hi] = codeOf(width, result).range();
    const int64_t first = random.between(lo, hi);
    min = i64(first);
    max = i64(random.between(first, hi));
  }
  make<RequantOp>(tensor(sizes, width), x, dyadic(flip() ? 1 : channels), rounding(), i64(axis), read(x), result, min,
                  max);
}

void Generator::add() {
  Value x = operand({8, 16, 32});
  Shape other(shapeOf(x));
  if (random.oneIn(3))
    other.erase(other.begin(), other.begin() + random.between(0, static_cast<int64_t>(other.size()) - 1));
  for (int64_t &size : other)
    if (random.oneIn(6))
      size = 1;
  Value y = fresh(other, pickWidth({8, 16, 32}));
  const int64_t channels = shapeOf(x).back();
  const unsigned width = pickWidth({8, 16, 32});
  make<AddOp>(tensor(shapeOf(x), width), x, y, addend(channels), addend(channels), rounding(), read(x), read(y),
              write(width));
}

void Generator::mul() {
  Value x = operand({8, 16});
  Shape other(shapeOf(x));
  if (random.oneIn(3))
    other.erase(other.begin(), other.begin() + random.between(0, static_cast<int64_t>(other.size()) - 1));
  Value y = fresh(other, pickWidth({8, 16}));
  const unsigned width = pickWidth({8, 16, 32});
  // Two 16-bit operands fit 32 bits only when signed around zero.
  const bool wide = widthOf(x) == 16 && widthOf(y) == 16;
  const int64_t channels = shapeOf(x).empty() || flip() ? 1 : shapeOf(x).back();
  make<MulOp>(tensor(shapeOf(x), width), x, y, dyadic(channels), rounding(), wide ? code(false, 0) : read(x),
              wide ? code(false, 0) : read(y), write(width));
}

void Generator::sum() {
  Value x = operand({8, 16});
  Shape axes, result;
  int64_t count = 1;
  const bool keep = flip();
  for (auto [i, size] : llvm::enumerate(shapeOf(x))) {
    const bool reduced = flip() && count * size <= 30000;
    if (reduced) {
      axes.push_back(static_cast<int64_t>(i));
      count *= size;
    }
    if (!reduced || keep)
      result.push_back(reduced ? 1 : size);
  }
  if (axes.empty() || result.empty())
    return;
  make<SumOp>(tensor(result, 32), x, b.getDenseI64ArrayAttr(axes), unit(keep), read(x));
}

/// Blocks of any size, as many as there may be.
void Generator::hadamard() {
  const int64_t block = int64_t(1) << random.between(1, 8);
  Value x = fresh({1, random.between(1, 5), block * random.between(1, 3)}, pickWidth({2, 4, 6, 8, 8, 16}));
  const vitq::integer::CodeAttr read = this->read(x);
  const vitq::numerics::Code code = vitq::integer::codeOf(x, read);
  SmallVector<int32_t> zeros;
  SmallVector<int8_t> shifts;
  for (int64_t c = 0; c < shapeOf(x).back(); ++c) {
    zeros.push_back(static_cast<int32_t>(random.between(code.min(), code.max())));
    shifts.push_back(static_cast<int8_t>(random.between(0, 4)));
  }
  make<HadamardOp>(tensor(shapeOf(x), 32), x, b.getI64IntegerAttr(block),
                   random.oneIn(2) ? b.getDenseI32ArrayAttr(zeros) : DenseI32ArrayAttr(),
                   random.oneIn(2) ? b.getDenseI8ArrayAttr(shifts) : DenseI8ArrayAttr(), read);
}

/// From a product to the codes of spread codes, by a table or not: what is one pass where its sums fit 16 bits.
void Generator::spread() {
  const int64_t block = int64_t(1) << random.between(1, 8), depth = random.between(1, 9);
  const int64_t rows = random.between(1, 8), cols = block * random.between(1, 320 / block);
  Value lhs = fresh({1, rows, depth}, 8), rhs = constant({cols, depth}, 8);
  make<MatmulOp>(tensor({1, rows, cols}, 32), lhs, rhs, Value(), read(lhs), unit(true));
  auto requant = [&](DyadicAttr by, unsigned width) {
    Value x = values.back();
    make<RequantOp>(tensor(shapeOf(x), width), x, by, RoundingAttr::get(b.getContext(), Rounding::HalfUp), i64(-1),
                    read(x), write(width), IntegerAttr(), IntegerAttr());
  };
  requant(dyadic(1), narrow());
  if (flip()) {
    Value codes = values.back();
    const unsigned width = random.pick<unsigned>({8, 16});
    make<TableOp>(tensor(shapeOf(codes), width), codes, constant({int64_t(1) << widthOf(codes)}, width), Value(),
                  code(read(codes).isUnsigned(), 0));
  }
  SmallVector<int8_t> shifts;
  for (int64_t c = 0; c < cols; ++c)
    shifts.push_back(static_cast<int8_t>(random.between(0, 1)));
  Value x = values.back();
  make<HadamardOp>(tensor(shapeOf(x), 32), x, b.getI64IntegerAttr(block), DenseI32ArrayAttr(),
                   random.oneIn(3) ? b.getDenseI8ArrayAttr(shifts) : DenseI8ArrayAttr(), read(x));
  requant(DyadicAttr::get(b.getContext(), {static_cast<int32_t>(random.between(0, 20000))}, {15}), narrow());
}

/// Maps [B, H, W, C] of any sizes, of channels that fill vectors or do not.
void Generator::maxPool() {
  const unsigned width = pickWidth({8, 8, 16, 32});
  Value x = fresh(
      {random.between(1, 2), random.between(1, 9), random.between(1, 9), random.pick<int64_t>({1, 3, 16, 65})}, width);
  Shape kernel, strides, pads(4, 0), dilations, result(shapeOf(x));
  for (int i = 0; i < 2; ++i) {
    const int64_t size = shapeOf(x)[1 + i], taps = random.between(1, std::min<int64_t>(size, 4));
    kernel.push_back(taps);
    dilations.push_back(taps > 1 ? random.between(1, (size - 1) / (taps - 1)) : 1);
    strides.push_back(random.between(1, 3));
    // Each window keeps an element of the map.
    pads[i] = random.between(0, taps - 1);
    pads[2 + i] = random.between(0, taps - 1);
    const int64_t extent = dilations[i] * (taps - 1) + 1;
    result[1 + i] = (size + pads[i] + pads[2 + i] - extent) / strides[i] + 1;
  }
  make<MaxPoolOp>(tensor(result, width), x, b.getDenseI64ArrayAttr(kernel), b.getDenseI64ArrayAttr(strides),
                  b.getDenseI64ArrayAttr(pads), b.getDenseI64ArrayAttr(dilations), read(x));
}

void Generator::resample() {
  const bool wide = random.oneIn(4);
  Value x =
      argument({random.between(1, 2), random.between(1, 7), random.between(1, 7), random.pick<int64_t>({1, 3, 16, 65})},
               wide ? 16 : 8);
  Shape first[2], weights[2], result(shapeOf(x));
  for (int i = 0; i < 2; ++i) {
    const int64_t size = shapeOf(x)[1 + i], taps = random.between(1, std::min<int64_t>(size, 4));
    result[1 + i] = random.between(1, 12);
    // Below 2^31 with codes of up to 9, or 17, bits and 16 taps.
    const int64_t largest = wide ? 16 : 512;
    for (int64_t k = 0; k < result[1 + i]; ++k) {
      first[i].push_back(random.between(0, size - taps));
      for (int64_t t = 0; t < taps; ++t)
        weights[i].push_back(random.between(-largest, largest));
    }
  }
  const unsigned width = pickWidth({8, 8, 16, 32});
  make<ResampleOp>(tensor(result, width), x, b.getDenseI64ArrayAttr(first[0]), b.getDenseI64ArrayAttr(weights[0]),
                   b.getDenseI64ArrayAttr(first[1]), b.getDenseI64ArrayAttr(weights[1]), dyadic(1), rounding(), read(x),
                   write(width));
}

/// Moves: one of eight.
void Generator::move() {
  Value x = operand({8, 16, 32});
  Shape sizes(shapeOf(x));
  const auto rank = static_cast<int64_t>(sizes.size());
  const int64_t axis = random.between(0, rank - 1);
  const unsigned width = widthOf(x);
  switch (random.between(0, 7)) {
  case 0: {
    Shape order = llvm::to_vector(llvm::seq<int64_t>(0, rank)), result;
    for (int64_t i = rank - 1; i > 0; --i)
      std::swap(order[i], order[random.between(0, i)]);
    for (int64_t from : order)
      result.push_back(sizes[from]);
    return make<TransposeOp>(tensor(result, width), x, b.getDenseI64ArrayAttr(order));
  }
  case 1: {
    Shape result{countOf(sizes)};
    if (rank > 1)
      result = {sizes[0], countOf(sizes) / sizes[0]};
    return make<ReshapeOp>(tensor(result, width), x, b.getDenseI64ArrayAttr(result));
  }
  case 2: {
    Shape offsets, counts, strides;
    for (int64_t size : sizes) {
      offsets.push_back(random.between(0, size - 1));
      strides.push_back(random.between(1, 3));
      counts.push_back(random.between(1, (size - 1 - offsets.back()) / strides.back() + 1));
    }
    return make<SliceOp>(tensor(counts, width), x, b.getDenseI64ArrayAttr(offsets), b.getDenseI64ArrayAttr(counts),
                         b.getDenseI64ArrayAttr(strides));
  }
  case 3: {
    Shape other = sizes, result = sizes;
    other[axis] = random.between(1, 3);
    result[axis] += other[axis];
    return make<ConcatOp>(tensor(result, width), ValueRange{x, fresh(other, width)}, i64(axis));
  }
  case 4: {
    Shape indices;
    for (int64_t i = random.between(1, 5); i > 0; --i)
      indices.push_back(random.between(0, sizes[axis] - 1));
    Shape result = sizes;
    result[axis] = static_cast<int64_t>(indices.size());
    return make<GatherOp>(tensor(result, width), x, b.getDenseI64ArrayAttr(indices), i64(axis));
  }
  case 5: {
    Shape result = sizes;
    for (int64_t &size : result)
      size = size == 1 ? random.between(1, 3) : size;
    if (flip() && rank < 4)
      result.insert(result.begin(), 2);
    if (countOf(result) > kMostElements)
      return;
    return make<BroadcastOp>(tensor(result, width), x, b.getDenseI64ArrayAttr(result));
  }
  case 6: {
    Shape low, high, result;
    for (int64_t size : sizes) {
      low.push_back(random.between(0, 2));
      high.push_back(random.between(0, 2));
      result.push_back(size + low.back() + high.back());
    }
    return make<PadOp>(tensor(result, width), x, b.getDenseI64ArrayAttr(low), b.getDenseI64ArrayAttr(high),
                       i64(random.between(numerics::codeRange(static_cast<int>(std::min(width, 8u)), true).min,
                                          numerics::codeRange(static_cast<int>(std::min(width, 8u)), false).max)));
  }
  default: {
    const int64_t height = random.between(1, 4), breadth = random.between(1, 4), channels = random.between(1, 3);
    const int64_t rows = random.between(1, 5), columns = random.between(1, 5);
    Value image = argument({2, rows * height, columns * breadth, channels}, 8);
    return make<ExtractPatchesOp>(tensor({2, rows * columns, height * breadth * channels}, 8), image,
                                  b.getDenseI64ArrayAttr({height, breadth}), DenseI64ArrayAttr(), DenseI64ArrayAttr(),
                                  DenseI64ArrayAttr(), DenseI64ArrayAttr(), UnitAttr());
  }
  }
}

/// Products followed by what is fused into them: scores and softmax, or a
/// requantization, a residual add, a division.
void Generator::attention() {
  const int64_t rows = random.pick(ArrayRef<int64_t>(kSizes));
  // A product of one column with one row is how an outlier channel is added.
  const int64_t depth = random.oneIn(4) ? 1 : random.pick(ArrayRef<int64_t>(kSizes));
  const int64_t heads = random.between(1, 3), columns = random.pick(ArrayRef<int64_t>(kSizes));
  if (rows * depth * heads > kMostElements || rows * columns * heads > kMostElements)
    return;
  Value lhs = argument({1, heads, rows, depth}, random.pick<unsigned>({8, 8, 16}));
  Value rhs = fresh({1, heads, columns, depth}, narrow());
  auto type = tensor({1, heads, rows, columns}, 32);
  Value acc = MatmulOp::create(b, loc, type, lhs, rhs, Value(), read(lhs), unit(true));
  const int kind = random.between(0, 5);
  if (kind == 5) {
    const unsigned width = narrow();
    const int64_t levels = anyLevels(width);
    make<ThresholdOp>(tensor(type.getShape(), width), acc,
                      flip() ? constant({levels}, 32) : fresh({levels, columns}, 32), i64(0), code(false, 0),
                      code(true, 0));
  } else if (kind == 0) {
    SoftmaxOp softmax = anySoftmax(acc, dyadic(flip() ? heads : 1, true));
    if (flip())
      return emit(softmax);
    // The whole attention: at most 2^14 * 2^7 * 197 in a sum.
    const int64_t n = random.pick<int64_t>({3, 16, 64});
    auto context = tensor({1, heads, rows, n}, 32);
    Value product = MatmulOp::create(b, loc, context, softmax.getCodes(), fresh({1, heads, columns, n}, narrow()),
                                     Value(), softmax.getWrittenCode(), unit(false));
    const unsigned width = narrow();
    make<DivideRowsOp>(tensor(context.getShape(), width), product, softmax.getSums(), dyadic(1), rounding(), i64(-1),
                       code(false, zeroPoint(width, false)), flip() ? reciprocalLines() : PiecewiseLinearAttr());
  } else if (kind == 1) {
    const unsigned width = narrow();
    make<RequantOp>(tensor(type.getShape(), width), acc, dyadic(flip() ? 1 : columns), rounding(), i64(-1),
                    code(false, 0), code(true, zeroPoint(width, true)), IntegerAttr(), IntegerAttr());
  } else if (kind == 2) {
    const unsigned width = random.pick<unsigned>({16, 32});
    Value residual = argument(type.getShape(), width);
    if (width == 32 && flip())
      residual =
          MatmulOp::create(b, loc, type, lhs, fresh({1, heads, columns, depth}, 8), Value(), read(lhs), unit(true));
    const bool first = flip();
    make<AddOp>(tensor(type.getShape(), width), first ? acc : residual, first ? residual : acc, addend(columns),
                addend(columns), rounding(), code(false, 0), code(false, 0), code(false, zeroPoint(width, false)));
  } else if (kind == 3) {
    shiftmaxOf(acc);
  } else {
    make<DivideRowsOp>(tensor(type.getShape(), 8), acc, argument(type.getShape().drop_back(), 32),
                       dyadic(flip() ? 1 : heads), rounding(), i64(1), code(false, zeroPoint(8, false)),
                       random.oneIn(3) ? reciprocalLines() : PiecewiseLinearAttr());
  }
}

OwningOpRef<ModuleOp> Generator::runAny(ArrayRef<Maker> makers, size_t wanted) {
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  b.setInsertionPointToEnd(module->getBody());
  auto main = func::FuncOp::create(b, loc, "main", b.getFunctionType({}, {}));
  body = main.addEntryBlock();
  b.setInsertionPointToEnd(body);
  while (values.size() < wanted)
    (this->*random.pick(makers))();
  SmallVector<Value> results;
  const SmallVector<Value> all(values);
  for (Value value : all)
    if (value.use_empty() || random.oneIn(8)) {
      // Programs give bytes, or more.
      if (widthOf(value) < 8) {
        make<RequantOp>(tensor(shapeOf(value), 8), value, dyadic(1), rounding(), i64(-1), read(value), write(8),
                        IntegerAttr(), IntegerAttr());
        value = values.back();
      }
      results.push_back(value);
    }
  func::ReturnOp::create(b, loc, results);
  main.setFunctionType(b.getFunctionType(body->getArgumentTypes(), ValueRange(results).getTypes()));
  return module;
}

OwningOpRef<ModuleOp> Generator::run() {
  const Maker makers[] = {&Generator::matmul,
                          &Generator::matmul,
                          &Generator::requant,
                          &Generator::add,
                          &Generator::mul,
                          &Generator::sum,
                          &Generator::hadamard,
                          &Generator::spread,
                          &Generator::table,
                          &Generator::interpolate,
                          &Generator::gelu,
                          &Generator::pwl,
                          &Generator::polyGelu,
                          &Generator::softmax,
                          &Generator::shiftmax,
                          &Generator::divideRows,
                          &Generator::layerNorm,
                          &Generator::normQuant,
                          &Generator::threshold,
                          &Generator::move,
                          &Generator::move,
                          &Generator::move,
                          &Generator::attention,
                          &Generator::attention,
                          &Generator::wholeAttention,
                          &Generator::patches,
                          &Generator::convolution,
                          &Generator::depthwise,
                          &Generator::depthwise,
                          &Generator::maxPool,
                          &Generator::resample};
  return runAny(makers, random.between(1, 8));
}

OwningOpRef<ModuleOp> vitq::test::randomModule(MLIRContext &context, uint64_t seed) {
  return Generator(context, seed).run();
}
