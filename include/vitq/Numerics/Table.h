//===- Table.h - Tables of element-wise functions -----*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_NUMERICS_TABLE_H
#define VITQ_NUMERICS_TABLE_H

#include "vitq/Numerics/Code.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace vitq::numerics {

/// Tables that an op may choose from, one for each channel.
inline constexpr int64_t kMaxTables = 128;

/// entry[i] = quantizeReal(fn(inScale * (code(i) - zero)), outScale, of the output's codes,
/// half-up) for each of the input's 2^bits codes, ordered by their value (Code::index). Input
/// codes have at most 16 bits, output codes 31 (32 when signed).
std::vector<int32_t> buildTable(const std::function<double(double)> &fn, double inScale, Code in, double outScale,
                                Code out);

/// The table of 2^8 entries for bytes that hold narrower codes: those beyond them, which no byte
/// holds, have the nearest code's entry.
std::vector<int32_t> widenTable(const std::vector<int32_t> &entries, Code narrow);

} // namespace vitq::numerics

#endif // VITQ_NUMERICS_TABLE_H
