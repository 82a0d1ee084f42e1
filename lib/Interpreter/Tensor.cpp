//===- Tensor.cpp - Values of the interpreters -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Interpreter/Tensor.h"

#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MemAlloc.h"

using namespace vitq;

size_t vitq::sizeOf(ElementKind kind) {
  switch (kind) {
  case ElementKind::I1:
  case ElementKind::I8:
    return 1;
  case ElementKind::I16:
    return 2;
  case ElementKind::F32:
  case ElementKind::I32:
    return 4;
  case ElementKind::F64:
  case ElementKind::I64:
    return 8;
  }
  llvm_unreachable("unknown element kind");
}

llvm::StringRef vitq::toString(ElementKind kind) {
  switch (kind) {
  case ElementKind::F32:
    return "f32";
  case ElementKind::F64:
    return "f64";
  case ElementKind::I1:
    return "i1";
  case ElementKind::I8:
    return "i8";
  case ElementKind::I16:
    return "i16";
  case ElementKind::I32:
    return "i32";
  case ElementKind::I64:
    return "i64";
  }
  llvm_unreachable("unknown element kind");
}

static int64_t productOf(llvm::ArrayRef<int64_t> shape) {
  int64_t product = 1;
  for (int64_t extent : shape)
    product *= extent;
  return product;
}

Tensor Tensor::allocate(ElementKind kind, llvm::ArrayRef<int64_t> shape) {
  constexpr size_t alignment = 64;
  Tensor tensor;
  tensor.extents.assign(shape.begin(), shape.end());
  tensor.count = productOf(shape);
  tensor.elementKind = kind;
  tensor.writable = true;
  size_t size = std::max<size_t>(tensor.numBytes(), 1);
  void *memory = llvm::allocate_buffer(size, alignment);
  tensor.storage = std::shared_ptr<const void>(
      memory, [size](const void *p) { llvm::deallocate_buffer(const_cast<void *>(p), size, alignment); });
  tensor.elements = memory;
  return tensor;
}

Tensor Tensor::view(ElementKind kind, llvm::ArrayRef<int64_t> shape, const void *data,
                    std::shared_ptr<const void> owner) {
  Tensor tensor;
  tensor.extents.assign(shape.begin(), shape.end());
  tensor.count = productOf(shape);
  tensor.elementKind = kind;
  tensor.storage = std::move(owner);
  tensor.elements = data;
  return tensor;
}

Tensor Tensor::reshaped(llvm::ArrayRef<int64_t> shape) const {
  assert(productOf(shape) == count && "another number of elements");
  Tensor tensor = *this;
  tensor.extents.assign(shape.begin(), shape.end());
  tensor.writable = false;
  return tensor;
}
