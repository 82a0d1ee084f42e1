//===- NpyXtensor.cpp - The part of .npy that xtensor does ----------------===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The only file compiled with exceptions; none leaves it.
//
//===----------------------------------------------------------------------===//

#include "NpyXtensor.h"

#include <algorithm>
#include <exception>

#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#include <xtensor/xnpy.hpp>

using namespace vitq::data;

/// Calls `body` with a value of the C++ type of `dtype`.
template <typename Body>
static auto dispatch(DType dtype, Body body) {
  switch (dtype) {
  case DType::UInt8:
    return body(uint8_t());
  case DType::Int8:
    return body(int8_t());
  case DType::Int16:
    return body(int16_t());
  case DType::Int32:
    return body(int32_t());
  case DType::Int64:
    return body(int64_t());
  case DType::Float32:
    return body(float());
  case DType::Float64:
    break;
  }
  return body(double());
}

bool vitq::data::toRowMajor(llvm::ArrayRef<int64_t> shape, DType dtype, llvm::ArrayRef<char> data,
                            std::vector<char> &out) {
  try {
    std::vector<size_t> extents(shape.begin(), shape.end());
    dispatch(dtype, [&](auto zero) {
      using T = decltype(zero);
      // Memory of a file need not be aligned for T.
      xt::xarray<T, xt::layout_type::column_major> columns(extents);
      std::copy(data.begin(), data.end(), reinterpret_cast<char *>(columns.data()));
      xt::xarray<T, xt::layout_type::row_major> rows = columns;
      const auto *bytes = reinterpret_cast<const char *>(rows.data());
      out.assign(bytes, bytes + data.size());
    });
    return true;
  } catch (const std::exception &) {
    return false;
  }
}

std::optional<std::string> vitq::data::encodeNpy(llvm::ArrayRef<int64_t> shape, DType dtype,
                                                 llvm::ArrayRef<char> data) {
  try {
    std::vector<size_t> extents(shape.begin(), shape.end());
    return dispatch(dtype, [&](auto zero) {
      using T = decltype(zero);
      xt::xarray<T, xt::layout_type::row_major> array(extents);
      std::copy(data.begin(), data.end(), reinterpret_cast<char *>(array.data()));
      return xt::dump_npy(array);
    });
  } catch (const std::exception &) {
    return std::nullopt;
  }
}
