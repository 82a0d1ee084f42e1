//===- RandomModule.cpp - Seeded modules of integer ops -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RandomModule.h"

#include "dialects/vitq/Vitq.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "vitq/Numerics/Gelu.h"

#include <cmath>

using namespace mlir;
using namespace vitq::integer;
using vitq::test::Random;
using Shape = SmallVector<int64_t>;

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

namespace {

class Generator {
public:
  Generator(MLIRContext &context, uint64_t seed) : random(seed), b(&context), loc(b.getUnknownLoc()) {}

  OwningOpRef<ModuleOp> run();

private:
  Type intType(unsigned width) { return b.getIntegerType(width); }
  RankedTensorType tensor(ArrayRef<int64_t> shape, unsigned width) {
    return RankedTensorType::get(shape, intType(width));
  }
  static ArrayRef<int64_t> shapeOf(Value v) { return cast<RankedTensorType>(v.getType()).getShape(); }
  static unsigned widthOf(Value v) { return cast<RankedTensorType>(v.getType()).getElementTypeBitWidth(); }
  static int64_t countOf(ArrayRef<int64_t> shape) {
    int64_t count = 1;
    for (int64_t size : shape)
      count *= size;
    return count;
  }

  Shape shape(int64_t rank);
  Value argument(ArrayRef<int64_t> shape, unsigned width);
  Value constant(ArrayRef<int64_t> shape, unsigned width);
  /// A value of one of these widths and at least this rank, new or old.
  Value operand(ArrayRef<unsigned> widths, int64_t leastRank = 1);
  /// One of this very type: a constant or a new argument.
  Value fresh(ArrayRef<int64_t> shape, unsigned width) {
    return random.oneIn(2) ? constant(shape, width) : argument(shape, width);
  }

  bool flip() { return random.oneIn(2); }
  DyadicAttr dyadic(int64_t count, bool positive = false);
  /// The multipliers of a side of an add; often exactly 1.
  DyadicAttr addend(int64_t channels);
  int64_t reciprocalBits() { return random.pick<int64_t>({31, 62}); }
  RoundingAttr rounding() {
    Rounding mode = random.pick({Rounding::HalfUp, Rounding::HalfUp, Rounding::HalfUp, Rounding::HalfEven,
                                 Rounding::HalfAway, Rounding::Floor});
    return RoundingAttr::get(b.getContext(), mode);
  }
  /// Lines near `function` times `unit` between breakpoints at equal ratios of codes
  /// from `first` to 4096, below it by a few percent.
  PiecewiseLinearAttr linesBelow(double first, double unit, double power);
  PiecewiseLinearAttr reciprocalLines() { return linesBelow(512, 0x1p32, -1.0); }
  PiecewiseLinearAttr inverseRootLines() { return linesBelow(256, 0x1p27, -0.5); }
  /// One of all algorithms but `table`, on the scores x.
  SoftmaxOp anySoftmax(Value x, DyadicAttr by);
  int64_t zeroPoint(Value v, bool isUnsigned) { return zeroPoint(widthOf(v), isUnsigned); }
  int64_t zeroPoint(unsigned width, bool isUnsigned);
  std::pair<int64_t, int64_t> rangeOf(unsigned width, bool isUnsigned) {
    if (isUnsigned)
      return {0, (int64_t(1) << width) - 1};
    return {-(int64_t(1) << (width - 1)), (int64_t(1) << (width - 1)) - 1};
  }
  UnitAttr unit(bool set) { return set ? b.getUnitAttr() : UnitAttr(); }
  IntegerAttr i64(int64_t value) { return b.getI64IntegerAttr(value); }

  void matmul();
  void requant();
  void add();
  void mul();
  void sum();
  void table();
  void interpolate();
  void gelu();
  void pwl();
  void polyGelu();
  void softmax();
  void shiftmaxOf(Value x);
  void shiftmax();
  void divideRows();
  void layerNorm();
  void normQuant();
  void threshold();
  int64_t firstLevel(unsigned width, bool isUnsigned, int64_t levels) {
    auto [lo, hi] = rangeOf(width, isUnsigned);
    return random.between(lo, hi - levels);
  }
  void move();
  void attention();
  void emit(Operation *op) {
    for (Value result : op->getResults())
      values.push_back(result);
  }
  template <typename OpT, typename... Args>
  void make(Args &&...args) {
    emit(OpT::create(b, loc, std::forward<Args>(args)...));
  }

