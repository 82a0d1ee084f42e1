//===- ExactIntegers.h - Integers in ONNX graphs of floats -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Runtimes agree on little but the arithmetic of f32: OpenVINO's CPU plugin computes with 32
// bits whatever the model says, integers of 64 bits among them. A float of 32 bits is an exact
// integer up to 2^24, and its sums, products and floors are exact as long as they stay below.
// So integers are numbers of digits in base 2^11: products of digits have 22 bits, and three of
// them with a carry are summed exactly.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_TARGET_ONNX_EXACTINTEGERS_H
#define VITQ_LIB_TARGET_ONNX_EXACTINTEGERS_H

#include "OnnxWriter.h"

#include "vitq/Numerics/Requantize.h"

#include "llvm/ADT/APInt.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <map>
#include <optional>

namespace vitq::onnxwriter {

/// A tensor of f32 whose elements are integers from lo to hi.
struct Digit {
  std::string name;
  int64_t lo = 0, hi = 0;

  bool isZero() const { return lo == 0 && hi == 0; }
};

/// sum_i digits[i] * 2^(11 i). Of several digits all but the last are in 0..2^11 - 1, and the last one
/// is in -2^11..2^11 - 1.
using Integers = llvm::SmallVector<Digit, 4>;

/// sum_i 2^(11 i) * sum of columns[i].
using Columns = llvm::SmallVector<llvm::SmallVector<Digit, 4>, 4>;

/// Integers that the compiler knows: one, or as many as `shape` has elements.
struct KnownIntegers {
  llvm::SmallVector<int64_t> shape;
  llvm::SmallVector<llvm::APInt> values; ///< of kKnownBits bits, signed

  static constexpr unsigned kKnownBits = 192;
  static llvm::APInt of(int64_t value) { return llvm::APInt(kKnownBits, static_cast<uint64_t>(value), true); }
  KnownIntegers() = default;
  explicit KnownIntegers(int64_t value) : values{of(value)} {}
};

/// Dyadic factors of a tensor, one or one for each index of the axis that `shape` has.
struct Factors {
  llvm::SmallVector<int64_t> shape;
  llvm::SmallVector<numerics::Dyadic> all;
};

class Arithmetic {
public:
  explicit Arithmetic(Writer &writer) : writer(writer) {}

  /// What the nodes that follow are called.
  void setName(std::string name) { prefix = std::move(name); }
  const std::string &name() const { return prefix; }
  /// Whether everything since the last call stayed below 2^24.
  bool takeFits() { return std::exchange(fits, true); }

  std::string node(llvm::StringRef type, llvm::ArrayRef<std::string> inputs,
                   llvm::ArrayRef<Attribute> attributes = {}) {
    return writer.node(type, inputs, prefix, attributes);
  }
  std::string scalar(double value);
  std::string ints(llvm::ArrayRef<int64_t> values) {
    return writer.constant(prefix + "_i", Tensor::of<int64_t>({static_cast<int64_t>(values.size())}, values));
  }
  std::string floats(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<float> values) {
    return writer.constant(prefix + "_c", Tensor::of<float>(shape, values));
  }

  // Digits.
  Digit add(const Digit &a, const Digit &b);
  Digit multiply(const Digit &a, const Digit &b);
  Digit scaled(const Digit &a, int64_t factor);
  Digit shifted(const Digit &a, int64_t offset);
  Digit clamped(const Digit &a, int64_t lo, int64_t hi);
  /// floor(a / 2^bits)
  Digit floorShift(const Digit &a, unsigned bits);
  /// What `upper` = floorShift(a, bits) leaves: 0..2^bits - 1.
  Digit remainder(const Digit &a, const Digit &upper, unsigned bits);

  // Numbers.
  Integers split(const Digit &a);
  Integers known(const KnownIntegers &constant);
  Integers normalized(const Columns &columns);
  Columns product(const Integers &a, const Integers &b);
  static Columns columns(const Integers &a);
  void addTo(Columns &sum, const Integers &a, bool negated = false);
  /// a * 2^bits
  Columns times2(const Integers &a, unsigned bits);
  /// The same number as one digit.
  Digit single(const Integers &a);
  Integers difference(const Integers &a, const Integers &b);
  /// floor(x / 2^bits). `bound` is one of the result's magnitude, where more is known than the digits say.
  Digit shiftRight(const Columns &x, unsigned bits, std::optional<int64_t> bound = std::nullopt);
  /// 1 where x is a multiple of 2^bits, else 0.
  Digit isMultiple(const Columns &x, unsigned bits);
  /// The same of a result that one digit does not hold.
  Integers shiftedRight(const Columns &x, unsigned bits);
  /// Sums along the last axis of `length`, which stays with size 1.
  Columns sumRows(const Integers &a, int64_t length);

  /// The factors over one power of two.
  static std::pair<KnownIntegers, unsigned> common(const Factors &factors);
  /// roundShift(x * M, c, half up or half even), numerics::Dyadic.
  Digit rescale(const Integers &x, const Factors &by, bool tiesToEven = false);
  /// The same of results that one digit does not hold; they have to fit 32 bits.
  Integers rescaleWide(const Integers &x, const Factors &by);
  /// floor(2^bits / x) of at most `resultBits` bits, x > 0.
  Integers reciprocal(unsigned bits, const Integers &x, unsigned resultBits);
  /// floor(sqrt(x)) of at most `resultBits` bits, x > 0.
  Integers root(const Integers &x, unsigned resultBits);

  /// A value from lo to hi, which has to be exact.
  Digit make(std::string name, int64_t lo, int64_t hi);
  Digit sum(llvm::ArrayRef<Digit> terms);
  /// A float near the number.
  std::string near(const Integers &a);

private:
  /// x * M + 2^(c-1), and c.
  std::pair<Columns, unsigned> scaledBy(const Integers &x, const Factors &by);
  /// The digits of a tensor of f32 that is an integer of `bits` bits besides its sign.
  Integers digitsOf(std::string real, unsigned bits, bool isSigned);
  /// 1 where the number is below 0, else 0.
  Digit isNegative(const Integers &a);

  Writer &writer;
  std::string prefix;
  bool fits = true;
  std::map<double, std::string> scalars;
};

} // namespace vitq::onnxwriter

#endif // VITQ_LIB_TARGET_ONNX_EXACTINTEGERS_H
