//===- Npy.h - NumPy's array files ------------------------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_DATA_NPY_H
#define VITQ_DATA_NPY_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cassert>
#include <cstdint>
#include <string>
#include <vector>

namespace vitq::data {

/// The element types that are read and written, all little endian.
enum class DType { UInt8, Int8, Int16, Int32, Int64, Float32, Float64 };

/// Bytes of one element.
size_t sizeOf(DType dtype);

/// NumPy's name: "uint8", "float32" ...
llvm::StringRef toString(DType dtype);

/// The DType of a C++ type.
template <typename T>
constexpr DType dtypeOf();
template <>
constexpr DType dtypeOf<uint8_t>() {
  return DType::UInt8;
}
template <>
constexpr DType dtypeOf<int8_t>() {
  return DType::Int8;
}
template <>
constexpr DType dtypeOf<int16_t>() {
  return DType::Int16;
}
template <>
constexpr DType dtypeOf<int32_t>() {
  return DType::Int32;
}
template <>
constexpr DType dtypeOf<int64_t>() {
  return DType::Int64;
}
template <>
constexpr DType dtypeOf<float>() {
  return DType::Float32;
}
template <>
constexpr DType dtypeOf<double>() {
  return DType::Float64;
}

/// Extents joined by 'x' ("2x3x224x224"), "scalar" if there are none.
std::string shapeToString(llvm::ArrayRef<int64_t> shape);

/// An array in row-major (C) order. `bytes.size()` is the product of `shape`
/// times `sizeOf(dtype)`; rank 0 is one element.
struct NpyArray {
  std::vector<int64_t> shape;
  DType dtype = DType::UInt8;
  std::vector<char> bytes;

  int64_t numElements() const { return static_cast<int64_t>(bytes.size() / sizeOf(dtype)); }

  /// The elements; `T` must be the C++ type of `dtype`.
  template <typename T>
  llvm::ArrayRef<T> values() const {
    assert(dtype == dtypeOf<T>() && "element type differs from the file's");
    return {reinterpret_cast<const T *>(bytes.data()), bytes.size() / sizeof(T)};
  }
};

/// What stands before the data of a .npy file.
struct NpyHeader {
  std::vector<int64_t> shape;
  DType dtype = DType::UInt8;
  bool fortranOrder = false;
  /// Where the data starts, and how long it is, in bytes.
  uint64_t dataOffset = 0;
  uint64_t dataSize = 0;
};

/// Longest preamble, in bytes, that `parseNpyHeader` reads.
inline constexpr size_t kMaxNpyHeader = 1 << 16;

/// Parses the start of a .npy file of `fileSize` bytes, of which `bytes` holds
/// the first min(fileSize, kMaxNpyHeader) or more. `name` is what errors call
/// it. Fails on damage, on element types not in DType, and if the file is
/// shorter than its shape says.
llvm::Expected<NpyHeader> parseNpyHeader(llvm::StringRef bytes, uint64_t fileSize, llvm::StringRef name);

/// Parses a whole .npy file held in memory. Fortran order is turned into C
/// order.
llvm::Expected<NpyArray> parseNpy(llvm::StringRef bytes, llvm::StringRef name);

/// Reads an array of any rank from a `.npy` file, from a `.npz` file that holds
/// one array, or, as `file.npz:key`, the one named `key`. If a `.npz` file
/// without a key holds several arrays, the first is read.
llvm::Expected<NpyArray> readNpy(llvm::StringRef path);

/// Whether `path` names a .npy or .npz file (with or without `:key`) by its
/// extension.
bool isNpyPath(llvm::StringRef path);

/// Writes a `.npy` file (version 1.0, C order), wholly or not at all. `data`
/// must hold the product of `shape` times `sizeOf(dtype)` bytes.
llvm::Error writeNpy(llvm::StringRef path, llvm::ArrayRef<int64_t> shape, DType dtype, llvm::ArrayRef<char> data);

/// Writes `values` as an array of `shape`.
template <typename T>
llvm::Error writeNpy(llvm::StringRef path, llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<T> values) {
  return writeNpy(path, shape, dtypeOf<T>(),
                  llvm::ArrayRef<char>(reinterpret_cast<const char *>(values.data()), values.size() * sizeof(T)));
}

/// An array that somebody else holds, with a name of its own.
struct NamedArray {
  std::string name;
  std::vector<int64_t> shape;
  DType dtype = DType::UInt8;
  llvm::ArrayRef<char> data;
};

/// Writes a `.npz` file, not compressed, wholly or not at all: the same bytes for the same
/// arrays. `data` must hold what `shape` and `dtype` say.
llvm::Error writeNpz(llvm::StringRef path, llvm::ArrayRef<NamedArray> arrays);

} // namespace vitq::data

#endif // VITQ_DATA_NPY_H
