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

/// Nonlinear functions are in RandomNonlinear.cpp, attentions in RandomAttention.cpp, convolutions in
/// RandomConvolution.cpp, the rest in RandomModule.cpp.
class Generator {
public:
  Generator(MLIRContext &context, uint64_t seed) : random(seed), b(&context), loc(b.getUnknownLoc()) {}

  OwningOpRef<ModuleOp> run();
  /// Nothing but convolutions and windows on maps.
  OwningOpRef<ModuleOp> runConvolutions();

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

  /// What stands for 8 in a list of widths: 8, or now and then a narrower one.
  unsigned narrow() { return random.oneIn(3) ? static_cast<unsigned>(random.between(2, 7)) : 8; }
  unsigned pickWidth(ArrayRef<unsigned> widths) {
    const unsigned width = random.pick(widths);
    return width == 8 ? narrow() : width;
  }

  Shape shape(int64_t rank);
  Value argument(ArrayRef<int64_t> shape, unsigned width);
  Value constant(ArrayRef<int64_t> shape, unsigned width);
  /// A value of one of these widths (8: 2 to 8) and at least this rank, new or old.
  Value operand(ArrayRef<unsigned> widths, int64_t leastRank = 1);
  /// One of this very type: a constant or a new argument, which has 8 bits or more.
  Value fresh(ArrayRef<int64_t> shape, unsigned width) {
    return width < 8 || random.oneIn(2) ? constant(shape, width) : argument(shape, width);
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
  CodeAttr code(bool isUnsigned, int64_t zero) { return CodeAttr::get(b.getContext(), isUnsigned, zero); }
  int64_t zeroPoint(unsigned width, bool isUnsigned);
  /// Anything that codes of this width may be; signed around 0 with 32 bits.
  CodeAttr write(unsigned width);
  /// Anything that `value` may be read as: narrow codes as they were written.
  CodeAttr read(Value value);
  static vitq::numerics::Code codeOf(unsigned width, CodeAttr code) {
    return {width, code.isUnsigned(), code.getZero()};
  }
  UnitAttr unit(bool set) { return set ? b.getUnitAttr() : UnitAttr(); }
  IntegerAttr i64(int64_t value) { return b.getI64IntegerAttr(value); }

  using Maker = void (Generator::*)();
  OwningOpRef<ModuleOp> runAny(ArrayRef<Maker> makers, size_t wanted);

  void matmul();
  /// Windows on a map [B, H, W, C] that fit it: size, strides, pads, dilations; and the rows and columns of results.
  struct AnyWindows {
    Shape size, strides, pads, dilations, results;
  };
  AnyWindows windowsOn(ArrayRef<int64_t> map);
  /// Of 8 bits or fewer; if `wide` now and then of 16.
  Value anyMap(bool wide = false);
  /// A bias of so many channels that no sum of a few thousand products makes overflow.
  Value smallBias(int64_t channels);
  void patches();
  void convolution();
  void depthwise();
  void requant();
  void add();
  void mul();
  void sum();
  void hadamard();
  void spread();
  void maxPool();
  void resample();
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
  int64_t anyLevels(unsigned width) { return random.between(1, std::min<int64_t>(15, (int64_t(1) << width) - 1)); }
  int64_t firstLevel(vitq::numerics::Code code, int64_t levels) {
    return random.between(code.min(), code.max() - levels);
  }
  void move();
  void attention();
  Value strided(ArrayRef<int64_t> shape);
  Value masked(Value scores);
  void wholeAttention();
  void emit(Operation *op) {
    for (Value result : op->getResults()) {
      values.push_back(result);
      noteSign(result);
    }
  }
  /// How the narrow codes of an op's result are held.
  void noteSign(Value result);
  template <typename OpT, typename... Args>
  void make(Args &&...args) {
    emit(OpT::create(b, loc, std::forward<Args>(args)...));
  }

  Random random;
  OpBuilder b;
  Location loc;
  Block *body = nullptr;
  SmallVector<Value> values;
  DenseMap<Value, bool> isUnsigned;
};

} // namespace vitq::test

#endif // VITQ_TEST_UNIT_TARGET_RANDOMGENERATOR_H