  Random random;
  OpBuilder b;
  Location loc;
  Block *body = nullptr;
  SmallVector<Value> values;
};

} // namespace

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
  std::vector<char> bytes = vitq::test::randomBytes(random, countOf(shape), width);
  auto attr = DenseElementsAttr::getFromRawBuffer(tensor(shape, width), bytes);
  return arith::ConstantOp::create(b, loc, attr);
}

Value Generator::operand(ArrayRef<unsigned> widths, int64_t leastRank) {
  SmallVector<Value> fitting;
  for (Value value : values)
    if (llvm::is_contained(widths, widthOf(value)) && static_cast<int64_t>(shapeOf(value).size()) >= leastRank)
      fitting.push_back(value);
  if (!fitting.empty() && !random.oneIn(3))
    return random.pick(ArrayRef<Value>(fitting));
  return argument(shape(random.between(leastRank, std::max<int64_t>(leastRank, 4))), random.pick(widths));
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
  auto [lo, hi] = rangeOf(width, isUnsigned);
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
  const bool transposed = flip(), shared = left.size() == 2 || flip(), isUnsigned = flip();
  Shape right(shared ? ArrayRef<int64_t>() : left.drop_back(2));
  right.push_back(transposed ? n : k);
  right.push_back(transposed ? k : n);
  if (k > 197)
    return;
  Value rhs = fresh(right, 8);
  Value bias;
  if (flip()) {
    // Small, so that no accumulator overflows.
    std::vector<int32_t> small;
    for (int64_t i = 0; i < n; ++i)
      small.push_back(static_cast<int32_t>(random.between(-(1 << 28), 1 << 28)));
    bias = arith::ConstantOp::create(b, loc, DenseElementsAttr::get(tensor({n}, 32), ArrayRef<int32_t>(small)));
  }
  Shape result(left.drop_back());
  result.push_back(n);
  make<MatmulOp>(tensor(result, 32), lhs, rhs, bias, unit(isUnsigned), i64(zeroPoint(lhs, isUnsigned)),
                 unit(transposed));
}

void Generator::requant() {
  Value x = operand({8, 16, 32});
  const unsigned width = random.pick<unsigned>({8, 8, 16, 32});
  ArrayRef<int64_t> sizes = shapeOf(x);
  const int64_t axis = random.between(-1, static_cast<int64_t>(sizes.size()) - 1);
  const int64_t channels = axis < 0 ? sizes.back() : sizes[axis];
  const bool inUnsigned = widthOf(x) != 32 && flip(), outUnsigned = width != 32 && flip();
  IntegerAttr min, max;
  if (random.oneIn(3)) {
    auto [lo, hi] = rangeOf(width, outUnsigned);
    const int64_t first = random.between(lo, hi);
    min = i64(first);
    max = i64(random.between(first, hi));
  }
  make<RequantOp>(tensor(sizes, width), x, dyadic(flip() ? 1 : channels), rounding(), i64(axis), unit(inUnsigned),
                  i64(zeroPoint(x, inUnsigned)), unit(outUnsigned), i64(zeroPoint(width, outUnsigned)), min, max);
}

void Generator::add() {
  Value x = operand({8, 16, 32});
  Shape other(shapeOf(x));
  if (random.oneIn(3))
    other.erase(other.begin(), other.begin() + random.between(0, static_cast<int64_t>(other.size()) - 1));
  for (int64_t &size : other)
    if (random.oneIn(6))
      size = 1;
  Value y = fresh(other, random.pick<unsigned>({8, 16, 32}));
  const int64_t channels = shapeOf(x).back();
  const unsigned width = random.pick<unsigned>({8, 16, 32});
  const bool xu = widthOf(x) != 32 && flip(), yu = widthOf(y) != 32 && flip(), ru = width != 32 && flip();
  make<AddOp>(tensor(shapeOf(x), width), x, y, addend(channels), addend(channels), rounding(), unit(xu),
              i64(zeroPoint(x, xu)), unit(yu), i64(zeroPoint(y, yu)), unit(ru), i64(zeroPoint(width, ru)));
}

