/*===- divide64.c - Division of 64 bits -*- C -*-===*\
 *
 * Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
 * See LICENSE for license information.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===--------------------------------------------===
 *
 * Processors of 32 bits have no instruction for it: what a compiler's runtime library has,
 * bit by bit.
 *
\*===--------------------------------------------===*/

#include <stdint.h>

uint64_t __udivdi3(uint64_t x, uint64_t y);
int64_t __divdi3(int64_t x, int64_t y);

uint64_t __udivdi3(uint64_t x, uint64_t y) {
  uint64_t quotient = 0, rest = 0;
  for (int i = 63; i >= 0; --i) {
    rest = rest << 1 | (x >> i & 1u);
    if (rest >= y) {
      rest -= y;
      quotient |= UINT64_C(1) << i;
    }
  }
  return quotient;
}

int64_t __divdi3(int64_t x, int64_t y) {
  const uint64_t quotient = __udivdi3(x < 0 ? 0u - (uint64_t)x : (uint64_t)x, y < 0 ? 0u - (uint64_t)y : (uint64_t)y);
  return (int64_t)((x < 0) != (y < 0) ? 0u - quotient : quotient);
}
