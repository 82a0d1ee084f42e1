//===- Operands.h - Operands of products in DRAM -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOSYSTOLIC_OPERANDS_H
#define VITQ_LIB_CONVERSION_VITQTOSYSTOLIC_OPERANDS_H

#include "Routine.h"

#include "dialects/vitq/Vitq.h"
#include "vitq/Tensor/Tensor.h"

#include "llvm/ADT/DenseMap.h"

namespace vitq::systolic {

/// Whether weights of so many bits lie packed in DRAM: as many to a byte as the array's operands.
bool packsWeights(const simulator::Config &config, int64_t bits);

/// Elements from one row of weights to the next in DRAM.
int64_t storedColumns(const simulator::Config &config, int64_t columns, bool packed);

/// A tensor, and how the routine sees it.
struct DramOperand {
  mlir::Value value;
  mlir::MemRefType type;
};

/// Brings the operands of products into the form that the array reads, by host code where
/// constants do not do.
class OperandBuilder {
public:
  OperandBuilder(mlir::OpBuilder &builder, const simulator::Config &config) : b(builder), config(config) {}

  /// `product` and its operands for a `vitq.matmul`: inserts host code before it.
  /// The right operand is transposed by the host or at compile time where the array
  /// cannot do it. The left operand is what `op` has, for `lhsOf` or `mapOf` to replace.
  Product build(integer::MatmulOp op, llvm::SmallVectorImpl<DramOperand> &operands);
  /// The left operand as `build` describes it.
  mlir::Value lhsOf(integer::MatmulOp op);

  /// `product` with the map whose patches are the left operand of `op` in their place; none if they are no patches.
  static std::optional<Product> readingMap(const Product &product, integer::MatmulOp op);
  /// Bytes of the map with its border; 0 if it needs none.
  static int64_t borderBytes(integer::MatmulOp op);
  /// Its left operand: the map, if its windows reach beyond it with a border.
  mlir::Value mapOf(integer::MatmulOp op);

  /// Ops of the host that were added, and what for.
  struct HostOp {
    mlir::Location loc;
    llvm::StringRef op;
    std::string reason;
  };
  llvm::SmallVector<HostOp> added;

private:
  mlir::Value toSigned(mlir::Value codes);
  mlir::Value bordered(integer::ExtractPatchesOp patches, mlir::Value map, bool lessHalf);
  DramOperand viewOf(mlir::Value value);
  DramOperand weightsOf(integer::MatmulOp op, const Tensor &values, int64_t &bits);
  DramOperand rhsOf(integer::MatmulOp op, bool &transposed, int64_t &bits);
  DramOperand biasOf(integer::MatmulOp op, int64_t correction, mlir::Value rhs, bool rhsTransposed);

  mlir::OpBuilder &b;
  const simulator::Config &config;
  llvm::DenseMap<mlir::Value, mlir::Value> signedCodes;
};

} // namespace vitq::systolic

#endif // VITQ_LIB_CONVERSION_VITQTOSYSTOLIC_OPERANDS_H