void Generator::mul() {
  Value x = operand({8, 16});
  Shape other(shapeOf(x));
  if (random.oneIn(3))
    other.erase(other.begin(), other.begin() + random.between(0, static_cast<int64_t>(other.size()) - 1));
  Value y = fresh(other, random.pick<unsigned>({8, 16}));
  const unsigned width = random.pick<unsigned>({8, 16, 32});
  // Two 16-bit operands fit 32 bits only when signed around zero.
  const bool wide = widthOf(x) == 16 && widthOf(y) == 16;
  const bool xu = !wide && flip(), yu = !wide && flip(), ru = width != 32 && flip();
  make<MulOp>(tensor(shapeOf(x), width), x, y, dyadic(1), rounding(), unit(xu), i64(wide ? 0 : zeroPoint(x, xu)),
              unit(yu), i64(wide ? 0 : zeroPoint(y, yu)), unit(ru), i64(zeroPoint(width, ru)));
}

void Generator::sum() {
  Value x = operand({8, 16});
  Shape axes, result;
  int64_t count = 1;
  const bool keep = flip(), isUnsigned = flip();
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
  make<SumOp>(tensor(result, 32), x, b.getDenseI64ArrayAttr(axes), unit(keep), unit(isUnsigned),
              i64(zeroPoint(x, isUnsigned)));
}

void Generator::table() {
  Value x = operand({8});
  const unsigned width = random.pick<unsigned>({8, 16, 32});
  Value entries, index;
  if (flip()) {
    entries = fresh({256}, width);
  } else {
    const int64_t count = random.pick<int64_t>({1, 3, 128});
    entries = fresh({count, 256}, width);
    SmallVector<int8_t> which;
    for (int64_t i = 0; i < shapeOf(x).back(); ++i)
      which.push_back(static_cast<int8_t>(random.between(0, count - 1)));
    index = arith::ConstantOp::create(b, loc,
                                      DenseElementsAttr::get(tensor({shapeOf(x).back()}, 8), ArrayRef<int8_t>(which)));
  }
  make<TableOp>(tensor(shapeOf(x), width), x, entries, index, unit(flip()));
}

void Generator::interpolate() {
  Value x = operand({16});
  const int64_t start = random.oneIn(4) ? random.pick<int64_t>({-32768, 0, 32767}) : random.between(-32768, 8000);
  make<InterpolateOp>(tensor(shapeOf(x), 16), x, fresh({1025}, 16), i64(start), i64(random.between(0, 6)),
                      dyadic(1, true));
}

void Generator::gelu() {
  Value x = operand({8});
  const unsigned width = random.pick<unsigned>({8, 16});
  const bool xu = flip(), ru = flip();
  const int64_t step = random.pick<int64_t>({-1, -2, -7, -23, -random.between(1, 65536)});
  make<GeluOp>(tensor(shapeOf(x), width), x, i64(step), i64(random.between(1, 30)), dyadic(1), rounding(), unit(xu),
               i64(zeroPoint(x, xu)), unit(ru), i64(zeroPoint(width, ru)), i64(reciprocalBits()));
}

void Generator::pwl() {
  Value x = operand({8, 16});
  const unsigned width = random.pick<unsigned>({8, 8, 16, 32});
  const bool xu = flip(), ru = width != 32 && flip();
  const int64_t zero = zeroPoint(x, xu);
  auto [lo, hi] = rangeOf(widthOf(x), xu);
  // slope * q and intercept are below 2^30 each.
  const int64_t steepest = int64_t(1) << random.between(0, widthOf(x) == 8 ? 22 : 14),
                highest = int64_t(1) << random.between(0, 30);
  SmallVector<int32_t> points, slopes, intercepts;
  for (int64_t i = random.between(2, 40); i > 0; --i) {
    slopes.push_back(static_cast<int32_t>(random.between(-steepest, steepest - 1)));
    intercepts.push_back(static_cast<int32_t>(random.between(-highest, highest - 1)));
    if (i > 1)
      points.push_back(!points.empty() && random.oneIn(4)
                           ? points.back()
                           : static_cast<int32_t>(random.between(lo - zero - 9, hi - zero + 9)));
  }
  llvm::sort(points);
  make<PwlOp>(tensor(shapeOf(x), width), x, PiecewiseLinearAttr::get(b.getContext(), points, slopes, intercepts),
              dyadic(flip() ? 1 : shapeOf(x).back()), rounding(), unit(xu), i64(zero), unit(ru),
              i64(zeroPoint(width, ru)));
}

