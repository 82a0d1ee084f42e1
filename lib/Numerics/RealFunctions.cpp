//===- RealFunctions.cpp - Activations over the reals -===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/RealFunctions.h"

#include <algorithm>
#include <cmath>

using namespace vitq;

double numerics::reluReal(double x) { return std::max(x, 0.0); }

double numerics::sigmoidReal(double x) {
  if (x >= 0.0)
    return 1.0 / (1.0 + std::exp(-x));
  const double e = std::exp(x);
  return e / (1.0 + e);
}

double numerics::tanhReal(double x) { return std::tanh(x); }

double numerics::geluErfReal(double x) {
  // erfc keeps the relative accuracy of the negative tail.
  return 0.5 * x * std::erfc(-x * 0.70710678118654752440);
}

double numerics::geluTanhReal(double x) {
  // 1 + tanh(u) = 2 sigmoid(2u), which keeps the relative accuracy of the negative tail.
  const double inner = 0.79788456080286535588 * (x + 0.044715 * x * x * x);
  return x * sigmoidReal(2.0 * inner);
}

double numerics::geluQuickReal(double x) { return x * sigmoidReal(1.702 * x); }

double numerics::siluReal(double x) { return x * sigmoidReal(x); }

double numerics::mishReal(double x) { return x * std::tanh(softplusReal(x)); }

double numerics::hardSwishReal(double x) { return x * std::clamp(x + 3.0, 0.0, 6.0) / 6.0; }

double numerics::expReal(double x) { return std::exp(x); }

double numerics::reciprocalReal(double x) { return 1.0 / x; }

double numerics::rsqrtReal(double x) { return 1.0 / std::sqrt(x); }

double numerics::softplusReal(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }
