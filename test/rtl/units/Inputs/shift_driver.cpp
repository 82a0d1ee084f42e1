//===- shift_driver.cpp - The shift requantizer against lib/Numerics -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// shift_driver FILE: compares the verilated shift requantizer with the lines of FILE (vitq-unit-vectors --shift).
//
//===----------------------------------------------------------------------===//

#include "Vvitq_shift.h"

#include <cstdint>
#include <cstdio>
#include <fstream>

int main(int argc, char **argv) {
  if (argc < 2)
    return 1;
  std::ifstream file(argv[1]);
  Vvitq_shift unit;
  int count = 0;
  for (int64_t sum, shift, relu, expected; file >> sum >> shift >> relu >> expected; ++count) {
    unit.sum = static_cast<uint32_t>(sum);
    unit.shift = static_cast<uint8_t>(shift);
    unit.relu = relu != 0;
    unit.eval();
    if (unit.result != static_cast<uint8_t>(expected)) {
      std::printf("%lld >> %lld is %d instead of %lld\n", static_cast<long long>(sum), static_cast<long long>(shift),
                  static_cast<int>(static_cast<int8_t>(unit.result)), static_cast<long long>(expected));
      return 1;
    }
  }
  std::printf("%d sums agree\n", count);
}
