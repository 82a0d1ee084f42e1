//===- Hazards.cpp - Which steps must wait for others -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Hazards.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "vitq/Conversion/KernelCalls.h"

using namespace mlir;
using namespace vitq;

static Value rootOf(Value value) {
  while (auto view = value.getDefiningOp<ViewLikeOpInterface>())
    value = view.getViewSource();
  return value;
}

static int64_t bytesOf(Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  return type.getNumElements() * type.getElementTypeBitWidth() / 8;
}

bool Hazards::Access::conflictsWith(const Access &other) const {
  if (base != other.base || end <= other.begin || other.end <= begin || !(writes || other.writes))
    return false;
  if (scratch && other.scratch)
    return false;
  const bool sameRows = sharing.first && sharing == other.sharing && begin == other.begin && end == other.end;
  return !sameRows;
}

const llvm::BitVector &Hazards::writtenBy(func::FuncOp kernel) {
  auto [found, isNew] = written.try_emplace(kernel, kernel.getNumArguments());
  if (!isNew)
    return found->second;
  llvm::BitVector result(kernel.getNumArguments());
  auto mark = [&](Value memref) {
    auto argument = dyn_cast<BlockArgument>(rootOf(memref));
    if (argument && argument.getOwner() == &kernel.getBody().front())
      result.set(argument.getArgNumber());
  };
  if (kernel.isExternal())
    result.set();
  kernel.walk([&](Operation *op) {
    if (auto call = dyn_cast<func::CallOp>(op)) {
      auto callee = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(kernel, call.getCalleeAttr());
      const llvm::BitVector inner = writtenBy(callee);
      for (unsigned i : inner.set_bits())
        if (isa<MemRefType>(call.getOperand(i).getType()))
          mark(call.getOperand(i));
      return;
    }
    // What does not say which memory it writes may write all that it is given.
    auto effects = dyn_cast<MemoryEffectOpInterface>(op);
    bool unknown = !effects && !op->hasTrait<OpTrait::HasRecursiveMemoryEffects>();
    SmallVector<MemoryEffects::EffectInstance> instances;
    if (effects)
      effects.getEffects<MemoryEffects::Write>(instances);
    for (const MemoryEffects::EffectInstance &effect : instances)
      if (effect.getValue())
        mark(effect.getValue());
      else
        unknown = true;
    for (Value operand : op->getOperands())
      if (unknown && isa<MemRefType>(operand.getType()))
        mark(operand);
  });
  // The recursion may have moved the entry.
  return written[kernel] = result;
}

SmallVector<Hazards::Access> Hazards::accessesOf(func::CallOp step) {
  auto kernel = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(step, step.getCalleeAttr());
  const llvm::BitVector writes = writtenBy(kernel);
  auto attributes = step->getAttrOfType<DictionaryAttr>(kStepAttr);
  auto number = [&](StringRef name) {
    auto attr = attributes.getAs<IntegerAttr>(name);
    return attr ? attr.getInt() : 0;
  };
  auto local = attributes.getAs<DenseI64ArrayAttr>("local");
  SmallVector<Access> accesses;
  for (auto [i, operand] : llvm::enumerate(step.getOperands())) {
    if (!isa<MemRefType>(operand.getType()))
      continue;
    auto base = dyn_cast<BlockArgument>(rootOf(operand));
    if (!base)
      continue; // a constant
    // The buffer: the outermost view of the operand of @main.
    Value buffer = operand;
    int64_t begin = 0;
    bool scratch = false;
    while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>()) {
      if (view.getViewSource() == base) {
        IntegerAttr offset;
        if (auto placed = dyn_cast<memref::ViewOp>(view.getOperation());
            placed && matchPattern(placed.getByteShift(), m_Constant(&offset)))
          begin = offset.getInt();
        scratch = view->hasAttr(kScratchAttr);
        break;
      }
      buffer = view.getViewSource();
    }
    const bool byRow = local && llvm::is_contained(local.asArrayRef(), static_cast<int64_t>(i));
    accesses.push_back({base.getArgNumber(), begin, begin + bytesOf(buffer), writes.test(i), scratch,
                        byRow ? std::pair(number("rows"), number("units")) : std::pair<int64_t, int64_t>()});
  }
  return accesses;
}

bool Hazards::needsBarrier(func::CallOp step) {
  SmallVector<Access> accesses = accessesOf(step);
  const bool conflict = llvm::any_of(accesses, [&](const Access &access) {
    return llvm::any_of(pending, [&](const Access &before) { return access.conflictsWith(before); });
  });
  if (conflict)
    pending.clear();
  pending.append(accesses);
  return conflict;
}
