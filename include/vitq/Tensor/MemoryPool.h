//===- MemoryPool.h - Memory of tensors that are gone -----------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TENSOR_MEMORYPOOL_H
#define VITQ_TENSOR_MEMORYPOOL_H

#include <memory>

namespace vitq {

/// While one lives, large tensors that its thread allocates take the memory of those that it
/// allocated and that are gone: the system need not clear new pages for every result of every run.
/// Tensors may outlive it, and may end in other threads. One inside another's life takes its place.
class MemoryPool {
public:
  MemoryPool();
  ~MemoryPool();
  MemoryPool(const MemoryPool &) = delete;
  MemoryPool &operator=(const MemoryPool &) = delete;

  struct State;

private:
  std::shared_ptr<State> outer;
};

} // namespace vitq

#endif // VITQ_TENSOR_MEMORYPOOL_H