void Generator::polyGelu() {
  Value x = operand({8, 16});
  const unsigned width = random.pick<unsigned>({8, 8, 16, 32});
  const bool xu = flip(), ru = width != 32 && flip();
  const int64_t zero = zeroPoint(x, xu);
  auto [lo, hi] = rangeOf(widthOf(x), xu);
  vitq::numerics::PolyGelu gelu;
  do
    gelu = {random.between(0, int64_t(1) << random.between(0, 12)),
            random.between(1, int64_t(1) << random.between(0, 23))};
  while (!gelu.fits(std::max(hi - zero, zero - lo)));
  make<PolyGeluOp>(tensor(shapeOf(x), width), x, i64(gelu.clip), i64(gelu.one), dyadic(flip() ? 1 : shapeOf(x).back()),
                   rounding(), unit(xu), i64(zero), unit(ru), i64(zeroPoint(width, ru)));
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
  NamedAttrList attributes;
  auto number = [&](StringRef name, int64_t value) { attributes.append(name, i64(value)); };
  const auto algorithm = random.pick({SoftmaxAlgorithm::Table, SoftmaxAlgorithm::Shift, SoftmaxAlgorithm::Pwl,
                                      SoftmaxAlgorithm::Poly, SoftmaxAlgorithm::Log2});
  SmallVector<Value> operands{x};
  const int64_t step = random.between(1, random.oneIn(4) ? 65536 : 64);
  switch (algorithm) {
  case SoftmaxAlgorithm::Table:
    operands.push_back(constant({256}, 8));
    break;
  case SoftmaxAlgorithm::Shift:
    number("exponent_step", -step);
    number("fraction_bits", random.between(1, 30));
    number("code_shift", random.between(1, 46));
    break;
  case SoftmaxAlgorithm::Pwl: {
    SmallVector<int32_t> points, slopes, intercepts;
    for (int64_t i = random.between(2, 17); i > 0; --i) {
      slopes.push_back(static_cast<int32_t>(random.between(-300, 3000)));
      intercepts.push_back(static_cast<int32_t>(random.between(-1000, 10000)));
      if (i > 1)
        points.push_back(static_cast<int32_t>(random.between(-256, 1)));
    }
    llvm::sort(points);
    attributes.append("lines", PiecewiseLinearAttr::get(b.getContext(), points, slopes, intercepts));
    number("code_shift", random.between(1, 8));
    break;
  }
  case SoftmaxAlgorithm::Poly: {
    const int64_t linear = 2 * step + random.between(0, 1000);
    number("exponent_step", -step);
    number("fraction_bits", random.between(1, 16));
    number("linear", linear);
    number("offset", step * (linear - step) + random.between(1, 10000));
    number("code_shift", random.between(1, 46));
    break;
  }
  case SoftmaxAlgorithm::Log2:
    number("top_exponent", random.between(1, 14));
    break;
  }
  attributes.append("algorithm", SoftmaxAlgorithmAttr::get(b.getContext(), algorithm));
  attributes.append("by", by);
  ArrayRef<int64_t> sizes = shapeOf(x);
  const unsigned width = algorithm == SoftmaxAlgorithm::Log2 ? 16 : 8;
  return SoftmaxOp::create(b, loc, TypeRange{tensor(sizes, width), tensor(sizes.drop_back(), 32)}, operands,
                           attributes.getAttrs());
}

void Generator::softmax() {
  Value x = operand({32});
  ArrayRef<int64_t> sizes = shapeOf(x);
  emit(anySoftmax(x, dyadic(sizes.size() >= 3 && flip() ? sizes[1] : 1, true)));
}

void Generator::shiftmaxOf(Value x) {
  const unsigned width = random.pick<unsigned>({8, 16});
  const int64_t step = random.pick<int64_t>({-1, -20, -random.between(1, 1000), -random.between(1, 1 << 30)});
  make<ShiftmaxOp>(tensor(shapeOf(x), width), x, i64(step), i64(random.between(1, 30)), i64(reciprocalBits()),
                   i64(width));
}
void Generator::shiftmax() { shiftmaxOf(operand({8, 32})); }

