//===- Tensor.h - Tensors known at compile time ------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_FRONTEND_TENSOR_H
#define VITQ_LIB_FRONTEND_TENSOR_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vitq::frontend {

using Shape = llvm::SmallVector<int64_t>;

enum class DType { F32, F64, I64, I32, I16, I8, U8, Bool };

inline bool isFloat(DType type) { return type == DType::F32 || type == DType::F64; }
llvm::StringRef stringify(DType type);

/// No tensor may have more elements, whether stored or only typed.
constexpr int64_t kMaxElements = int64_t(1) << 31;
/// Nor may a tensor that the importer makes itself (Expand, ConstantOfShape).
constexpr int64_t kMaxFoldedElements = int64_t(1) << 28;
constexpr size_t kMaxRank = 16;

/// The number of elements; none when a size is negative, or there are more
/// than `limit` or more axes than kMaxRank.
std::optional<int64_t> countElements(llvm::ArrayRef<int64_t> shape, int64_t limit = kMaxElements);

/// A constant. Elements are in row-major order in the vector for the type.
struct Tensor {
  DType dtype = DType::F32;
  Shape shape;
  std::vector<float> f32;
  std::vector<double> f64;
  std::vector<int64_t> ints;
  /// The name of the ONNX value it came from.
  std::string name;

  Tensor() = default;
  Tensor(DType dtype, llvm::ArrayRef<int64_t> shape, llvm::StringRef name);

  int64_t size() const;
  double getDouble(int64_t i) const;
  int64_t getInt(int64_t i) const;
  void setDouble(int64_t i, double value);
  void setInt(int64_t i, int64_t value);
};
using TensorPtr = std::shared_ptr<const Tensor>;

/// The elements of a float tensor as f32.
std::vector<float> toFloats(const Tensor &tensor);

/// Functions of constants. Callers have checked shapes and ranges.
TensorPtr reshapeTensor(const Tensor &input, llvm::ArrayRef<int64_t> shape, llvm::StringRef name);
/// `y[i] = x[offset + sum i_k * strides_k]`.
TensorPtr stridedTensor(const Tensor &input, llvm::ArrayRef<int64_t> shape, int64_t offset,
                        llvm::ArrayRef<int64_t> strides, llvm::StringRef name);
TensorPtr transposeTensor(const Tensor &input, llvm::ArrayRef<int64_t> permutation, llvm::StringRef name);
TensorPtr sliceTensor(const Tensor &input, llvm::ArrayRef<int64_t> offsets, llvm::ArrayRef<int64_t> sizes,
                      llvm::ArrayRef<int64_t> strides, llvm::StringRef name);
TensorPtr broadcastTensor(const Tensor &input, llvm::ArrayRef<int64_t> shape, llvm::StringRef name);
TensorPtr gatherTensor(const Tensor &input, llvm::ArrayRef<int64_t> indices, int64_t axis, llvm::StringRef name);
TensorPtr concatTensors(llvm::ArrayRef<TensorPtr> inputs, int64_t axis, llvm::StringRef name);
TensorPtr castTensor(const Tensor &input, DType dtype, llvm::StringRef name);
TensorPtr mapTensor(const Tensor &input, llvm::function_ref<double(double)> function, llvm::StringRef name);

/// begin, begin + 1, ..., end - 1.
inline Shape range(int64_t begin, int64_t end) {
  Shape values;
  for (int64_t i = begin; i < end; ++i)
    values.push_back(i);
  return values;
}

/// Row-major strides.
Shape rowMajorStrides(llvm::ArrayRef<int64_t> shape);

} // namespace vitq::frontend

#endif // VITQ_LIB_FRONTEND_TENSOR_H
