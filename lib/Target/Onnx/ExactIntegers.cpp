//===- ExactIntegers.cpp - Integers in ONNX graphs of floats -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ExactIntegers.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <cmath>

using namespace llvm;
using namespace vitq;
using namespace vitq::onnxwriter;

/// Bits of a digit.
static constexpr unsigned kBits = 11;
static constexpr int64_t kBase = int64_t(1) << kBits;
/// Integers up to this are exact in f32.
static constexpr int64_t kExact = int64_t(1) << 24;

//===----------------------------------------------------------------------===//
// Digits
//===----------------------------------------------------------------------===//

std::string Arithmetic::scalar(double value) {
  std::string &name = scalars[value];
  if (name.empty())
    name = writer.constant("constant", Tensor::of<float>({}, {static_cast<float>(value)}));
  return name;
}

Digit Arithmetic::make(std::string name, int64_t lo, int64_t hi) {
  if (lo < -kExact || hi > kExact)
    fits = false;
  // Whatever follows is lost; bounds of bounds must not overflow.
  return {std::move(name), std::max(lo, -2 * kExact), std::min(hi, 2 * kExact)};
}

Digit Arithmetic::add(const Digit &a, const Digit &b) {
  if (a.isZero())
    return b;
  if (b.isZero())
    return a;
  return make(node("Add", {a.name, b.name}), a.lo + b.lo, a.hi + b.hi);
}

Digit Arithmetic::multiply(const Digit &a, const Digit &b) {
  if (a.isZero() || b.isZero())
    return {scalar(0), 0, 0};
  const auto [lo, hi] = std::minmax({a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi});
  return make(node("Mul", {a.name, b.name}), lo, hi);
}

Digit Arithmetic::scaled(const Digit &a, int64_t factor) {
  return factor == 1 ? a : multiply(a, {scalar(static_cast<double>(factor)), factor, factor});
}

Digit Arithmetic::shifted(const Digit &a, int64_t offset) {
  return offset == 0 ? a : add(a, {scalar(static_cast<double>(offset)), offset, offset});
}

Digit Arithmetic::clamped(const Digit &a, int64_t lo, int64_t hi) {
  if (lo <= a.lo && a.hi <= hi)
    return a;
  return make(node("Clip", {a.name, scalar(static_cast<double>(lo)), scalar(static_cast<double>(hi))}),
              std::clamp(a.lo, lo, hi), std::clamp(a.hi, lo, hi));
}

Digit Arithmetic::floorShift(const Digit &a, unsigned bits) {
  if (bits == 0)
    return a;
  const int64_t lo = a.lo >> bits, hi = a.hi >> bits;
  if (lo == 0 && hi == 0)
    return {scalar(0), 0, 0};
  return make(node("Floor", {node("Mul", {a.name, scalar(std::ldexp(1.0, -static_cast<int>(bits)))})}), lo, hi);
}

Digit Arithmetic::remainder(const Digit &a, const Digit &upper, unsigned bits) {
  if (upper.isZero())
    return a;
  const auto base = static_cast<double>(int64_t(1) << bits);
  return {node("Sub", {a.name, node("Mul", {upper.name, scalar(base)})}), 0, (int64_t(1) << bits) - 1};
}

Digit Arithmetic::sum(ArrayRef<Digit> terms) {
  Digit total{scalar(0), 0, 0};
  for (const Digit &term : terms)
    total = add(total, term);
  return total;
}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

Integers Arithmetic::split(const Digit &a) {
  Integers digits;
  Digit rest = a;
  while (rest.lo < -kBase || rest.hi >= kBase) {
    const Digit upper = floorShift(rest, kBits);
    digits.push_back(remainder(rest, upper, kBits));
    rest = upper;
  }
  digits.push_back(rest);
  return digits;
}

