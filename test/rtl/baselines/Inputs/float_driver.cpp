//===- float_driver.cpp - float_element against this processor -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// float_driver MANTISSA: sum + a * b with operands of so many bits of mantissa, exponents near each other and far
// apart.
//
//===----------------------------------------------------------------------===//

#include "Vfloat_element.h"

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

static uint32_t bitsOf(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}
static float floatOf(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

int main(int argc, char **argv) {
  const int mantissa = argc > 1 ? std::atoi(argv[1]) : 23;
  std::mt19937 rng(1);
  auto draw = [&](uint32_t low, uint32_t high, int bits) {
    const uint32_t exponent = low + rng() % (high - low + 1);
    const uint32_t sign = rng() & 0x80000000u, rest = (rng() & 0x7fffff) >> (23 - bits) << (23 - bits);
    return rng() % 50 == 0 ? sign : sign | exponent << 23 | rest;
  };
  Vfloat_element unit;
  auto cycle = [&] {
    unit.clk = 0;
    unit.eval();
    unit.clk = 1;
    unit.eval();
  };
  unit.enable = 1;
  const int count = 200000;
  for (int i = 0; i < count; ++i) {
    const bool wide = i % 4 == 0;
    const uint32_t a = draw(wide ? 30 : 120, wide ? 220 : 130, mantissa), b = draw(wide ? 70 : 120, 130, mantissa);
    const uint32_t sum =
        i % 8 == 1 ? bitsOf(-floatOf(a) * floatOf(b)) + rng() % 3 : draw(wide ? 30 : 117, wide ? 220 : 135, 23);
    unit.top_in = b >> (23 - mantissa);
    unit.shift = 1;
    unit.first = 0;
    cycle();
    unit.shift = 0;
    unit.first = 1;
    unit.left_in = a >> (23 - mantissa);
    unit.sum_in = sum;
    cycle();
    const volatile float product = floatOf(a) * floatOf(b);
    const float flushed = std::fabs(product) < 0x1p-126f ? 0.0f : product;
    const volatile float expected = floatOf(sum) + flushed;
    const float result = floatOf(unit.sum_out);
    // Near the least normal number the hardware has 0.
    const bool tiny = std::fabs(expected) <= 0x1p-125f || (product != 0 && std::fabs(product) <= 0x1p-125f);
    if (!tiny && result != expected) {
      std::printf("%a + %a * %a is %a instead of %a\n", floatOf(sum), floatOf(a), floatOf(b), result,
                  static_cast<float>(expected));
      return 1;
    }
  }
  std::printf("%d sums agree\n", count);
}
