//===- MutateBytes.cpp - Damage that knows no format --------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Mutate.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace vitq::fuzz;

int64_t vitq::fuzz::oddInteger(Random &random) {
  constexpr int64_t max = std::numeric_limits<int64_t>::max(), min = std::numeric_limits<int64_t>::min();
  static constexpr int64_t odd[] = {0,         1,     -1,      2,         3,         7,         8,         16,
                                    64,        65,    127,     128,       255,       256,       1000,      32767,
                                    65535,     65536, 1 << 20, INT32_MAX, INT32_MIN, 1ll << 31, 1ll << 32, 1ll << 40,
                                    1ll << 62, max,   max - 1, min,       min + 1,   -2,        -8,        -65536};
  return random.pick<int64_t>(odd);
}

double vitq::fuzz::oddNumber(Random &random) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  static constexpr double odd[] = {0.0,
                                   -0.0,
                                   1.0,
                                   -1.0,
                                   1e-5,
                                   0.5,
                                   2.0,
                                   1e6,
                                   -1e6,
                                   1e30,
                                   -1e30,
                                   3.4e38,
                                   -3.4e38,
                                   1e-30,
                                   1e-45,
                                   1e-320,
                                   1e38,
                                   1e39,
                                   1.7e308,
                                   -1.7e308,
                                   inf,
                                   -inf,
                                   std::numeric_limits<double>::quiet_NaN()};
  return random.pick<double>(odd);
}

/// A position inside one of `places`, the shorter ones as likely as the long ones.
static size_t somewhere(llvm::ArrayRef<Span> places, size_t size, Random &random) {
  if (places.empty())
    return random.below(size);
  const Span &place = random.pick(places);
  size_t begin = std::min(place.begin, size - 1), end = std::clamp(place.end, begin + 1, size);
  return begin + random.below(end - begin);
}

static size_t lengthOfSpan(size_t most, Random &random) {
  size_t length = random.oneIn(2) ? 1 + random.below(16) : 1 + random.below(4096);
  return std::min(length, most);
}

std::string vitq::fuzz::mutateBytes(std::string bytes, llvm::ArrayRef<Span> places, Random &random) {
  if (bytes.empty())
    return bytes;
  size_t size = bytes.size(), at = somewhere(places, size, random), other = somewhere(places, size, random);
  switch (random.below(6)) {
  case 0:
    for (size_t flips = size_t(1) << random.below(6); flips; --flips)
      bytes[somewhere(places, size, random)] ^= static_cast<char>(1 << random.below(8));
    break;
  case 1:
    bytes.resize(at);
    break;
  case 2:
    bytes.erase(at, lengthOfSpan(size - at, random));
    break;
  case 3:
    bytes.insert(other, bytes.substr(at, lengthOfSpan(size - at, random)));
    break;
  case 4:
    for (size_t i = 0, count = lengthOfSpan(size - at, random); i < count; ++i)
      bytes[at + i] = static_cast<char>(random.below(256));
    break;
  default: {
    auto [first, second] = std::minmax(at, other);
    size_t length = lengthOfSpan(std::min(second - first, size - second), random);
    if (first != second)
      std::swap_ranges(bytes.begin() + first, bytes.begin() + first + length, bytes.begin() + second);
    break;
  }
  }
  return bytes;
}
