//===- SquareRoot.cpp - Integer square roots -===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/SquareRoot.h"

#include "vitq/Numerics/RootSteps.h"

#include <algorithm>

using namespace vitq::numerics;

unsigned vitq::numerics::bitLength(uint64_t v) {
  unsigned bits = 0;
  for (; v != 0; v >>= 1)
    ++bits;
  return bits;
}

uint64_t vitq::numerics::newtonStart(uint64_t v) { return uint64_t(1) << ((bitLength(v) + 1) / 2); }

uint64_t vitq::numerics::isqrt64(uint64_t v) {
  if (v == 0)
    return 0;
  // k + v/k <= 2^32 + 2^33 from this start on: no overflow.
  uint64_t k = newtonStart(v);
  for (;;) {
    const uint64_t next = (k + v / k) >> 1;
    if (next >= k)
      return k;
    k = next;
  }
}

uint64_t vitq::numerics::newtonSqrt(uint64_t v, uint64_t start, unsigned iterations) {
  uint64_t k = std::max<uint64_t>(start, 1);
  for (unsigned i = 0; i < iterations; ++i) {
    const uint64_t quotient = v / k;
    const uint64_t mean = (k >> 1) + (quotient >> 1) + (k & quotient & 1);
    k = std::max<uint64_t>(mean, 1);
  }
  return k;
}

ReciprocalRootTable vitq::numerics::reciprocalRootTable() {
  ReciprocalRootTable table{};
  // 2^15 / sqrt((2i + 257) / 1024) is the root of 2^40 / (2i + 257).
  for (uint64_t i = 0; i < table.size(); ++i)
    table[i] = static_cast<uint16_t>(isqrt64((UINT64_C(1) << 40) / (2 * i + 257)));
  return table;
}