Integers Arithmetic::known(const KnownIntegers &constant) {
  SmallVector<APInt> rest = constant.values;
  Integers digits;
  for (bool isLast = false; !isLast;) {
    isLast = all_of(rest, [](const APInt &value) { return value.sge(-kBase) && value.slt(kBase); });
    SmallVector<float> values;
    int64_t lo = kBase, hi = -kBase;
    for (APInt &value : rest) {
      const int64_t digit =
          isLast ? value.getSExtValue() : static_cast<int64_t>(value.extractBitsAsZExtValue(kBits, 0));
      value = value.ashr(kBits);
      values.push_back(static_cast<float>(digit));
      lo = std::min(lo, digit);
      hi = std::max(hi, digit);
    }
    digits.push_back({lo == hi ? scalar(static_cast<double>(lo)) : floats(constant.shape, values), lo, hi});
  }
  return digits;
}

Integers Arithmetic::normalized(const Columns &columns) {
  Integers digits;
  Digit carry{scalar(0), 0, 0};
  for (size_t i = 0, e = columns.size(); i < e; ++i) {
    const Digit total = add(sum(columns[i]), carry);
    if (i + 1 == e) {
      digits.append(split(total));
      break;
    }
    carry = floorShift(total, kBits);
    digits.push_back(remainder(total, carry, kBits));
  }
  return digits;
}

Columns Arithmetic::product(const Integers &a, const Integers &b) {
  Columns result(a.size() + b.size() - 1);
  for (auto [i, x] : enumerate(a))
    for (auto [j, y] : enumerate(b))
      if (!x.isZero() && !y.isZero())
        result[i + j].push_back(multiply(x, y));
  return result;
}

Columns Arithmetic::columns(const Integers &a) {
  Columns result;
  for (const Digit &digit : a)
    result.push_back({digit});
  return result;
}

void Arithmetic::addTo(Columns &sum, const Integers &a, bool negated) {
  if (sum.size() < a.size())
    sum.resize(a.size());
  for (auto [column, digit] : zip(sum, a))
    if (!digit.isZero())
      column.push_back(negated ? make(node("Neg", {digit.name}), -digit.hi, -digit.lo) : digit);
}

Columns Arithmetic::times2(const Integers &a, unsigned bits) {
  Columns result(bits / kBits);
  for (const Digit &digit : a)
    result.push_back({scaled(digit, int64_t(1) << bits % kBits)});
  return result;
}

Digit Arithmetic::single(const Integers &a) {
  Digit total = a.back();
  for (const Digit &digit : reverse(drop_end(a)))
    total = add(scaled(total, kBase), digit);
  return total;
}

Integers Arithmetic::difference(const Integers &a, const Integers &b) {
  Columns sum = columns(a);
  addTo(sum, b, /*negated=*/true);
  return normalized(sum);
}

/// Whether columns above `first`, in units of 2^-rest of the weight of that one, have sums that are exact in any order.
static bool areSmall(const Columns &x, size_t first, unsigned rest) {
  int64_t total = kBase;
  for (size_t i = first; i < x.size(); ++i)
    for (const Digit &term : x[i]) {
      const unsigned bits = (i - first) * kBits;
      if (bits > 40)
        return false;
      total += (std::max(term.hi, -term.lo) << bits >> rest) + 1;
    }
  return total < kExact;
}

Digit Arithmetic::shiftRight(const Columns &x, unsigned bits, std::optional<int64_t> bound) {
  const unsigned first = bits / kBits, rest = bits % kBits;
  const auto weight = [&](size_t i) { return int64_t(1) << ((i - first) * kBits - rest); };
  // Digits below the result's weight matter by their carries only.
  if (areSmall(x, first, rest)) {
    Digit carry{scalar(0), 0, 0};
    for (unsigned i = 0; i < first && i < x.size(); ++i)
      carry = floorShift(add(sum(x[i]), carry), kBits);
    Digit total = floorShift(add(first < x.size() ? sum(x[first]) : Digit{scalar(0), 0, 0}, carry), rest);
    for (size_t i = first + 1; i < x.size(); ++i)
      total = add(total, scaled(sum(x[i]), weight(i)));
    return total;
  }
  // Otherwise floor(x / 2^(11 i)) from the top, none of which is above the result in magnitude.
  const Integers digits = normalized(x);
  if (digits.size() <= first)
    return {digits.back().hi < 0 ? scalar(-1) : scalar(0), digits.back().lo < 0 ? -1 : 0, 0};
  const bool fitted = fits;
  Digit total{scalar(0), 0, 0};
  for (size_t i = digits.size(); i-- > first + 1;)
    total = add(scaled(total, kBase), digits[i]);
  total = add(scaled(total, kBase >> rest), floorShift(digits[first], rest));
  if (bound) {
    fits = fitted;
    total.lo = -*bound;
    total.hi = *bound;
  }
  return total;
}