void Generator::divideRows() {
  Value x = operand({32});
  ArrayRef<int64_t> sizes = shapeOf(x);
  const unsigned width = random.pick<unsigned>({8, 8, 16, 32});
  const bool ru = width != 32 && flip();
  const int64_t axis = random.between(-1, static_cast<int64_t>(sizes.size()) - 1);
  const int64_t channels = axis < 0 ? sizes.back() : sizes[axis];
  make<DivideRowsOp>(tensor(sizes, width), x, fresh(sizes.drop_back(), 32), dyadic(flip() ? 1 : channels), rounding(),
                     i64(axis), unit(ru), i64(zeroPoint(width, ru)),
                     random.oneIn(3) ? reciprocalLines() : PiecewiseLinearAttr());
}

void Generator::layerNorm() {
  Value x = operand({8, 16});
  const int64_t channels = shapeOf(x).back();
  if (channels > 2048)
    return;
  const bool exact = flip(), pwl = exact && flip(), ru = flip();
  const unsigned width = random.pick<unsigned>({8, 16});
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
  make<LayerNormOp>(tensor(shapeOf(x), width), x,
                    NormAlgorithmAttr::get(b.getContext(), pwl     ? NormAlgorithm::Pwl
                                                           : exact ? NormAlgorithm::Exact
                                                                   : NormAlgorithm::Shift),
                    by, b.getDenseI64ArrayAttr(offsets), postOffsets,
                    i64(random.between(1, int64_t(1) << random.between(0, 50))), unit(flip()), unit(ru),
                    i64(zeroPoint(width, ru)), exact ? RoundingAttr::get(b.getContext(), Rounding::HalfUp) : rounding(),
                    pwl ? inverseRootLines() : PiecewiseLinearAttr());
}

void Generator::normQuant() {
  Value x = operand({8, 16});
  const int64_t channels = shapeOf(x).back(), levels = random.between(1, 15);
  if (channels > 2048)
    return;
  const bool ru = flip();
  const unsigned width = random.pick<unsigned>({8, 16});
  // Squares up to 2^2 where most values are, and any.
  SmallVector<int32_t> squares;
  for (int64_t i = 0; i < levels * channels; ++i)
    squares.push_back(static_cast<int32_t>(random.oneIn(4) ? random.between(-INT32_MAX, INT32_MAX)
                                                           : random.between(-(1 << 22), 1 << 22)));
  Value thresholds = arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(tensor({levels, channels}, 32), ArrayRef<int32_t>(squares)));
  SmallVector<bool> negative;
  for (int64_t c = 0; c < channels; ++c)
    negative.push_back(flip());
  make<NormQuantOp>(tensor(shapeOf(x), width), x, thresholds, b.getDenseBoolArrayAttr(negative),
                    i64(random.between(1, int64_t(1) << random.between(0, 50))), i64(firstLevel(width, ru, levels)),
                    unit(flip()), unit(ru));
}

