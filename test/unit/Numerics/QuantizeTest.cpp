//===- QuantizeTest.cpp - Reals to codes, choice of scales ----------------===//

#include "vitq/Numerics/Quantize.h"

#include "gtest/gtest.h"

#include <cmath>

using namespace vitq::numerics;

namespace {

TEST(QuantizeReal, Rounding) {
  const auto q = [](double x, Rounding r) { return quantizeReal(x, 1.0, 0, -100, 100, r); };
  EXPECT_EQ(q(2.5, Rounding::HalfUp), 3);
  EXPECT_EQ(q(2.5, Rounding::HalfEven), 2);
  EXPECT_EQ(q(3.5, Rounding::HalfEven), 4);
  EXPECT_EQ(q(2.5, Rounding::HalfAway), 3);
  EXPECT_EQ(q(2.5, Rounding::Floor), 2);
  EXPECT_EQ(q(-2.5, Rounding::HalfUp), -2);
  EXPECT_EQ(q(-2.5, Rounding::HalfEven), -2);
  EXPECT_EQ(q(-1.5, Rounding::HalfEven), -2);
  EXPECT_EQ(q(-2.5, Rounding::HalfAway), -3);
  EXPECT_EQ(q(-2.5, Rounding::Floor), -3);
  // floor(x + 0.5) would give 1.
  EXPECT_EQ(q(0.49999999999999994, Rounding::HalfUp), 0);
}

TEST(QuantizeReal, SaturatesBeforeNarrowing) {
  const double inf = std::numeric_limits<double>::infinity();
  for (double huge : {inf, 1e300, 0x1p63, 1e10}) {
    EXPECT_EQ(quantizeReal(huge, 1.0, 7, -128, 127), 127);
    EXPECT_EQ(quantizeReal(-huge, 1.0, 7, -128, 127), -128);
  }
  EXPECT_EQ(quantizeReal(1.0, 5e-324, 7, 0, 255), 255);
  EXPECT_EQ(quantizeReal(std::nan(""), 0.1, 7, 0, 255), 7);
  EXPECT_EQ(quantizeReal(std::nan(""), 0.1, 300, 0, 255), 255);
  EXPECT_EQ(quantizeReal(0.26, 0.1, 7, 0, 255), 10);
}

TEST(Scale, Symmetric) {
  EXPECT_DOUBLE_EQ(symmetricScale(12.7, 8), 0.1);
  EXPECT_DOUBLE_EQ(symmetricScale(32767.0, 16, 1.1), 1.1);
  EXPECT_EQ(symmetricScale(0.0, 8), 1.0);
  EXPECT_EQ(symmetricScale(1e-200, 8), kTinyRange / 127);
  EXPECT_EQ(quantizeReal(-12.7, symmetricScale(12.7, 8), 0, -128, 127), -127);
}

TEST(Scale, AsymmetricCoversZeroAndBothEnds) {
  for (bool isSigned : {false, true})
    for (int bits : {4, 8, 16})
      for (auto [low, high] :
           {std::pair{-1.0, 3.0}, {-0.17, 8.3}, {2.0, 5.0}, {-5.0, -2.0}, {-3.0, 0.0}, {0.0, 1e-3}}) {
        const ScaleZeroPoint q = asymmetricScale(low, high, bits, isSigned);
        const Interval codes = codeRange(bits, isSigned);
        EXPECT_GE(q.zeroPoint, codes.min);
        EXPECT_LE(q.zeroPoint, codes.max);
        EXPECT_EQ(quantizeReal(0.0, q.scale, q.zeroPoint, codes.min, codes.max), q.zeroPoint);
        for (double x : {low, high, 0.3 * low + 0.7 * high}) {
          const int64_t code = quantizeReal(x, q.scale, q.zeroPoint, codes.min, codes.max);
          EXPECT_LE(std::abs(dequantize(code, q.scale, q.zeroPoint) - x), 0.5000001 * q.scale);
        }
      }
  EXPECT_EQ(asymmetricScale(0, 0, 8).scale, 1.0);
  EXPECT_EQ(asymmetricScale(0, 0, 8, true).zeroPoint, 0);
  EXPECT_DOUBLE_EQ(asymmetricScale(-1, 1.55, 8, false, 2.0).scale, 0.02);
}

TEST(Scale, CodeRanges) {
  EXPECT_EQ(codeRange(8, true), (Interval{-128, 127}));
  EXPECT_EQ(codeRange(8, false), (Interval{0, 255}));
  EXPECT_EQ(codeRange(32, true), (Interval{INT32_MIN, INT32_MAX}));
}

} // namespace