Digit Arithmetic::isMultiple(const Columns &x, unsigned bits) {
  const unsigned first = bits / kBits, rest = bits % kBits;
  const Integers digits = normalized(x);
  Digit lower{scalar(0), 0, 0};
  for (unsigned i = 0; i < first && i < digits.size(); ++i)
    lower = add(lower, i + 1 == digits.size() ? clamped(multiply(digits[i], digits[i]), 0, 1) : digits[i]);
  if (first < digits.size())
    lower = add(lower, remainder(digits[first], floorShift(digits[first], rest), rest));
  const Digit isNone = clamped(lower, 0, 1);
  return shifted(scaled(isNone, -1), 1);
}

Integers Arithmetic::shiftedRight(const Columns &x, unsigned bits) {
  const unsigned up = (kBits - bits % kBits) % kBits;
  Integers digits = normalized(x);
  if (up != 0)
    digits = normalized(times2(digits, up));
  const size_t dropped = (bits + up) / kBits;
  if (digits.size() <= dropped)
    return {{digits.back().hi < 0 ? scalar(-1) : scalar(0), digits.back().lo < 0 ? -1 : 0, 0}};
  return Integers(drop_begin(digits, dropped));
}

Columns Arithmetic::sumRows(const Integers &a, int64_t length) {
  Columns result;
  const std::string last = ints({-1});
  for (const Digit &digit : a)
    result.push_back({make(node("ReduceSum", {digit.name, last}), digit.lo * length, digit.hi * length)});
  return result;
}

//===----------------------------------------------------------------------===//
// Requantization
//===----------------------------------------------------------------------===//

std::pair<KnownIntegers, unsigned> Arithmetic::common(const Factors &factors) {
  int shift = 0;
  for (const numerics::Dyadic &by : factors.all)
    shift = std::max<int>(shift, by.multiplier == 0 ? 0 : by.shift);
  KnownIntegers multipliers;
  multipliers.shape = factors.shape;
  for (const numerics::Dyadic &by : factors.all)
    multipliers.values.push_back(by.multiplier == 0
                                     ? KnownIntegers::of(0)
                                     : KnownIntegers::of(by.multiplier).shl(static_cast<unsigned>(shift - by.shift)));
  return {multipliers, static_cast<unsigned>(shift)};
}

/// Whether all factors are 1.
static bool areOne(const Factors &by) {
  return all_of(by.all, [](numerics::Dyadic d) { return d.shift < 31 && d.multiplier == int64_t(1) << d.shift; });
}

std::pair<Columns, unsigned> Arithmetic::scaledBy(const Integers &x, const Factors &by) {
  const auto [multipliers, shift] = common(by);
  Columns scaled = product(x, known(multipliers));
  KnownIntegers half;
  half.values = {KnownIntegers::of(1).shl(shift).lshr(1)};
  addTo(scaled, known(half));
  return {scaled, shift};
}

Digit Arithmetic::rescale(const Integers &x, const Factors &by, bool tiesToEven) {
  if (areOne(by))
    return single(x);
  const auto [product, shift] = scaledBy(x, by);
  const Digit up = shiftRight(product, shift);
  if (!tiesToEven)
    return up;
  // A tie was rounded up where nothing is left below; an odd result is one too many then.
  const Digit isOdd = remainder(up, floorShift(up, 1), 1);
  return add(up, scaled(multiply(isMultiple(product, shift), isOdd), -1));
}

Integers Arithmetic::rescaleWide(const Integers &x, const Factors &by) {
  double bound = 0, factor = 0;
  for (auto [i, digit] : enumerate(x))
    bound += std::ldexp(static_cast<double>(std::max(digit.hi, -digit.lo)), static_cast<int>(i * kBits));
  for (numerics::Dyadic d : by.all)
    factor = std::max(factor, std::ldexp(std::abs(static_cast<double>(d.multiplier)), -static_cast<int>(d.shift)));
  if (bound * factor >= std::ldexp(1.0, 31))
    fits = false;
  if (areOne(by))
    return x;
  const auto [scaled, shift] = scaledBy(x, by);
  return shiftedRight(scaled, shift);
}

