//===- Tensor.cpp - Tensors in the compiler's memory -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Tensor/Tensor.h"
#include "vitq/Tensor/MemoryPool.h"

#include "llvm/Support/MemAlloc.h"

#include <cstring>
#include <map>
#include <mutex>

using namespace vitq;

size_t vitq::sizeOf(ElementKind kind) {
  return dispatch(kind, [](auto zero) { return sizeof(zero); });
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

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

static constexpr size_t kAlignment = 64;

/// Buffers by their size. Those that come back after the pool's end are freed.
struct MemoryPool::State {
  std::mutex mutex;
  bool isOpen = true;
  std::multimap<size_t, void *> free;

  void *take(size_t size) {
    std::lock_guard<std::mutex> lock(mutex);
    auto found = free.find(size);
    if (found == free.end())
      return nullptr;
    void *memory = found->second;
    free.erase(found);
    return memory;
  }
  void give(void *memory, size_t size) {
    std::lock_guard<std::mutex> lock(mutex);
    if (isOpen)
      free.emplace(size, memory);
    else
      llvm::deallocate_buffer(memory, size, kAlignment);
  }
  void close() {
    std::lock_guard<std::mutex> lock(mutex);
    isOpen = false;
    for (auto [size, memory] : free)
      llvm::deallocate_buffer(memory, size, kAlignment);
    free.clear();
  }
};

static thread_local std::shared_ptr<MemoryPool::State> currentPool;

MemoryPool::MemoryPool() : outer(std::move(currentPool)) { currentPool = std::make_shared<State>(); }
MemoryPool::~MemoryPool() {
  currentPool->close();
  currentPool = std::move(outer);
}

static std::shared_ptr<const void> allocateShared(size_t size) {
  // Of smaller ones the allocator has lists of its own.
  constexpr size_t leastPooled = size_t(1) << 16;
  if (size < leastPooled || !currentPool) {
    void *memory = llvm::allocate_buffer(size, kAlignment);
    return {memory, [size](const void *p) { llvm::deallocate_buffer(const_cast<void *>(p), size, kAlignment); }};
  }
  void *memory = currentPool->take(size);
  if (!memory)
    memory = llvm::allocate_buffer(size, kAlignment);
  return {memory, [size, pool = currentPool](const void *p) { pool->give(const_cast<void *>(p), size); }};
}

Tensor Tensor::allocate(ElementKind kind, llvm::ArrayRef<int64_t> shape) {
  Tensor tensor;
  tensor.extents.assign(shape.begin(), shape.end());
  tensor.count = productOf(shape);
  tensor.elementKind = kind;
  tensor.writable = true;
  size_t size = std::max<size_t>(tensor.numBytes(), 1);
  tensor.storage = allocateShared(size);
  tensor.elements = tensor.storage.get();
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

Tensor Tensor::part(int64_t offset, llvm::ArrayRef<int64_t> shape) const {
  assert(offset >= 0 && offset + productOf(shape) <= count && "outside the tensor");
  return view(elementKind, shape, bytes() + offset * static_cast<int64_t>(sizeOf(elementKind)), storage);
}

Tensor Tensor::converted(ElementKind kind) const {
  if (kind == elementKind)
    return *this;
  assert((!vitq::isFloat(elementKind) || vitq::isFloat(kind)) && "how reals become integers is the caller's business");
  Tensor result = allocate(kind, extents);
  dispatch(elementKind, [&](auto from) {
    dispatch(kind, [&](auto to) {
      using To = decltype(to);
      llvm::ArrayRef<decltype(from)> own = values<decltype(from)>();
      std::transform(own.begin(), own.end(), result.mutableData<To>(),
                     [](auto value) { return static_cast<To>(value); });
    });
  });
  return result;
}

bool Tensor::isSplat() const {
  // The elements from the second on are those that begin at the first.
  size_t size = sizeOf(elementKind);
  return count > 0 && std::memcmp(bytes(), bytes() + size, numBytes() - size) == 0;
}
