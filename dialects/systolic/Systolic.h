//===- Systolic.h - The systolic dialect -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_SYSTOLIC_SYSTOLIC_H
#define DIALECTS_SYSTOLIC_SYSTOLIC_H

#include "dialects/vit/ShapeInference.h"
#include "dialects/vitq/Vitq.h"
#include "vitq/Simulator/Config.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace vitq::systolic {

/// Of the ops that are a routine's instructions and tiles.
template <typename ConcreteOp>
class InRoutine : public mlir::OpTrait::TraitBase<ConcreteOp, InRoutine> {
public:
  static llvm::LogicalResult verifyTrait(mlir::Operation *op);
};

} // namespace vitq::systolic

#include "dialects/systolic/SystolicDialect.h.inc"
#include "dialects/systolic/SystolicEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/systolic/SystolicAttrs.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/systolic/SystolicTypes.h.inc"

namespace vitq::systolic {

/// What an op touches. The elements of the array hold weights or sums between
/// instructions.
struct DramResource : mlir::SideEffects::Resource::Base<DramResource> {
  llvm::StringRef getName() final { return "DRAM"; }
};
struct ScratchpadResource : mlir::SideEffects::Resource::Base<ScratchpadResource> {
  llvm::StringRef getName() final { return "scratchpad"; }
};
struct AccumulatorResource : mlir::SideEffects::Resource::Base<AccumulatorResource> {
  llvm::StringRef getName() final { return "accumulator"; }
};
struct ArrayResource : mlir::SideEffects::Resource::Base<ArrayResource> {
  llvm::StringRef getName() final { return "array"; }
};

/// Module attribute with the array's `#systolic.config`.
inline constexpr llvm::StringLiteral kConfigAttr = "systolic.config";
/// Unit attribute of a function that is a routine.
inline constexpr llvm::StringLiteral kRoutineAttr = "systolic.routine";
/// Module attribute: where each op runs and why, an array of dictionaries {node, op, place, reason}.
inline constexpr llvm::StringLiteral kPlacementsAttr = "systolic.placements";

/// String of a module whose kernels have not been converted: where the user wants ops to run,
/// `softmax=host,blocks.0.mlp=array`.
inline constexpr llvm::StringLiteral kWishesAttr = "systolic.wishes";

/// Integers of a routine: simulated cycles, and those with the fixed tiling heuristic.
inline constexpr llvm::StringLiteral kCyclesAttr = "systolic.cycles";
inline constexpr llvm::StringLiteral kFixedCyclesAttr = "systolic.fixed_cycles";

/// The configuration of the module around `op`, if it has one.
std::optional<simulator::Config> configOf(mlir::Operation *op);

/// Errors (diagnostics at `op`): it is in no function with `systolic.routine`.
llvm::LogicalResult verifyInRoutine(mlir::Operation *op);

/// Errors: what the description of the dialect says of a routine.
llvm::LogicalResult verifyRoutine(mlir::func::FuncOp routine);

/// The rules on indices, rows and columns of an instruction, where `valueOf` gives the value
/// of an index: a verifier knows constants, an encoder all. `config` may be null; an op that
/// is no instruction has no rules. Errors are diagnostics.
llvm::LogicalResult verifyExtents(mlir::Operation *op, const simulator::Config *config,
                                  llvm::function_ref<std::optional<int64_t>(mlir::Value)> valueOf);

/// The patches that `windows` without pads cut out of a map [B, H, W, C], as they lie in it: [B, rows and columns of
/// windows, rows and parts of a patch, elements]. What lies side by side is one part: a row of a patch, or with
/// dilation between columns the channels of one place. Elements that patches share have one place.
mlir::MemRefType patchesView(llvm::ArrayRef<int64_t> map, const vit::Windows &windows, mlir::Type element);

/// The windows of such a view of a map of this shape; none if it is no such view.
std::optional<vit::Windows> windowsOfView(mlir::MemRefType view, llvm::ArrayRef<int64_t> map);

template <typename ConcreteOp>
llvm::LogicalResult InRoutine<ConcreteOp>::verifyTrait(mlir::Operation *op) {
  return verifyInRoutine(op);
}

} // namespace vitq::systolic

#define GET_OP_CLASSES
#include "dialects/systolic/SystolicOps.h.inc"

#endif // DIALECTS_SYSTOLIC_SYSTOLIC_H
