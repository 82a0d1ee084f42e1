//===- Tensor.h - Tensors in the compiler's memory -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TENSOR_TENSOR_H
#define VITQ_TENSOR_TENSOR_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/ErrorHandling.h"

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <type_traits>

namespace vitq {

/// Element types. Integers are signless: who reads them says how. An I1 element
/// takes one byte, 0 or 1; codes of 2 to 7 bits are I8, extended by their sign.
enum class ElementKind : uint8_t { F32, F64, I1, I8, I16, I32, I64 };

/// Bytes of one element.
size_t sizeOf(ElementKind kind);

/// The MLIR spelling: "f32", "i8" ...
llvm::StringRef toString(ElementKind kind);

/// The kind that holds a C++ type; signed and unsigned types have the same.
template <typename T>
constexpr ElementKind kindOf() {
  if constexpr (std::is_same_v<T, float>)
    return ElementKind::F32;
  else if constexpr (std::is_same_v<T, double>)
    return ElementKind::F64;
  else if constexpr (std::is_same_v<T, bool>)
    return ElementKind::I1;
  else if constexpr (sizeof(T) == 1)
    return ElementKind::I8;
  else if constexpr (sizeof(T) == 2)
    return ElementKind::I16;
  else if constexpr (sizeof(T) == 4)
    return ElementKind::I32;
  else
    return ElementKind::I64;
}

/// Calls `function` with a value of the C++ type (signed, or bool) of `kind`.
template <typename Function>
decltype(auto) dispatch(ElementKind kind, Function &&function) {
  switch (kind) {
  case ElementKind::F32:
    return function(float());
  case ElementKind::F64:
    return function(double());
  case ElementKind::I1:
    return function(bool());
  case ElementKind::I8:
    return function(int8_t());
  case ElementKind::I16:
    return function(int16_t());
  case ElementKind::I32:
    return function(int32_t());
  case ElementKind::I64:
    return function(int64_t());
  }
  llvm_unreachable("unknown element kind");
}

inline bool isFloat(ElementKind kind) { return kind == ElementKind::F32 || kind == ElementKind::F64; }

/// A tensor of static shape: row-major, contiguous, aligned to 64 bytes when
/// allocated here. What is strided is a `TensorView` (Moves.h). Copies share the elements; who allocates one writes
/// them before handing it on, nobody afterwards.
class Tensor {
public:
  Tensor() = default;

  /// A tensor whose elements are yet to be written.
  static Tensor allocate(ElementKind kind, llvm::ArrayRef<int64_t> shape);

  /// A tensor over elements that outlive it, or that `owner` keeps alive.
  static Tensor view(ElementKind kind, llvm::ArrayRef<int64_t> shape, const void *data,
                     std::shared_ptr<const void> owner = nullptr);

  /// A copy of `values`.
  template <typename T>
  static Tensor of(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<T> values) {
    Tensor tensor = allocate(kindOf<T>(), shape);
    assert(tensor.numElements() == static_cast<int64_t>(values.size()) && "shape does not fit the values");
    std::copy(values.begin(), values.end(), tensor.mutableData<T>());
    return tensor;
  }
  template <typename T>
  static Tensor of(llvm::ArrayRef<int64_t> shape, std::initializer_list<T> values) {
    return of<T>(shape, llvm::ArrayRef<T>(values));
  }

  /// The same elements under another shape with as many.
  Tensor reshaped(llvm::ArrayRef<int64_t> shape) const;

  /// `shape` elements in a row from element `offset` on, without a copy.
  Tensor part(int64_t offset, llvm::ArrayRef<int64_t> shape) const;

  /// The elements as another kind; itself when it has that kind. Integers are
  /// extended by their sign (I1: by zeros) or truncated (to I1: whether it is
  /// not 0), reals rounded to nearest even. Not from reals to integers.
  Tensor converted(ElementKind kind) const;

  /// Whether this is no tensor (not allocated, or freed).
  bool empty() const { return !elements; }
  ElementKind kind() const { return elementKind; }
  llvm::ArrayRef<int64_t> shape() const { return extents; }
  int64_t numElements() const { return count; }
  size_t numBytes() const { return static_cast<size_t>(count) * sizeOf(elementKind); }

  /// The elements; T is a type of the tensor's kind (either signedness).
  template <typename T>
  const T *data() const {
    assert(kindOf<T>() == elementKind && "elements are of another type");
    return static_cast<const T *>(elements);
  }
  template <typename T>
  T *mutableData() {
    assert(kindOf<T>() == elementKind && writable && "elements are of another type, or not owned");
    return static_cast<T *>(const_cast<void *>(elements));
  }
  template <typename T>
  llvm::ArrayRef<T> values() const {
    return llvm::ArrayRef<T>(data<T>(), static_cast<size_t>(count));
  }
  /// Element `i` of a tensor of integers, I1 as 0 or 1; of any as a real.
  int64_t intAt(int64_t i) const {
    assert(!isFloat(elementKind) && "reals are no integers");
    return dispatch(elementKind, [&](auto zero) { return static_cast<int64_t>(data<decltype(zero)>()[i]); });
  }
  double realAt(int64_t i) const {
    return dispatch(elementKind, [&](auto zero) { return static_cast<double>(data<decltype(zero)>()[i]); });
  }
  /// Writes element `i`; an integer as `converted` would.
  void setInt(int64_t i, int64_t value) {
    dispatch(elementKind, [&](auto zero) { mutableData<decltype(zero)>()[i] = static_cast<decltype(zero)>(value); });
  }

  /// Whether the elements live at least as long as this tensor.
  bool ownsElements() const { return static_cast<bool>(storage); }
  /// Whether all elements have the same bits.
  bool isSplat() const;

  /// The elements as they are in memory.
  llvm::ArrayRef<char> raw() const { return {bytes(), numBytes()}; }
  const char *bytes() const { return static_cast<const char *>(elements); }
  char *mutableBytes() {
    assert(writable && "elements are not owned");
    return static_cast<char *>(const_cast<void *>(elements));
  }

private:
  llvm::SmallVector<int64_t, 4> extents;
  int64_t count = 0;
  ElementKind elementKind = ElementKind::F32;
  bool writable = false;
  std::shared_ptr<const void> storage;
  const void *elements = nullptr;
};

} // namespace vitq

#endif // VITQ_TENSOR_TENSOR_H
