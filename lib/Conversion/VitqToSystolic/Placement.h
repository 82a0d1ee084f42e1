//===- Placement.h - Where ops run -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOSYSTOLIC_PLACEMENT_H
#define VITQ_LIB_CONVERSION_VITQTOSYSTOLIC_PLACEMENT_H

#include "ArrayKernels.h"

#include "dialects/vitq/VitqKernel.h"

#include "llvm/ADT/MapVector.h"

namespace vitq::systolic {

/// Says for each op of a function where it runs and why; kernels have decided that.
class Placement {
public:
  Placement(const simulator::Config &config, const ArrayKernelRules &rules) : config(config), rules(rules) {}

  /// Takes the kernels of a function apart: their ops then stand where the kernels did.
  /// Errors are diagnostics: a kernel that is none of the array, an op that is wanted where it cannot
  /// run, accumulators that are too narrow.
  mlir::LogicalResult run(mlir::func::FuncOp function);

  /// When all launches are made: errors at moves that are wanted on the array and did not become strides.
  mlir::LogicalResult checkMoves(mlir::func::FuncOp function) const;

  /// What each launch computes, in order.
  llvm::ArrayRef<ArrayKernel> getKernels() const { return kernels; }
  /// Of all ops, for the report.
  mlir::ArrayAttr record(mlir::MLIRContext *context) const;
  /// An op that stood between others and moved into them.
  void noteStride(mlir::Operation *op) { note(op, "array", "a stride of the product's operand"); }
  /// One that stays on the host although the array could do its work.
  void noteDeclined(mlir::Operation *op, llvm::StringRef reason) { note(op, "host", reason); }
  /// How often the array runs over a product's operands of so many bits.
  void notePasses(mlir::Operation *product, int64_t lhsBits, int64_t rhsBits);
  /// An op of the host that was added.
  void noteAdded(mlir::Location loc, llvm::StringRef op, llvm::StringRef reason);

private:
  mlir::LogicalResult addKernel(integer::KernelOp op);
  mlir::LogicalResult addHostOp(mlir::Operation *op);
  mlir::LogicalResult checkWish(mlir::Operation *op, llvm::StringRef reason) const;
  void noteKernel(const ArrayKernel &kernel);
  void note(mlir::Operation *op, llvm::StringRef where, const llvm::Twine &reason);

  const simulator::Config &config;
  const ArrayKernelRules &rules;
  llvm::SmallVector<ArrayKernel> kernels;
  struct Where {
    std::string node, op, place, reason;
  };
  /// In the order of the function; ops may be gone.
  llvm::MapVector<mlir::Operation *, Where> places;
  llvm::SmallVector<Where> addedPlaces;
  /// Products whose sums are stored as they are.
  llvm::SmallPtrSet<mlir::Operation *, 8> bareProducts;
};

} // namespace vitq::systolic

#endif // VITQ_LIB_CONVERSION_VITQTOSYSTOLIC_PLACEMENT_H
