//===- Sums.h - What is kept of two values while images pass -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_COMPARISON_SUMS_H
#define VITQ_LIB_COMPARISON_SUMS_H

#include "vitq/Comparison/Comparison.h"

#include <limits>
#include <map>

namespace vitq::comparison {

/// Power of a signal and of the noise on it.
struct Power {
  double signal = 0, noise = 0;

  void add(const Power &other) {
    signal += other.signal;
    noise += other.noise;
  }
  /// Of the first `count` elements of two float tensors.
  void add(const Tensor &reference, const Tensor &program, int64_t count);
  /// None when either is zero or no number.
  std::optional<double> decibels() const;
};

/// Sums over the elements of one value. They are added in the order of the
/// images, so that rounding does not depend on the threads.
struct Sums {
  Power power, added;
  double maxError = 0;
  double referenceMin = std::numeric_limits<double>::infinity(), referenceMax = -referenceMin;
  double min = referenceMin, max = referenceMax;
  int64_t elements = 0, saturated = 0;
  /// Noise power by index of the last axis.
  std::vector<double> channelNoise;

  /// Adds the first `count` elements. `codes` are those of `program`, which is
  /// in reals; null for floats.
  void add(const Tensor &reference, const Tensor &program, const UniformParameters *codes, int64_t count);
  void add(const Sums &other);
};

/// A function at the arguments that were seen first.
class Curve {
public:
  /// Of tensors of F32, equally many elements each.
  void add(const Tensor &arguments, const Tensor &exact, const Tensor &computed);
  void add(const Curve &other) { seen.insert(other.seen.begin(), other.seen.end()); }
  /// Ascending, evenly thinned.
  std::vector<CurvePoint> points() const;

private:
  std::map<float, CurvePoint> seen;
};

/// The reals of a counterpart as F32, of the tensors of its program op.
Tensor realsOf(const Counterpart &pair, llvm::ArrayRef<Tensor> results);

/// `codes` as F32 reals; of a float tensor, itself as F32.
Tensor dequantize(const Tensor &codes, const std::optional<UniformParameters> &parameters);

/// `value` as softmax sees it where `pair` has masked scores, otherwise itself: no
/// lower than its reach below the row's maximum; 0 in rows that `reference` has masked
/// altogether.
Tensor seen(const Counterpart &pair, const Tensor &value, const Tensor &reference);

/// a - b and a + b, F32.
Tensor subtract(const Tensor &a, const Tensor &b);
Tensor add(const Tensor &a, const Tensor &b);

/// Calls `fn(i, value)` with every element, as int64_t or double.
template <typename Fn>
void forEachElement(const Tensor &tensor, bool isSigned, Fn fn) {
  auto walk = [&](auto zero, auto wide) {
    using T = decltype(zero);
    const T *data = tensor.data<T>();
    for (int64_t i = 0, e = tensor.numElements(); i < e; ++i)
      fn(i, static_cast<decltype(wide)>(data[i]));
  };
  switch (tensor.kind()) {
  case ElementKind::F32:
    return walk(float(), double());
  case ElementKind::F64:
    return walk(double(), double());
  case ElementKind::I1:
  case ElementKind::I8:
    return isSigned ? walk(int8_t(), int64_t()) : walk(uint8_t(), int64_t());
  case ElementKind::I16:
    return isSigned ? walk(int16_t(), int64_t()) : walk(uint16_t(), int64_t());
  case ElementKind::I32:
    return walk(int32_t(), int64_t());
  case ElementKind::I64:
    return walk(int64_t(), int64_t());
  }
}

} // namespace vitq::comparison

#endif // VITQ_LIB_COMPARISON_SUMS_H
