//===- Table.cpp - 256-entry tables of element-wise functions -===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/Table.h"

#include "vitq/Numerics/Quantize.h"

using namespace vitq::numerics;

Table256 vitq::numerics::buildTable(const std::function<double(double)> &fn, double inScale, int64_t inZeroPoint,
                                    bool inSigned, double outScale, int64_t outZeroPoint, int outBits, bool outSigned) {
  assert(outBits >= 1 && outBits <= (outSigned ? 32 : 31) && "table entries are int32");
  const Interval codes = codeRange(outBits, outSigned);
  Table256 table{};
  for (int64_t i = 0; i < 256; ++i) {
    const double x = dequantize(tableCode(i, inSigned), inScale, inZeroPoint);
    table[i] =
        static_cast<int32_t>(quantizeReal(fn(x), outScale, outZeroPoint, codes.min, codes.max, Rounding::HalfUp));
  }
  return table;
}
