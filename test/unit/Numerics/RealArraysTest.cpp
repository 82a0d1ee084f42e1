//===- RealArraysTest.cpp - Activations over arrays of reals -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/RealArrays.h"
#include "vitq/Numerics/RealFunctions.h"

#include "gtest/gtest.h"

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

using namespace vitq::numerics;

namespace {

struct Function {
  const char *name;
  void (*array)(const float *, float *, int64_t);
  double (*real)(double);
};
constexpr Function kFunctions[] = {
    {"exp", expReals, expReal},
    {"sigmoid", sigmoidReals, sigmoidReal},
    {"silu", siluReals, siluReal},
    {"gelu erf", geluErfReals, geluErfReal},
    {"gelu tanh", geluTanhReals, geluTanhReal},
    {"gelu quick", geluQuickReals, geluQuickReal},
};

/// Floats between a and b; 0 for equal ones, and for two NaN.
int64_t distance(float a, float b) {
  auto place = [](float x) {
    const auto bits = std::bit_cast<int32_t>(x);
    return bits < 0 ? -int64_t(bits & INT32_MAX) : int64_t(bits);
  };
  return std::isnan(a) && std::isnan(b) ? 0 : std::abs(place(a) - place(b));
}

/// Floats of every exponent and sign, infinities and NaN.
std::vector<float> manyFloats() {
  std::vector<float> values;
  for (uint64_t bits = 0; bits <= UINT32_MAX; bits += 32749)
    values.push_back(std::bit_cast<float>(static_cast<uint32_t>(bits)));
  return values;
}

TEST(RealArrays, AreRoundedOnce) {
  const std::vector<float> x = manyFloats();
  std::vector<float> y(x.size());
  for (const Function &function : kFunctions) {
    function.array(x.data(), y.data(), static_cast<int64_t>(x.size()));
    int64_t other = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      // x * f(x) is no number at an infinity where f is 0.
      if (std::isinf(x[i]))
        continue;
      const int64_t apart = distance(y[i], static_cast<float>(function.real(x[i])));
      ASSERT_LE(apart, 1) << function.name << " of " << x[i];
      // Below the normal floats, halves of their steps are ties.
      other += apart != 0 && std::fabs(y[i]) >= std::numeric_limits<float>::min();
    }
    EXPECT_LE(other, 2) << function.name;
  }
}

TEST(RealArrays, LengthsAndPlaces) {
  std::vector<float> x(700);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = static_cast<float>(i) * 0.02f - 7.0f;
  for (const Function &function : kFunctions) {
    std::vector<float> whole(x.size());
    function.array(x.data(), whole.data(), static_cast<int64_t>(x.size()));
    // The same one by one, in place.
    std::vector<float> apart = x;
    for (float &value : apart)
      function.array(&value, &value, 1);
    EXPECT_EQ(apart, whole) << function.name;
    // Nothing is written behind the end.
    std::vector<float> few(20, -1.0f);
    function.array(x.data(), few.data(), 19);
    EXPECT_EQ(few.back(), -1.0f);
    function.array(x.data(), nullptr, 0);
  }
}

TEST(RealArrays, Tails) {
  const float infinity = std::numeric_limits<float>::infinity();
  std::vector<float> x = {-infinity, -800, -104, 88.8f, infinity}, y(5);
  expReals(x.data(), y.data(), 5);
  EXPECT_EQ(y, (std::vector<float>{0, 0, 0, infinity, infinity}));
  sigmoidReals(x.data(), y.data(), 5);
  EXPECT_EQ(y[0], 0);
  EXPECT_EQ(y[4], 1);
  geluErfReals(x.data(), y.data(), 5);
  EXPECT_EQ(y[1], 0);
  EXPECT_EQ(y[3], 88.8f);
  EXPECT_EQ(y[4], infinity);
}

TEST(RealArrays, Maximum) {
  for (int64_t n : {1, 2, 15, 16, 17, 33, 100})
    for (int64_t at = 0; at < n; ++at) {
      std::vector<float> x(static_cast<size_t>(n), -5.0f);
      x[static_cast<size_t>(at)] = -1.0f;
      ASSERT_EQ(maxReal(x.data(), n), -1.0f) << at << " of " << n;
    }
}

} // namespace