//===----------------------------------------------------------------------===//
// Quotients and roots
//===----------------------------------------------------------------------===//

std::string Arithmetic::near(const Integers &a) {
  std::string total = a.back().name;
  for (const Digit &digit : reverse(drop_end(a)))
    total = node("Add", {node("Mul", {total, scalar(kBase)}), digit.name});
  return total;
}

Integers Arithmetic::digitsOf(std::string real, unsigned bits, bool isSigned) {
  const unsigned count = (bits + kBits - 1) / kBits;
  Integers digits(count);
  for (unsigned i = count - 1; i > 0; --i) {
    const double weight = std::ldexp(1.0, static_cast<int>(i * kBits));
    digits[i] = {node("Floor", {node("Mul", {real, scalar(1 / weight)})}), 0, kBase - 1};
    real = node("Sub", {real, node("Mul", {digits[i].name, scalar(weight)})});
  }
  digits[0] = {real, 0, kBase - 1};
  digits.back().hi = int64_t(1) << (bits - (count - 1) * kBits);
  if (isSigned)
    digits.back().lo = -digits.back().hi;
  digits.back().hi = std::min(digits.back().hi, kBase - 1);
  return digits;
}

Digit Arithmetic::isNegative(const Integers &a) {
  const Digit &top = a.back();
  if (top.lo >= 0)
    return {scalar(0), 0, 0};
  return clamped(make(node("Neg", {top.name}), -top.hi, -top.lo), 0, 1);
}

/// An estimate of 24 bits, which the exact remainder makes one of 40 and more, off by one at most; then that.
Integers Arithmetic::reciprocal(unsigned bits, const Integers &x, unsigned resultBits) {
  const std::string divisor = near(x);
  KnownIntegers power;
  power.values = {KnownIntegers::of(1).shl(bits)};
  const Integers dividend = known(power);
  Integers quotient = digitsOf(node("Floor", {node("Div", {scalar(std::ldexp(1.0, static_cast<int>(bits))), divisor})}),
                               resultBits, /*isSigned=*/false);
  auto remainder = [&] { return difference(dividend, normalized(product(quotient, x))); };
  const std::string error = node("Floor", {node("Div", {near(remainder()), divisor})});
  Columns better = columns(quotient);
  addTo(better, digitsOf(error, 2 * kBits, /*isSigned=*/true));
  quotient = normalized(better);
  const Integers rest = remainder();
  Columns exact = columns(quotient);
  addTo(exact, {isNegative(rest)}, /*negated=*/true);
  // Where the rest is not below the divisor, 1 is missing.
  Digit isBelow = isNegative(difference(rest, x));
  addTo(exact, {shifted(make(node("Neg", {isBelow.name}), -1, 0), 1)});
  return normalized(exact);
}

/// As `reciprocal`; of a root r the remainder is in 0..2 r.
Integers Arithmetic::root(const Integers &x, unsigned resultBits) {
  const std::string estimate = node("Floor", {node("Sqrt", {near(x)})});
  Integers result = digitsOf(estimate, resultBits, /*isSigned=*/false);
  auto remainder = [&] { return difference(x, normalized(product(result, result))); };
  const std::string error = node("Floor", {node("Div", {near(remainder()), node("Mul", {estimate, scalar(2)})})});
  Columns better = columns(result);
  addTo(better, digitsOf(error, 2 * kBits, /*isSigned=*/true));
  result = normalized(better);
  const Integers rest = remainder();
  Columns exact = columns(result);
  addTo(exact, {isNegative(rest)}, /*negated=*/true);
  Columns twice = columns(rest);
  addTo(twice, normalized(times2(result, 1)), /*negated=*/true);
  addTo(twice, known(KnownIntegers(-1)));
  Digit isBelow = isNegative(normalized(twice)); // rest <= 2 * root
  addTo(exact, {shifted(make(node("Neg", {isBelow.name}), -1, 0), 1)});
  return normalized(exact);
}
