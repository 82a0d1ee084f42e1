//===- OnnxConstant.h - Tensors known at compile time ------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_FRONTEND_ONNXCONSTANT_H
#define VITQ_LIB_FRONTEND_ONNXCONSTANT_H

#include "vitq/Tensor/Moves.h"

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace vitq::frontend {

using Shape = llvm::SmallVector<int64_t>;

/// The ONNX types whose constants are read.
enum class DType { F32, F64, F16, BF16, I64, I32, I16, I8, I4, U64, U32, U16, U8, U4, Bool };

inline bool isHalf(DType type) { return type == DType::F16 || type == DType::BF16; }
inline bool isFloat(DType type) { return type == DType::F32 || type == DType::F64 || isHalf(type); }
inline bool isUnsigned(DType type) {
  return type == DType::U64 || type == DType::U32 || type == DType::U16 || type == DType::U8 || type == DType::U4;
}
inline bool isNibble(DType type) { return type == DType::I4 || type == DType::U4; }
inline bool isInteger(DType type) { return !isFloat(type) && type != DType::Bool; }
llvm::StringRef stringify(DType type);

/// The type that onnx.TensorProto.DataType calls `number`, if its constants are read.
std::optional<DType> fromOnnxType(int64_t number);

/// What an element is in memory. Who reads it knows the sign; halves are I16, their bits; an element of 4
/// bits takes a byte, extended by its type's sign.
ElementKind kindOf(DType type);

/// No tensor may have more elements, whether stored or only typed.
constexpr int64_t kMaxElements = int64_t(1) << 31;
/// Nor may a tensor that the importer makes itself (Expand, ConstantOfShape).
constexpr int64_t kMaxFoldedElements = int64_t(1) << 28;
constexpr int64_t kMaxFoldedBytes = int64_t(1) << 29;
constexpr size_t kMaxRank = 16;

/// The number of elements; none when a size is negative, or there are more
/// than `limit` or more axes than kMaxRank.
std::optional<int64_t> countElements(llvm::ArrayRef<int64_t> shape, int64_t limit = kMaxElements);

/// The integers that a constant is coded as (ConstantCodes.h).
struct ConstantCodes;

/// A tensor of an ONNX type.
struct OnnxConstant;
using ConstantPtr = std::shared_ptr<const OnnxConstant>;

struct OnnxConstant {
  DType dtype;
  Tensor elements;
  /// The name of the ONNX value it came from.
  std::string name;
  /// Of reals that a DequantizeLinear gives: what they are coded as. Only moves keep it.
  std::shared_ptr<const ConstantCodes> codes;

  OnnxConstant(DType dtype, Tensor elements, llvm::StringRef name)
      : dtype(dtype), elements(std::move(elements)), name(name.str()) {}
  /// Zeros, to be written. The shape has been checked.
  OnnxConstant(DType dtype, llvm::ArrayRef<int64_t> shape, llvm::StringRef name);

  llvm::ArrayRef<int64_t> shape() const { return elements.shape(); }
  int64_t size() const { return elements.numElements(); }
  double getDouble(int64_t i) const;
  /// Of a real the integer part; what does not fit is clamped, NaN is 0. A U64 has its bits.
  int64_t getInt(int64_t i) const;
  /// Rounded to the type's nearest number, even where two are; to an integer towards 0, and to the
  /// nearest that the type has.
  void setDouble(int64_t i, double value);
  /// An integer modulo the type's size.
  void setInt(int64_t i, int64_t value);
  /// All elements as by getInt.
  Shape ints() const;

  /// A constant of the same type with elements moved from this one.
  ConstantPtr with(Tensor moved, llvm::StringRef newName) const {
    return std::make_shared<OnnxConstant>(dtype, std::move(moved), newName);
  }
};

/// A real as 16 bits of `type`, and back.
uint16_t toHalf(DType type, double value);
float fromHalf(DType type, uint16_t bits);

/// The elements as f32.
Tensor toF32(const OnnxConstant &constant);

/// Functions of constants.
ConstantPtr castConstant(const OnnxConstant &input, DType dtype, llvm::StringRef name);
ConstantPtr mapConstant(const OnnxConstant &input, llvm::function_ref<double(double)> function, llvm::StringRef name);

/// begin, begin + 1, ..., end - 1.
inline Shape range(int64_t begin, int64_t end) {
  Shape values;
  for (int64_t i = begin; i < end; ++i)
    values.push_back(i);
  return values;
}

} // namespace vitq::frontend

#endif // VITQ_LIB_FRONTEND_ONNXCONSTANT_H
