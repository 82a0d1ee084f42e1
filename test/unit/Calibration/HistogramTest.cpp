//===- HistogramTest.cpp - Tests of the bins of a histogram -----*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Analysis/Histogram.h"

#include "gtest/gtest.h"

#include <cmath>
#include <limits>
#include <random>

using vitq::Histogram;

namespace {

using Bins = std::vector<std::pair<int64_t, int64_t>>;

Histogram of(std::vector<float> values) {
  Histogram histogram;
  histogram.add(values);
  return histogram;
}

/// Values of all magnitudes and both signs.
std::vector<float> randomValues(size_t count) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> exponent(-24, 19.9f);
  std::vector<float> values;
  for (size_t i = 0; i < count; ++i)
    values.push_back((i % 3 ? 1 : -1) * std::exp2(exponent(random)));
  return values;
}

/// The bin by its definition, in real arithmetic.
int64_t definition(float value) {
  double x = std::abs(double(value));
  if (x < 0x1p-20)
    return 0;
  int64_t octave = std::ilogb(x);
  if (octave >= 20)
    return std::signbit(value) ? -Histogram::kMaxBin : Histogram::kMaxBin;
  int64_t bin = (octave + 20) * 32 + int64_t(std::floor((std::ldexp(x, -octave) - 1) * 32)) + 1;
  return std::signbit(value) ? -bin : bin;
}

TEST(Histogram, BinsAreAsDefined) {
  for (float value : randomValues(100000))
    ASSERT_EQ(Histogram::binOf(value), definition(value)) << value;
  for (int exponent = -22; exponent <= 22; ++exponent)
    for (int step = 0; step < 32; ++step) {
      float edge = std::ldexp(1.0f + step / 32.0f, exponent);
      for (float value : {edge, std::nextafter(edge, 0.0f), -edge, -std::nextafter(edge, 0.0f)})
        ASSERT_EQ(Histogram::binOf(value), definition(value)) << value;
    }
  EXPECT_EQ(Histogram::binOf(0.0f), 0);
  EXPECT_EQ(Histogram::binOf(-0.0f), 0);
  EXPECT_EQ(Histogram::binOf(1.0f), 20 * 32 + 1);
  EXPECT_EQ(Histogram::binOf(std::numeric_limits<float>::denorm_min()), 0);
  EXPECT_EQ(Histogram::binOf(std::numeric_limits<float>::max()), Histogram::kMaxBin);
  EXPECT_EQ(Histogram::binOf(std::numeric_limits<float>::lowest()), -Histogram::kMaxBin);
}

TEST(Histogram, NumbersThatAreNoneStayInside) {
  float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(of({inf, -inf, nan}).total(), 3);
}

TEST(Histogram, ForEachAscendsAndCoversTheValues) {
  std::vector<float> values = randomValues(10000);
  Histogram histogram = of(values);
  double previous = -std::numeric_limits<double>::infinity();
  int64_t total = 0;
  histogram.forEach([&](double lo, double hi, int64_t count) {
    EXPECT_LE(previous, lo);
    EXPECT_LT(lo, hi);
    // An edge belongs to the bin of larger magnitude.
    int64_t inside = llvm::count_if(values, [&](float x) {
      return (lo <= x && x < hi && x >= 0) || (lo < x && x <= hi && x < 0) || (lo < 0 && hi > 0 && lo < x && x < hi);
    });
    EXPECT_EQ(count, inside) << lo << " " << hi;
    previous = hi;
    total += count;
  });
  EXPECT_EQ(total, 10000);
  EXPECT_EQ(histogram.total(), 10000);
}

TEST(Histogram, PartsAddUpInAnyOrder) {
  std::vector<float> values = randomValues(1000);
  Histogram whole = of(values), forward, backward;
  for (size_t i = 0; i < values.size(); i += 100) {
    forward.merge(of({values.begin() + i, values.begin() + i + 100}));
    backward.merge(of({values.end() - i - 100, values.end() - i}));
  }
  EXPECT_EQ(whole, forward);
  EXPECT_EQ(whole, backward);
  EXPECT_NE(whole, of({1.0f}));
}

TEST(Histogram, Quantiles) {
  EXPECT_EQ(Histogram().quantile(0.5), 0);
  // Each of the 32 bins from 1 to 2 has one value: the quantiles are exact.
  std::vector<float> values;
  for (int i = 0; i < 32; ++i)
    values.push_back(1 + (i + 0.5f) / 32);
  Histogram histogram = of(values);
  EXPECT_EQ(histogram.quantile(0), 1);
  EXPECT_EQ(histogram.quantile(0.25), 1.25);
  EXPECT_EQ(histogram.quantile(1.0 / 64), 1 + 1.0 / 64);
  EXPECT_EQ(histogram.quantile(1), 2);
  EXPECT_EQ(histogram.quantile(-1), 1);
  EXPECT_EQ(histogram.quantile(2), 2);
  // With as many of the opposite sign the median is between the two halves.
  for (float &value : values)
    value = -value;
  histogram.add(values);
  EXPECT_EQ(histogram.quantile(0), -2);
  EXPECT_EQ(histogram.quantile(0.25), -1.5);
  EXPECT_EQ(histogram.quantile(0.5), -1);
  EXPECT_EQ(histogram.quantile(0.75), 1.5);
  // Of one bin.
  EXPECT_EQ(of({0, 0}).quantile(0.5), 0);
}

TEST(Histogram, SparseReadsBack) {
  EXPECT_EQ(of({-1.0f, 0.0f, 1.0f, 1.0f}).sparse(), (Bins{{-641, 1}, {0, 1}, {641, 2}}));
  Histogram histogram = of(randomValues(5000));
  EXPECT_EQ(Histogram::fromSparse(histogram.sparse()), histogram);
  EXPECT_EQ(Histogram::fromSparse({}), Histogram());
}

TEST(Histogram, SparseRefusesWhatIsNoHistogram) {
  int64_t most = std::numeric_limits<int64_t>::max(), least = std::numeric_limits<int64_t>::min();
  auto refused = [](const Bins &bins) { return !Histogram::fromSparse(bins); };
  EXPECT_FALSE(refused({{-1280, 1}, {1280, 0}}));
  EXPECT_TRUE(refused({{1281, 1}}));
  EXPECT_TRUE(refused({{-1281, 1}}));
  EXPECT_TRUE(refused({{least, 1}}));
  EXPECT_TRUE(refused({{most, 1}}));
  EXPECT_TRUE(refused({{3, 1}, {3, 1}}));
  EXPECT_TRUE(refused({{3, 1}, {2, 1}}));
  EXPECT_TRUE(refused({{3, -1}}));
  EXPECT_TRUE(refused({{3, most}, {4, 1}}));
}

/// Many values at once are counted in other places first.
TEST(Histogram, ManyAreCountedAsOneByOne) {
  std::vector<float> values = randomValues(50001);
  values.insert(values.end(), {0.0f, -0.0f, std::numeric_limits<float>::infinity(), 3.0f, 3.0f, 3.0f});
  Histogram apart;
  for (float value : values)
    apart.add(value);
  EXPECT_EQ(of(values).sparse(), apart.sparse());
}

} // namespace
