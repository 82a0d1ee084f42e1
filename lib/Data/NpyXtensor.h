//===- NpyXtensor.h - The part of .npy that xtensor does --------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_DATA_NPYXTENSOR_H
#define VITQ_LIB_DATA_NPYXTENSOR_H

#include "vitq/Data/Npy.h"

#include <optional>
#include <string>

namespace vitq::data {

/// Copies column-major `data` of `shape` into `out`, row-major. Sizes must
/// agree. False if xtensor failed.
bool toRowMajor(llvm::ArrayRef<int64_t> shape, DType dtype, llvm::ArrayRef<char> data, std::vector<char> &out);

/// The bytes of a .npy file; none if xtensor failed. Sizes must agree.
std::optional<std::string> encodeNpy(llvm::ArrayRef<int64_t> shape, DType dtype, llvm::ArrayRef<char> data);

} // namespace vitq::data

#endif // VITQ_LIB_DATA_NPYXTENSOR_H
