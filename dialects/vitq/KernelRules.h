//===- KernelRules.h - Which ops a target computes in one kernel -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_VITQ_KERNELRULES_H
#define DIALECTS_VITQ_KERNELRULES_H

#include "mlir/IR/Operation.h"
#include "mlir/Support/LLVM.h"

#include <string>

namespace vitq::integer {

/// Whether some ops are a kernel.
enum class KernelFit : uint8_t {
  No,     ///< neither they nor any ops that begin with them
  Prefix, ///< not by themselves; with others behind them they may be
  Kernel  ///< yes, and with others behind them they may be one too
};

/// What a target says about its kernels. `vitq-form-kernels` gets one from the target's
/// attribute for each run and asks it for one sequence of ops after another, each the one
/// before and one op more.
///
/// A sequence is the root and what follows it: each op is the only user of the first
/// result of the op before it, which it reads as the row that flows through
/// (`RowwiseOp`), or moves. That nothing but the last op's results is read outside is
/// the pass's business.
class KernelRules {
public:
  virtual ~KernelRules() = default;

  /// Whether `ops` are a kernel; if not, `reason` says why ("the array has no softmax
  /// unit"). They stand where they are in the function, not in a kernel.
  virtual KernelFit fit(llvm::ArrayRef<mlir::Operation *> ops, std::string &reason) const = 0;

  /// Whether a kernel of `ops` reads `operand`, which one of them has, through `move`,
  /// the op that defines it: as patches of a picture, or by strides. `move` then becomes a
  /// part of the kernel; it stays outside too if others read it.
  virtual bool readsThrough(llvm::ArrayRef<mlir::Operation *> ops, mlir::OpOperand &operand,
                            mlir::Operation *move) const {
    return false;
  }

  /// Whether an op that nothing follows becomes a kernel as well. So it should where an
  /// op in no kernel does not run on the target.
  virtual bool wantsSingleOps() const { return false; }
};

} // namespace vitq::integer

#endif // DIALECTS_VITQ_KERNELRULES_H