void Generator::threshold() {
  Value x = operand({8, 16, 32});
  const int64_t levels = random.between(1, 15), channels = shapeOf(x).back();
  const bool ru = flip(), xu = widthOf(x) != 32 && flip();
  const unsigned width = random.pick<unsigned>({8, 8, 16});
  Value thresholds = flip() ? fresh({levels}, 32) : fresh({levels, channels}, 32);
  make<ThresholdOp>(tensor(shapeOf(x), width), x, thresholds, i64(firstLevel(width, ru, levels)), unit(xu), unit(ru));
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
                       i64(random.between(-128, 255)));
  }
  default: {
    const int64_t height = random.between(1, 4), breadth = random.between(1, 4), channels = random.between(1, 3);
    const int64_t rows = random.between(1, 5), columns = random.between(1, 5);
    Value image = argument({2, rows * height, columns * breadth, channels}, 8);
    return make<ExtractPatchesOp>(tensor({2, rows * columns, height * breadth * channels}, 8), image,
                                  b.getDenseI64ArrayAttr({height, breadth}));
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
  const bool isUnsigned = flip();
  Value lhs = argument({1, heads, rows, depth}, random.pick<unsigned>({8, 8, 16}));
  Value rhs = fresh({1, heads, columns, depth}, 8);
  auto type = tensor({1, heads, rows, columns}, 32);
  Value acc =
      MatmulOp::create(b, loc, type, lhs, rhs, Value(), unit(isUnsigned), i64(zeroPoint(lhs, isUnsigned)), unit(true));
  const int kind = random.between(0, 5);
  if (kind == 5) {
    const int64_t levels = random.between(1, 15);
    make<ThresholdOp>(tensor(type.getShape(), 8), acc, flip() ? constant({levels}, 32) : fresh({levels, columns}, 32),
                      i64(0), unit(false), unit(true));
  } else if (kind == 0) {
    SoftmaxOp softmax = anySoftmax(acc, dyadic(flip() ? heads : 1, true));
    if (flip())
      return emit(softmax);
    // The whole attention: at most 2^14 * 2^7 * 197 in a sum.
    const int64_t n = random.pick<int64_t>({3, 16, 64});
    auto context = tensor({1, heads, rows, n}, 32);
    Value product = MatmulOp::create(b, loc, context, softmax.getCodes(), fresh({1, heads, columns, n}, 8), Value(),
                                     unit(!softmax.getTopExponent()), i64(0), unit(false));
    make<DivideRowsOp>(tensor(context.getShape(), 8), product, softmax.getSums(), dyadic(1), rounding(), i64(-1),
                       unit(false), i64(zeroPoint(8, false)), flip() ? reciprocalLines() : PiecewiseLinearAttr());
  } else if (kind == 1) {
    make<RequantOp>(tensor(type.getShape(), 8), acc, dyadic(flip() ? 1 : columns), rounding(), i64(-1), unit(false),
                    i64(0), unit(true), i64(zeroPoint(8, true)), IntegerAttr(), IntegerAttr());
  } else if (kind == 2) {
    const unsigned width = random.pick<unsigned>({16, 32});
    Value residual = argument(type.getShape(), width);
    if (width == 32 && flip())
      residual = MatmulOp::create(b, loc, type, lhs, fresh({1, heads, columns, depth}, 8), Value(), unit(isUnsigned),
                                  i64(zeroPoint(lhs, isUnsigned)), unit(true));
    const bool first = flip();
    make<AddOp>(tensor(type.getShape(), width), first ? acc : residual, first ? residual : acc, addend(columns),
                addend(columns), rounding(), unit(false), i64(0), unit(false), i64(0), unit(false),
                i64(zeroPoint(width, false)));
  } else if (kind == 3) {
    shiftmaxOf(acc);
  } else {
    make<DivideRowsOp>(tensor(type.getShape(), 8), acc, argument(type.getShape().drop_back(), 32),
                       dyadic(flip() ? 1 : heads), rounding(), i64(1), unit(false), i64(zeroPoint(8, false)),
                       random.oneIn(3) ? reciprocalLines() : PiecewiseLinearAttr());
  }
}

OwningOpRef<ModuleOp> Generator::run() {
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  b.setInsertionPointToEnd(module->getBody());
  auto main = func::FuncOp::create(b, loc, "main", b.getFunctionType({}, {}));
  body = main.addEntryBlock();
  b.setInsertionPointToEnd(body);
  using Maker = void (Generator::*)();
  const Maker makers[] = {&Generator::matmul,    &Generator::matmul,     &Generator::requant,   &Generator::add,
                          &Generator::mul,       &Generator::sum,        &Generator::table,     &Generator::interpolate,
                          &Generator::gelu,      &Generator::pwl,        &Generator::polyGelu,  &Generator::softmax,
                          &Generator::shiftmax,  &Generator::divideRows, &Generator::layerNorm, &Generator::normQuant,
                          &Generator::threshold, &Generator::move,       &Generator::move,      &Generator::move,
                          &Generator::attention, &Generator::attention};
  const size_t wanted = random.between(1, 8);
  while (values.size() < wanted)
    (this->*random.pick(ArrayRef<Maker>(makers)))();
  SmallVector<Value> results;
  for (Value value : values)
    if (value.use_empty() || random.oneIn(8))
      results.push_back(value);
  func::ReturnOp::create(b, loc, results);
  main.setFunctionType(b.getFunctionType(body->getArgumentTypes(), ValueRange(results).getTypes()));
  return module;
}

OwningOpRef<ModuleOp> vitq::test::randomModule(MLIRContext &context, uint64_t seed) {
  return Generator(context, seed).run();
}
