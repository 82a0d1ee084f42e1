//===- Table.h - 256-entry tables of element-wise functions -----*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_NUMERICS_TABLE_H
#define VITQ_NUMERICS_TABLE_H

#include <array>
#include <cassert>
#include <cstdint>
#include <functional>

namespace vitq::numerics {

using Table256 = std::array<int32_t, 256>;

/// Index of an 8-bit code: the code itself when unsigned, code + 128 when
/// signed, so that entries are ordered by the value they stand for.
inline int64_t tableIndex(int64_t code, bool isSigned) {
  const int64_t index = isSigned ? code + 128 : code;
  assert(index >= 0 && index < 256 && "code out of range");
  return index;
}
inline int64_t tableCode(int64_t index, bool isSigned) { return isSigned ? index - 128 : index; }

/// entry[i] = quantizeReal(fn(inScale * (code(i) - inZeroPoint)), outScale,
/// outZeroPoint, all codes of the output type, half-up). outBits in 1..31
/// (32 when signed).
Table256 buildTable(const std::function<double(double)> &fn, double inScale, int64_t inZeroPoint, bool inSigned,
                    double outScale, int64_t outZeroPoint, int outBits, bool outSigned);

} // namespace vitq::numerics

#endif // VITQ_NUMERICS_TABLE_H
