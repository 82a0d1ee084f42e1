//===- Histogram.cpp - Value counts in log-linear bins ---------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Analysis/Histogram.h"

#include "vitq/Numerics/TargetClones.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <bit>
#include <cmath>

using namespace vitq;

static constexpr int kMantissaBits = 23, kExponentBias = 127;
/// Bits of the mantissa below those that choose the bin.
static constexpr int kShift = kMantissaBits - std::countr_zero(unsigned(Histogram::kBinsPerOctave));

/// The position of a value's bin among the counts. Exponent and leading bits of
/// the mantissa, read as one number, count the bins of all octaves on end.
VITQ_INLINE int32_t slotOf(float value) {
  int32_t bits = std::bit_cast<int32_t>(value);
  constexpr int32_t first = (kExponentBias + Histogram::kMinExponent) * Histogram::kBinsPerOctave - 1;
  int32_t bin = ((bits & 0x7fffffff) >> kShift) - first;
  bin = std::clamp<int32_t>(bin, 0, Histogram::kMaxBin);
  int32_t sign = bits >> 31; // 0 or -1
  return static_cast<int32_t>(Histogram::kMaxBin) + ((bin ^ sign) - sign);
}

/// The magnitude at which bin `bin` > 0 begins, and bin - 1 ends.
static double lowerEdge(int64_t bin) {
  int64_t octave = (bin - 1) / Histogram::kBinsPerOctave, step = (bin - 1) % Histogram::kBinsPerOctave;
  return std::ldexp(Histogram::kBinsPerOctave + step, static_cast<int>(octave) + Histogram::kMinExponent -
                                                          std::countr_zero(unsigned(Histogram::kBinsPerOctave)));
}

int64_t Histogram::binOf(float value) { return slotOf(value) - kMaxBin; }

VITQ_CLONES
static void findSlots(const float *values, uint16_t *slots, size_t count) {
  for (size_t i = 0; i < count; ++i)
    slots[i] = static_cast<uint16_t>(slotOf(values[i]));
}

void Histogram::add(llvm::ArrayRef<float> values) {
  // Positions are found in blocks, which vectorizes; what is left is the loop of increments.
  // Neighbours are often in one bin, and an increment waits for the one before: they take turns
  // in two tables.
  constexpr size_t block = 256;
  uint16_t slots[block];
  std::vector<uint32_t> tables[2];
  const bool many = values.size() > 4 * counts.size() && values.size() <= UINT32_MAX;
  if (many)
    for (std::vector<uint32_t> &table : tables)
      table.resize(counts.size());
  for (size_t added = 0; !values.empty(); values = values.drop_front(added)) {
    added = std::min(block, values.size());
    findSlots(values.data(), slots, added);
    size_t i = 0;
    for (; many && i + 2 <= added; i += 2) {
      ++tables[0][slots[i]];
      ++tables[1][slots[i + 1]];
    }
    for (; i < added; ++i)
      ++counts[slots[i]];
  }
  for (const std::vector<uint32_t> &table : tables)
    for (size_t i = 0; i < table.size(); ++i)
      counts[i] += table[i];
}

void Histogram::merge(const Histogram &other) {
  for (size_t i = 0; i < counts.size(); ++i)
    counts[i] += other.counts[i];
}

int64_t Histogram::total() const {
  int64_t sum = 0;
  for (int64_t count : counts)
    sum += count;
  return sum;
}

void Histogram::forEach(llvm::function_ref<void(double lo, double hi, int64_t count)> fn) const {
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0)
      continue;
    int64_t bin = static_cast<int64_t>(i) - kMaxBin;
    if (bin == 0)
      fn(-lowerEdge(1), lowerEdge(1), counts[i]);
    else if (bin > 0)
      fn(lowerEdge(bin), lowerEdge(bin + 1), counts[i]);
    else
      fn(-lowerEdge(-bin + 1), -lowerEdge(-bin), counts[i]);
  }
}

double Histogram::quantile(double share) const {
  double rank = std::clamp(share, 0.0, 1.0) * static_cast<double>(total());
  double below = 0, result = 0;
  bool found = false;
  forEach([&](double lo, double hi, int64_t count) {
    if (found)
      return;
    double inBin = static_cast<double>(count);
    found = below + inBin >= rank;
    result = found ? lo + (hi - lo) * std::max(0.0, rank - below) / inBin : hi;
    below += inBin;
  });
  return result;
}

std::vector<std::pair<int64_t, int64_t>> Histogram::sparse() const {
  std::vector<std::pair<int64_t, int64_t>> bins;
  for (size_t i = 0; i < counts.size(); ++i)
    if (counts[i] != 0)
      bins.emplace_back(static_cast<int64_t>(i) - kMaxBin, counts[i]);
  return bins;
}

std::optional<Histogram> Histogram::fromSparse(llvm::ArrayRef<std::pair<int64_t, int64_t>> bins) {
  Histogram histogram;
  int64_t previous = -kMaxBin - 1, total = 0;
  for (auto [bin, count] : bins) {
    if (bin <= previous || bin > kMaxBin || count < 0 || llvm::AddOverflow(total, count, total))
      return std::nullopt;
    histogram.counts[bin + kMaxBin] = count;
    previous = bin;
  }
  return histogram;
}
