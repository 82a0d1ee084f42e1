//===- Placement.cpp - Where ops run -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Placement.h"

#include "vitq/Analysis/QuantizedTypes.h"

#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::systolic;

void Placement::note(Operation *op, StringRef where, const Twine &reason) {
  places[op] = {nodeName(op->getLoc()), op->getName().getStringRef().str(), where.str(), reason.str()};
}

void Placement::noteAdded(Location loc, StringRef op, StringRef reason) {
  addedPlaces.push_back({nodeName(loc), op.str(), "host", reason.str()});
}

void Placement::noteKernel(const ArrayKernel &kernel) {
  if (integer::MatmulOp product = kernel.product) {
    note(product, "array", "");
    for (Operation *op : kernel.stages)
      note(op, simulator::nameOf(*unitFor(op)), "on the sums of '" + nodeName(product.getLoc()) + "'");
    if (integer::RequantOp scale = kernel.scale)
      note(scale, simulator::nameOf(simulator::UnitShift),
           "times 2^-" + Twine(kernel.shift) + " where the sums are stored");
    if (kernel.last() == product)
      bareProducts.insert(product);
    return;
  }
  Operation *op = kernel.last();
  Value rows = op->getOperand(0);
  const bool follows = rows.hasOneUse() && bareProducts.contains(rows.getDefiningOp());
  const std::string hint = follows ? rules.rowsTooLong(op) : "";
  note(op, simulator::nameOf(*unitFor(op)), "rows from DRAM" + (hint.empty() ? "" : ": " + hint));
}

void Placement::notePasses(Operation *product, int64_t lhsBits, int64_t rhsBits) {
  const int64_t passes = config.planesOf(lhsBits) * config.planesOf(rhsBits);
  const std::string operands =
      lhsBits == rhsBits ? std::to_string(lhsBits) + "-bit operands"
                         : "operands of " + std::to_string(lhsBits) + " and " + std::to_string(rhsBits) + " bits";
  note(product, "array",
       Twine(passes) + " pass" + (passes > 1 ? "es" : "") + " of " + operands + " on elements of " +
           Twine(config.bits) + " bits");
}

LogicalResult Placement::addKernel(integer::KernelOp op) {
  ArrayKernel kernel;
  std::string reason;
  if (rules.read(op.getOps(), kernel, reason) != integer::KernelFit::Kernel)
    return op.emitOpError() << "is no kernel of the array: " << reason;
  IRRewriter rewriter(op.getContext());
  Block &body = op.getBody().front();
  auto yield = cast<integer::YieldOp>(body.getTerminator());
  rewriter.replaceAllUsesWith(op.getOutputs(), yield.getValues());
  rewriter.eraseOp(yield);
  rewriter.inlineBlockBefore(&body, op, op.getInputs());
  rewriter.eraseOp(op);
  noteKernel(kernel);
  kernels.push_back(std::move(kernel));
  return success();
}

LogicalResult Placement::addHostOp(Operation *op) {
  std::string reason;
  if (auto product = dyn_cast<integer::MatmulOp>(op))
    if (reason = rules.overflowOf(product); !reason.empty())
      return op->emitError() << "'" << nodeName(op->getLoc()) << "': " << reason;
  if (rules.fit(op, reason) == integer::KernelFit::Kernel)
    reason = "it is in no kernel of the array (vitq-form-kernels)";
  note(op, "host", reason);
  // Moves may still become strides.
  return vit::isMove(op) ? success() : checkWish(op, reason);
}

LogicalResult Placement::checkWish(Operation *op, StringRef reason) const {
  if (rules.wishFor(op) != PlacementWishes::Place::Array)
    return success();
  return op->emitError() << "'" << nodeName(op->getLoc()) << "': " << op->getName().getStringRef()
                         << " is to run on the array, but " << reason
                         << "; choose another configuration (units=...), or let it run on the host";
}

LogicalResult Placement::checkMoves(func::FuncOp function) const {
  for (Operation &op : function.getBody().front())
    if (auto where = places.find(&op);
        where != places.end() && vit::isMove(&op) && where->second.op == op.getName().getStringRef())
      if (failed(checkWish(&op, where->second.reason)))
        return failure();
  return success();
}

LogicalResult Placement::run(func::FuncOp function) {
  for (Operation &op : llvm::make_early_inc_range(function.getBody().front())) {
    if (isa<arith::ConstantOp, func::ReturnOp>(op))
      continue;
    auto kernel = dyn_cast<integer::KernelOp>(op);
    if (failed(kernel ? addKernel(kernel) : addHostOp(&op)))
      return failure();
  }
  return success();
}

ArrayAttr Placement::record(MLIRContext *context) const {
  Builder b(context);
  SmallVector<Attribute> entries;
  auto add = [&](const Where &where) {
    NamedAttrList entry;
    entry.append("node", b.getStringAttr(where.node));
    entry.append("op", b.getStringAttr(where.op));
    entry.append("place", b.getStringAttr(where.place));
    entry.append("reason", b.getStringAttr(where.reason));
    entries.push_back(entry.getDictionary(context));
  };
  for (const auto &entry : places)
    add(entry.second);
  llvm::for_each(addedPlaces, add);
  return b.getArrayAttr(entries);
}
