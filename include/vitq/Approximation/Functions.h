//===- Functions.h - The functions that can be fitted by name ---*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_APPROXIMATION_FUNCTIONS_H
#define VITQ_APPROXIMATION_FUNCTIONS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace vitq::approximation {

/// A function with the settings it is fitted with unless the caller says otherwise.
/// Those of gelu, hardswish, exp, reciprocal and rsqrt are GQA-LUT's.
struct FunctionInfo {
  llvm::StringLiteral name;
  /// How papers call it: GELU, HSWISH, EXP, DIV, RSQRT ...
  llvm::StringLiteral title;
  double (*evaluate)(double);
  /// Where it is fitted: both ends included.
  double lower, upper;
  /// Inputs may lie as far out as this; beyond [lower, upper] a table only has to stay
  /// sensible. The two are equal where a power of two brings every input into the
  /// range (vitq/Numerics/RangeScaling.h).
  double inputLower, inputUpper;
  /// Range of the first breakpoints of the genetic search; the lower end with 16
  /// entries or more.
  double initialLower, initialUpper, initialLowerMany;
  /// Where the first and the last secant end.
  double outerLower, outerUpper;
  /// Whether rounding is one of the mutations, and with how many fractional bits it
  /// begins for up to 8 entries and for more.
  bool roundingMutation;
  unsigned roundingFew, roundingMany;
  /// Whether its codes are signed.
  bool isSigned;
  /// The lambda with which its lines fit 8 bits.
  unsigned fractionBits;

  /// Codes of an input of `bits` bits and step `scale` within [low, high]; first > last
  /// if there is none.
  struct Codes {
    int64_t first, last;
  };
  static Codes codesWithin(double low, double high, double scale, unsigned bits, bool isSigned);

  /// The power of two with which [low, high] about fills a code of `bits` bits.
  static double scaleFor(double low, double high, unsigned bits, bool isSigned);
  /// That of the function's range and sign.
  double defaultScale(unsigned bits) const { return scaleFor(lower, upper, bits, isSigned); }
};

llvm::ArrayRef<FunctionInfo> functions();

/// By name or title, in any case. An error lists the names, the nearest first.
llvm::Expected<const FunctionInfo *> findFunction(llvm::StringRef name);

} // namespace vitq::approximation

#endif // VITQ_APPROXIMATION_FUNCTIONS_H
