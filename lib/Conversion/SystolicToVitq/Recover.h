//===- Recover.h - What a tile program computes -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_SYSTOLICTOVITQ_RECOVER_H
#define VITQ_LIB_CONVERSION_SYSTOLICTOVITQ_RECOVER_H

#include "vitq/Simulator/Config.h"
#include "vitq/Simulator/Instruction.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <optional>

namespace vitq::systolic {

/// A product that a routine was found to compute. Arguments by their numbers.
struct Recovered {
  unsigned lhs = 0, rhs = 0;
  std::optional<unsigned> bias, out;
  llvm::SmallVector<int64_t> batch;
  int64_t m = 0, n = 0, k = 0;
  bool transposeRhs = false, lhsUnsigned = false;
  /// Rows and columns of the left operand have several dimensions each: it is patches of a map.
  bool patches = false;
  /// Sums are stored times 2^-shift as bytes.
  std::optional<unsigned> shift;
  bool relu = false;
  /// The sums go through units instead of being stored.
  bool units = false;
  /// There is no product: rows from DRAM go through units.
  bool unitsOnly = false;
};

/// Follows every instruction with what each row of scratchpad and accumulator holds: which
/// elements of which operand, and which products of them. The sums that leave the
/// accumulator must be those of one matrix product: every element of the result
/// once, every product of it once, planes shifted to their places. `rows` and `channels`
/// are those of the launch's units. Errors are diagnostics at the routine: the
/// instruction, and what is wrong with it.
/// `bits`: of the codes of each argument, 8 where it says nothing.
mlir::FailureOr<Recovered> recoverProduct(mlir::func::FuncOp routine, llvm::ArrayRef<simulator::Instruction> code,
                                          const simulator::Config &config, llvm::ArrayRef<int64_t> unitShape,
                                          llvm::ArrayRef<int64_t> bits = {});

} // namespace vitq::systolic

#endif // VITQ_LIB_CONVERSION_SYSTOLICTOVITQ_RECOVER_H
