//===- CpuKernels.cpp - Which ops a CPU computes in one kernel -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CpuKernels.h"

#include "Contraction.h"

#include "vitq/Conversion/KernelTargets.h"
#include "vitq/Support/Constants.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;
using namespace vitq::integer;

static ArrayRef<int64_t> shapeOf(Value value) { return cast<ShapedType>(value.getType()).getShape(); }

static constexpr const char *kReadsMore = "it reads more than a row of what stands before it";

static KernelFit refuse(std::string &reason, const char *why) {
  reason = why;
  return KernelFit::No;
}

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

SmallVector<Operation *> KernelParts::all() const {
  SmallVector<Operation *> ops;
  auto append = [&](Operation *op) {
    if (op)
      ops.push_back(op);
  };
  append(product);
  append(depthwise);
  llvm::append_range(ops, rowOps);
  append(context);
  llvm::append_range(ops, contextOps);
  append(transpose);
  return ops;
}

Operation *KernelParts::last() const { return all().back(); }

KernelFit KernelParts::read(ArrayRef<Operation *> ops, KernelParts &parts, std::string &reason) {
  parts = {};
  KernelFit fit = KernelFit::No;
  for (Operation *op : ops) {
    fit = parts.add(op, reason);
    if (fit == KernelFit::No)
      break;
  }
  return fit;
}

/// Whether all that `op` reads of this kernel is the row that flows through, and numbers of
/// its own that an op before gives along with the row.
bool KernelParts::readsOnlyRow(RowwiseOp op, std::string &reason) const {
  SmallVector<Operation *> ops = all();
  Value row = ops.back()->getResult(0);
  unsigned rows = 0;
  for (OpOperand &operand : op->getOpOperands()) {
    const RowOperand kind = op.getRowOperand(operand.getOperandNumber());
    if (operand.get() == row && kind == RowOperand::Row)
      ++rows;
    else if (llvm::is_contained(ops, operand.get().getDefiningOp()) && kind != RowOperand::PerRow)
      rows += 2;
  }
  if (rows != 1)
    reason = kReadsMore;
  return rows == 1;
}

KernelFit KernelParts::add(Operation *op, std::string &reason) {
  if (!product && !depthwise) {
    product = dyn_cast<MatmulOp>(op);
    depthwise = dyn_cast<DepthwiseConv2dOp>(op);
    return product || depthwise ? KernelFit::Kernel
                                : refuse(reason, "a CPU's kernels of several ops begin with a product");
  }
  if (transpose)
    return refuse(reason, "its rows are written in another order already");
  if (auto move = dyn_cast<TransposeOp>(op))
    return addTranspose(move, reason);
  auto rowwise = dyn_cast<RowwiseOp>(op);
  if (!rowwise)
    return refuse(reason, "it does not work on rows");
  if (!readsOnlyRow(rowwise, reason))
    return KernelFit::No;
  if (auto next = dyn_cast<MatmulOp>(op))
    return addContext(next, reason);
  Operation *before = last();
  if (before->getNumResults() != 1)
    return refuse(reason, "what stands before it has two results");
  if (shapeOf(op->getResult(0)) != shapeOf(before->getResult(0)))
    return refuse(reason, "its result has more rows");
  if (context && op->getNumResults() != 1)
    return refuse(reason, "an attention has one result");
  (context ? contextOps : rowOps).push_back(op);
  return KernelFit::Kernel;
}

/// A second product, of which the left operand never is in memory.
KernelFit KernelParts::addContext(MatmulOp op, std::string &reason) {
  if (depthwise)
    return refuse(reason, "a product reads all channels of the places that it sums");
  if (context || rowOps.empty())
    return refuse(reason, "a kernel has two products at most, and ops between them");
  for (MatmulOp matmul : {product, op}) {
    if (matmul.getBias())
      return refuse(reason, "products of an attention have no bias");
    if (shapeOf(matmul.getLhs()).size() != shapeOf(matmul.getRhs()).size())
      return refuse(reason, "heads that share a matrix are one product");
    if (shapeOf(matmul.getRhs()).size() == 2 && isConstant(matmul.getRhs()))
      return refuse(reason, "weights of a product are packed when it is compiled");
  }
  for (Value operand : {product.getLhs(), product.getRhs(), op.getRhs()})
    if (widthOf(operand) != 8)
      return refuse(reason, "operands of an attention have 8 bits");
  context = op;
  reason = "something must follow the second product";
  return KernelFit::Prefix;
}

/// Whether rows of the last axis stay whole.
static bool keepsRows(TransposeOp op) {
  ArrayRef<int64_t> permutation = op.getPermutation();
  return permutation.size() > 1 && permutation.back() == static_cast<int64_t>(permutation.size()) - 1;
}

KernelFit KernelParts::addTranspose(TransposeOp op, std::string &reason) {
  if (contextOps.empty() || !keepsRows(op))
    return refuse(reason, "only an attention writes whole rows in another order");
  if (op.getInput() != last()->getResult(0))
    return refuse(reason, kReadsMore);
  transpose = op;
  return KernelFit::Kernel;
}

//===----------------------------------------------------------------------===//
// Rules
//===----------------------------------------------------------------------===//

KernelFit CpuKernelRules::fit(ArrayRef<Operation *> ops, std::string &reason) const {
  KernelParts parts;
  const KernelFit fit = KernelParts::read(ops, parts, reason);
  if (fit == KernelFit::No || !parts.isAttention())
    return fit;
  // Scores and codes of a tile of rows go through a cache.
  const Geometry scores = Geometry::of(parts.product, target);
  if (scores.tileRows * scores.paddedCols() * 8 > target.isa->l2Bytes / 2)
    return refuse(reason, "a tile of scores does not stay in L2");
  return fit;
}

bool CpuKernelRules::readsThrough(ArrayRef<Operation *> ops, OpOperand &operand, Operation *move) const {
  KernelParts parts;
  std::string reason;
  if (KernelParts::read(ops, parts, reason) == KernelFit::No)
    return false;
  Operation *op = operand.getOwner();
  const bool left = operand.getOperandNumber() == 0;
  if (parts.isAttention()) {
    auto transpose = dyn_cast<TransposeOp>(move);
    return transpose && keepsRows(transpose) && (op == parts.product || (op == parts.context && !left));
  }
  // Other right operands are batched, as the patches then would be.
  return isa<ExtractPatchesOp>(move) && move->hasOneUse() && op == parts.product && left &&
         shapeOf(parts.product.getRhs()).size() == 2;
}

namespace {

struct CpuKernelTarget : KernelTargetAttrInterface::ExternalModel<CpuKernelTarget, CpuAttr> {
  std::unique_ptr<KernelRules> getKernelRules(Attribute attribute, Operation *,
                                              function_ref<InFlightDiagnostic()> emitError) const {
    llvm::Expected<TargetDesc> target = TargetDesc::parse(cast<CpuAttr>(attribute).getText());
    if (target)
      return std::make_unique<CpuKernelRules>(std::move(*target));
    emitError() << llvm::toString(target.takeError());
    return nullptr;
  }
};

} // namespace

void vitq::registerCpuKernelTarget(DialectRegistry &registry) {
  registry.addExtension(
      +[](MLIRContext *context, VitqDialect *) { CpuAttr::attachInterface<CpuKernelTarget>(*context); });
}
