//===- ChooseBitsRounding.cpp - Values in few codes -------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ChooseBits.h"

#include "vitq/Numerics/Hadamard.h"

#include <cmath>

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::quantize;

/// The largest block of channels that is spread, as of vit-rotate-hidden.
static constexpr int64_t kBlock = 64;

static int64_t blockOf(int64_t channels) {
  int64_t block = kBlock;
  while (channels % block != 0)
    block /= 2;
  return numerics::isHadamardBlock(block) ? block : 0;
}

/// As it is spread, or with `back` the other way round.
static void spread(MutableArrayRef<double> row, int64_t block, bool back) {
  const double scale = 1 / std::sqrt(static_cast<double>(block));
  for (size_t first = 0; first < row.size(); first += block) {
    MutableArrayRef<double> part = row.slice(first, block);
    // The transform is a symmetric matrix H behind signs S: its inverse is S H.
    if (back)
      for (int64_t i = 0; i < block; ++i)
        part[i] = numerics::isNegatedFirst(i) ? -part[i] : part[i];
    numerics::hadamardBlock(part);
    for (int64_t i = 0; i < block; ++i)
      part[i] *= back && numerics::isNegatedFirst(i) ? -scale : scale;
  }
}

void ValueRounding::toCoded(MutableArrayRef<double> row) const {
  for (auto [value, mean] : llvm::zip(row, means))
    value -= mean;
  if (block)
    spread(row, block, /*back=*/false);
}

void ValueRounding::fromCoded(MutableArrayRef<double> row) const {
  if (block)
    spread(row, block, /*back=*/true);
  for (auto [value, mean] : llvm::zip(row, means))
    value += mean;
}

void ValueRounding::round(MutableArrayRef<double> row) const {
  const size_t size = row.size() / heads.size();
  for (auto [c, value] : llvm::enumerate(row)) {
    const auto &[scale, zero] = heads[c / size];
    value = numerics::dequantize(numerics::quantizeReal(value, scale, zero, codes.min, codes.max), scale, zero);
  }
}

Tensor ValueRounding::apply(const Tensor &value) const {
  Tensor result = Tensor::allocate(ElementKind::F32, value.shape());
  const int64_t channels = value.shape().back();
  const float *from = value.data<float>();
  float *to = result.mutableData<float>();
  std::vector<double> row(channels);
  for (int64_t first = 0; first < value.numElements(); first += channels) {
    std::copy_n(from + first, channels, row.begin());
    toCoded(row);
    round(row);
    fromCoded(row);
    llvm::transform(row, to + first, [](double x) { return static_cast<float>(x); });
  }
  return result;
}

namespace {

/// A head's values in equal bins.
struct HeadCounts {
  static constexpr size_t kBins = 2048;

  double min = 0, max = 0;
  std::vector<double> counts = std::vector<double>(kBins, 0.0);

  void add(double x) { counts[binOf(x)] += 1; }
  size_t binOf(double x) const {
    const double at = (x - min) / std::max(max - min, numerics::kTinyRange) * kBins;
    return std::min(kBins - 1, static_cast<size_t>(std::max(at, 0.0)));
  }
  double middle(size_t bin) const { return min + (max - min) * (static_cast<double>(bin) + 0.5) / kBins; }

  double errorOf(const numerics::ScaleZeroPoint &code, numerics::Interval codes) const {
    double sum = 0;
    for (size_t bin = 0; bin < kBins; ++bin) {
      const double x = middle(bin);
      const double e =
          x - numerics::dequantize(numerics::quantizeReal(x, code.scale, code.zeroPoint, codes.min, codes.max),
                                   code.scale, code.zeroPoint);
      sum += counts[bin] * e * e;
    }
    return sum;
  }

  /// The code of least squared error, both ends shrunk alike.
  numerics::ScaleZeroPoint best(unsigned bits, bool isSigned, numerics::Interval codes) const {
    numerics::ScaleZeroPoint result;
    double least = INFINITY;
    for (int step = 20; step >= (bits == 8 ? 20 : 5); --step) {
      const double low = min * step / 20, high = max * step / 20;
      const auto code =
          isSigned ? numerics::ScaleZeroPoint{numerics::symmetricScale(std::max(-low, high), static_cast<int>(bits))}
                   : numerics::asymmetricScale(low, high, static_cast<int>(bits));
      if (const double error = errorOf(code, codes); error < least)
        least = error, result = code;
    }
    return result;
  }
};

} // namespace

static std::vector<double> channelMeans(ArrayRef<Tensor> samples) {
  const int64_t channels = samples.front().shape().back();
  std::vector<double> sums(channels, 0.0);
  double rows = 0;
  for (const Tensor &sample : samples) {
    for (int64_t i = 0; i < sample.numElements(); ++i)
      sums[i % channels] += static_cast<double>(sample.data<float>()[i]);
    rows += static_cast<double>(sample.numElements() / channels);
  }
  for (double &sum : sums)
    sum /= rows;
  return sums;
}

std::vector<ValueRounding> ValueRounding::fit(ArrayRef<Tensor> samples, ArrayRef<unsigned> widths, const Kind &kind) {
  const int64_t channels = samples.front().shape().back(), size = channels / kind.heads;
  ValueRounding rounding;
  rounding.kind = kind;
  if (kind.isSpread)
    rounding.block = blockOf(channels);
  else if (kind.isCentered)
    rounding.means = channelMeans(samples);
  std::vector<HeadCounts> counts(kind.heads);
  auto forEach = [&](auto body) {
    std::vector<double> row(channels);
    for (const Tensor &sample : samples)
      for (int64_t first = 0; first < sample.numElements(); first += channels) {
        std::copy_n(sample.data<float>() + first, channels, row.begin());
        rounding.toCoded(row);
        for (int64_t c = 0; c < channels; ++c)
          body(counts[c / size], row[c]);
      }
  };
  forEach([](HeadCounts &head, double x) { head.min = std::min(head.min, x), head.max = std::max(head.max, x); });
  forEach([](HeadCounts &head, double x) { head.add(x); });
  std::vector<ValueRounding> result;
  for (unsigned bits : widths) {
    rounding.codes = numerics::codeRange(static_cast<int>(bits), kind.isSigned);
    rounding.heads.clear();
    for (const HeadCounts &head : counts)
      rounding.heads.push_back(head.best(bits, kind.isSigned, rounding.codes));
    result.push_back(rounding);
  }
  return result;
}
