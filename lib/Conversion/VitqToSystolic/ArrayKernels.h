//===- ArrayKernels.h - Which ops the array computes in one launch -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOSYSTOLIC_ARRAYKERNELS_H
#define VITQ_LIB_CONVERSION_VITQTOSYSTOLIC_ARRAYKERNELS_H

#include "vitq/Target/Systolic/Units.h"
#include "vitq/Target/Systolic/Wishes.h"

#include <optional>

namespace vitq::systolic {

/// The ops of a kernel of the array by what is done with them.
struct ArrayKernel {
  /// The product, if there is one, and then what units compute, in order.
  integer::MatmulOp product;
  llvm::SmallVector<mlir::Operation *> stages;
  /// A requantization by 2^-shift instead, which the store of the sums does.
  integer::RequantOp scale;
  unsigned shift = 0;
  /// Whether a stage needs all of a row's sums.
  bool wholeRows = false;

  /// All of them in order.
  llvm::SmallVector<mlir::Operation *> ops() const;
  mlir::Operation *last() const { return ops().back(); }
  /// Tensors that the stages read besides their rows, as they are now: other launches
  /// replace values.
  llvm::SmallVector<mlir::Value> extras() const;
};

/// What the array can do: products, with what its units compute on the sums before these are
/// stored, and single ops of units on rows from DRAM.
class ArrayKernelRules : public integer::KernelRules {
public:
  ArrayKernelRules(simulator::Config config, PlacementWishes wishes)
      : config(std::move(config)), wishes(std::move(wishes)) {}

  integer::KernelFit fit(llvm::ArrayRef<mlir::Operation *> ops, std::string &reason) const override;
  /// An op in no kernel runs on the host.
  bool wantsSingleOps() const override { return true; }

  /// As `fit`, and says what each op is.
  integer::KernelFit read(llvm::ArrayRef<mlir::Operation *> ops, ArrayKernel &kernel, std::string &reason) const;
  /// Why a product that the array would compute needs wider accumulators than it has, or
  /// nothing: no host can help then.
  std::string overflowOf(integer::MatmulOp op) const;
  /// Why `op` does not follow the product that gives its rows, if these are too long; or nothing.
  std::string rowsTooLong(mlir::Operation *op) const;
  PlacementWishes::Place wishFor(mlir::Operation *op) const { return wishes.placeOf(op); }

private:
  bool add(ArrayKernel &kernel, mlir::Operation *op, std::string &reason) const;
  bool takesProduct(integer::MatmulOp op, std::string &reason) const;
  bool takesRows(mlir::Operation *op, std::string &reason) const;
  bool addScale(ArrayKernel &kernel, mlir::Operation *op) const;
  bool addStage(ArrayKernel &kernel, mlir::Operation *op, std::string &reason) const;
  std::optional<StageOfOp> stageFor(mlir::Operation *op, mlir::Value rows, std::string &reason) const;

  const simulator::Config config;
  const PlacementWishes wishes;
};

} // namespace vitq::systolic

#endif // VITQ_LIB_CONVERSION_VITQTOSYSTOLIC_ARRAYKERNELS_H
