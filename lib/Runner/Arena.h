//===- Arena.h - Memory that compiled code works in -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_RUNNER_ARENA_H
#define VITQ_LIB_RUNNER_ARENA_H

#include "llvm/Support/MemAlloc.h"

#include <algorithm>

namespace vitq::runner {

/// Memory that a program works in.
class Arena {
public:
  Arena(size_t size, size_t align)
      : size(std::max<size_t>(size, 1)), align(std::max<size_t>(align, 64)),
        memory(llvm::allocate_buffer(this->size, this->align)) {}
  ~Arena() { llvm::deallocate_buffer(memory, size, align); }
  Arena(const Arena &) = delete;
  Arena &operator=(const Arena &) = delete;

  size_t size, align;
  void *memory;
};

} // namespace vitq::runner

#endif // VITQ_LIB_RUNNER_ARENA_H
