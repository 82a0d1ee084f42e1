//===- CpuKernels.h - Which ops a CPU computes in one kernel -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOKERNELS_CPUKERNELS_H
#define VITQ_LIB_CONVERSION_VITQTOKERNELS_CPUKERNELS_H

#include "dialects/vitq/Vitq.h"
#include "vitq/Target/Isa/TargetDesc.h"

namespace vitq::kernels {

/// The ops of a kernel by what is done with them. Either a product and ops on its rows; or an
/// attention: a product (scores), ops on its rows of which the last gives codes, the product of
/// these with another operand (context), and ops on its rows.
struct KernelParts {
  /// The root: a product, or a depthwise convolution.
  integer::MatmulOp product;
  integer::DepthwiseConv2dOp depthwise;
  llvm::SmallVector<mlir::Operation *> rowOps;
  integer::MatmulOp context;
  llvm::SmallVector<mlir::Operation *> contextOps;
  /// Says where the rows of the result of an attention go; null: they stay in order.
  integer::TransposeOp transpose;

  bool isAttention() const { return static_cast<bool>(integer::MatmulOp(context)); }
  mlir::Operation *last() const;
  /// All of them in order.
  llvm::SmallVector<mlir::Operation *> all() const;

  /// Sets `parts` to the parts of `ops`, a sequence as KernelRules has them.
  static integer::KernelFit read(llvm::ArrayRef<mlir::Operation *> ops, KernelParts &parts, std::string &reason);

private:
  integer::KernelFit add(mlir::Operation *op, std::string &reason);
  integer::KernelFit addContext(integer::MatmulOp op, std::string &reason);
  integer::KernelFit addTranspose(integer::TransposeOp op, std::string &reason);
  bool readsOnlyRow(integer::RowwiseOp op, std::string &reason) const;
};

/// What the emitter of this folder can do.
class CpuKernelRules : public integer::KernelRules {
public:
  explicit CpuKernelRules(TargetDesc target) : target(std::move(target)) {}

  integer::KernelFit fit(llvm::ArrayRef<mlir::Operation *> ops, std::string &reason) const override;
  bool readsThrough(llvm::ArrayRef<mlir::Operation *> ops, mlir::OpOperand &operand,
                    mlir::Operation *move) const override;

private:
  TargetDesc target;
};

} // namespace vitq::kernels

#endif // VITQ_LIB_CONVERSION_VITQTOKERNELS_CPUKERNELS_H
