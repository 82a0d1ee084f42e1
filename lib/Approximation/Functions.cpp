//===- Functions.cpp - The functions that can be fitted by name -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Approximation/Functions.h"

#include "vitq/Numerics/Quantize.h"
#include "vitq/Numerics/RealFunctions.h"
#include "vitq/Support/NearestNames.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

using namespace vitq;
using namespace vitq::approximation;
using namespace vitq::numerics;

llvm::ArrayRef<FunctionInfo> approximation::functions() {
  constexpr double inf = std::numeric_limits<double>::infinity();
  // name, title, function, range, inputs, first breakpoints, outer ends, rounding
  // mutation (fractional bits from), signed, lambda
  static const FunctionInfo table[] = {
      {"gelu", "GELU", geluErfReal, -4, 4, -inf, inf, -4, 4, -4, -1e4, 1e4, true, 2, 0, true, 6},
      {"gelu-tanh", "GELU (tanh)", geluTanhReal, -4, 4, -inf, inf, -4, 4, -4, -1e4, 1e4, true, 2, 0, true, 6},
      {"gelu-quick", "GELU (quick)", geluQuickReal, -4, 4, -inf, inf, -4, 4, -4, -1e4, 1e4, true, 2, 0, true, 6},
      {"hardswish", "HSWISH", hardSwishReal, -4, 4, -inf, inf, -4, 4, -4, -1e4, 1e4, true, 0, 2, true, 6},
      {"silu", "SiLU", siluReal, -8, 8, -inf, inf, -8, 8, -8, -1e4, 1e4, true, 0, 0, true, 6},
      {"sigmoid", "Sigmoid", sigmoidReal, -8, 8, -inf, inf, -8, 8, -8, -1e4, 1e4, true, 0, 0, true, 6},
      {"tanh", "Tanh", tanhReal, -4, 4, -inf, inf, -4, 4, -4, -1e4, 1e4, true, 0, 0, true, 6},
      {"exp", "EXP", expReal, -8, 0, -inf, 0, -8, 0, -6.5, -16, 0, true, 0, 0, true, 6},
      {"reciprocal", "DIV", reciprocalReal, 0.5, 4, 0.5, 4, 0.625, 3.875, 0.625, 0.5, 4, false, 0, 0, false, 5},
      {"rsqrt", "RSQRT", rsqrtReal, 0.25, 4, 0.25, 4, 0.25, 3.875, 0.25, 0.25, 4, false, 0, 0, false, 5},
      {"softplus", "Softplus", softplusReal, -8, 8, -inf, inf, -8, 8, -8, -1e4, 1e4, true, 0, 0, true, 6},
  };
  return table;
}

llvm::Expected<const FunctionInfo *> approximation::findFunction(llvm::StringRef name) {
  for (const FunctionInfo &info : functions())
    if (name.equals_insensitive(info.name) || name.equals_insensitive(info.title))
      return &info;
  llvm::SmallVector<llvm::StringRef> names;
  for (const FunctionInfo &info : functions())
    names.push_back(info.name);
  return llvm::createStringError("'" + name + "' is none of " +
                                 llvm::join(nearestNames(name, names, names.size()), ", "));
}

FunctionInfo::Codes FunctionInfo::codesWithin(double low, double high, double scale, unsigned bits, bool isSigned) {
  const Interval all = codeRange(static_cast<int>(bits), isSigned);
  // A bound that a scale like 0.1 misses by rounding is still met.
  constexpr double slack = 1e-9;
  const double first = std::ceil(low / scale - slack), last = std::floor(high / scale + slack);
  if (!(first <= static_cast<double>(all.max)) || !(last >= static_cast<double>(all.min)) || first > last)
    return {0, -1};
  return {std::max(all.min, static_cast<int64_t>(std::max(first, static_cast<double>(all.min)))),
          std::min(all.max, static_cast<int64_t>(std::min(last, static_cast<double>(all.max))))};
}

double FunctionInfo::scaleFor(double low, double high, unsigned bits, bool isSigned) {
  const double extent = std::max(std::fabs(low), std::fabs(high));
  const int codeBits = static_cast<int>(bits) - (isSigned ? 1 : 0);
  // An unsigned input keeps one bit to spare, so that the upper end is a code too.
  return std::exp2(std::nearbyint(std::log2(extent)) - codeBits + (isSigned ? 0 : 1));
}
