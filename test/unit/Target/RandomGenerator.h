//===- RandomGenerator.h - Makes random modules, op by op -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TEST_UNIT_TARGET_RANDOMGENERATOR_H
#define VITQ_TEST_UNIT_TARGET_RANDOMGENERATOR_H

#include "RandomModule.h"

#include "dialects/vitq/Vitq.h"
#include "mlir/IR/Builders.h"

namespace vitq::test {

using namespace mlir;
using namespace vitq::integer;
using Shape = SmallVector<int64_t>;

/// Nonlinear functions are in RandomNonlinear.cpp, attentions in RandomAttention.cpp, the rest in
/// RandomModule.cpp.
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
  Value strided(ArrayRef<int64_t> shape);
  Value masked(Value scores);
  void wholeAttention();
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

} // namespace vitq::test

#endif // VITQ_TEST_UNIT_TARGET_RANDOMGENERATOR_H
