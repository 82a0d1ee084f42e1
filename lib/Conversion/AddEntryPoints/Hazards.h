//===- Hazards.h - Which steps must wait for others -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_ADDENTRYPOINTS_HAZARDS_H
#define VITQ_LIB_CONVERSION_ADDENTRYPOINTS_HAZARDS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/BitVector.h"

namespace vitq {

/// Follows the steps of `@main`, whose buffers have places, and tells before which of
/// them all threads must have finished those before: where one side writes memory
/// that the other touches. There are two exceptions. Steps that share out the same
/// rows in the same way and touch a buffer row by row give each thread its own rows.
/// Working memory of calls belongs to one thread.
class Hazards {
public:
  /// Takes the step into account as well.
  bool needsBarrier(mlir::func::CallOp step);
  /// Everything before is done.
  void clear() { pending.clear(); }

private:
  /// Bytes that a step touches.
  struct Access {
    /// Number of the operand of `@main`.
    unsigned base;
    int64_t begin, end;
    bool writes, scratch;
    /// What the rows are shared out by; {0, 0} if the buffer is not touched row by row.
    std::pair<int64_t, int64_t> sharing;

    bool conflictsWith(const Access &other) const;
  };

  llvm::SmallVector<Access> accessesOf(mlir::func::CallOp step);
  /// The operands of a kernel that it writes.
  const llvm::BitVector &writtenBy(mlir::func::FuncOp kernel);

  llvm::SmallVector<Access> pending;
  llvm::DenseMap<mlir::Operation *, llvm::BitVector> written;
};

} // namespace vitq

#endif // VITQ_LIB_CONVERSION_ADDENTRYPOINTS_HAZARDS_H
