//===- Table.cpp - Tables of element-wise functions -===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/Table.h"

using namespace vitq::numerics;

std::vector<int32_t> vitq::numerics::buildTable(const std::function<double(double)> &fn, double inScale, Code in,
                                                double outScale, Code out) {
  assert(in.bits <= 16 && "too many entries");
  assert(out.bits <= (out.isUnsigned ? 31 : 32) && "table entries are int32");
  std::vector<int32_t> table;
  for (int64_t code = in.min(); code <= in.max(); ++code)
    table.push_back(static_cast<int32_t>(quantizeReal(fn(dequantize(code, inScale, in.zero)), outScale, out.zero,
                                                      out.min(), out.max(), Rounding::HalfUp)));
  return table;
}

std::vector<int32_t> vitq::numerics::widenTable(const std::vector<int32_t> &entries, Code narrow) {
  assert(static_cast<int64_t>(entries.size()) == narrow.count() && "one entry for each code");
  const Code byte{8, narrow.isUnsigned, 0};
  std::vector<int32_t> table;
  for (int64_t code = byte.min(); code <= byte.max(); ++code)
    table.push_back(entries[static_cast<size_t>(narrow.index(std::clamp(code, narrow.min(), narrow.max())))]);
  return table;
}
