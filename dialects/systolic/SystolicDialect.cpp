//===- SystolicDialect.cpp - The systolic dialect -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/systolic/Systolic.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

#include "dialects/systolic/SystolicDialect.cpp.inc"
#include "dialects/systolic/SystolicEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/systolic/SystolicAttrs.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/systolic/SystolicTypes.cpp.inc"

namespace vitq::systolic {

void SystolicDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/systolic/SystolicAttrs.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/systolic/SystolicTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/systolic/SystolicOps.cpp.inc"
      >();
}

static bool isPlacement(Attribute attribute) {
  auto entry = dyn_cast<DictionaryAttr>(attribute);
  return entry && entry.size() == 4 &&
         llvm::all_of(ArrayRef<StringRef>{"node", "op", "place", "reason"},
                      [&](StringRef key) { return entry.getAs<StringAttr>(key) != nullptr; });
}

LogicalResult SystolicDialect::verifyOperationAttribute(Operation *op, NamedAttribute attribute) {
  StringRef name = attribute.getName();
  if (name == kConfigAttr) {
    if (!isa<ModuleOp>(op) || !isa<ConfigAttr>(attribute.getValue()))
      return op->emitError() << "'" << kConfigAttr << "' must be a #systolic.config of a module";
  } else if (name == kWishesAttr) {
    if (!isa<ModuleOp>(op) || !isa<StringAttr>(attribute.getValue()))
      return op->emitError() << "'" << kWishesAttr << "' must be a string of a module";
  } else if (name == kRoutineAttr) {
    auto routine = dyn_cast<func::FuncOp>(op);
    if (!routine || !isa<UnitAttr>(attribute.getValue()))
      return op->emitError() << "'" << kRoutineAttr << "' must be a unit attribute of a function";
    return verifyRoutine(routine);
  } else if (name == kPlacementsAttr) {
    auto placements = dyn_cast<ArrayAttr>(attribute.getValue());
    if (!isa<ModuleOp>(op) || !placements || !llvm::all_of(placements, isPlacement))
      return op->emitError() << "'" << kPlacementsAttr
                             << "' must be an array of {node, op, place, reason}, all strings, of a module";
  } else if (name == kCyclesAttr || name == kFixedCyclesAttr) {
    if (!isa<func::FuncOp>(op) || !isa<IntegerAttr>(attribute.getValue()))
      return op->emitError() << "'" << name << "' must be an integer of a function";
  } else {
    return op->emitError() << "unknown attribute '" << name << "'";
  }
  return success();
}

std::optional<simulator::Config> configOf(Operation *op) {
  auto module = dyn_cast<ModuleOp>(op);
  if (!module)
    module = op->getParentOfType<ModuleOp>();
  auto attribute = module ? module->getAttrOfType<ConfigAttr>(kConfigAttr) : ConfigAttr();
  return attribute ? std::optional<simulator::Config>(attribute.get()) : std::nullopt;
}

LogicalResult ConfigAttr::verify(function_ref<InFlightDiagnostic()> emitError, StringRef text) {
  llvm::Expected<simulator::Config> config = simulator::Config::parse(text);
  if (!config) // C1
    return emitError() << llvm::toString(config.takeError());
  return success();
}

simulator::Config ConfigAttr::get() const { return llvm::cantFail(simulator::Config::parse(getText())); }

LogicalResult TilesType::verify(function_ref<InFlightDiagnostic()> emitError, Memory memory, ArrayRef<int64_t> grid,
                                int64_t rows, int64_t cols, Type element) {
  int64_t count = 1;
  for (int64_t extent : grid) {
    if (extent < 1 || extent > (1 << 20)) // C1
      return emitError() << "the extents of tiles must be 1 to 2^20, not " << extent;
    count *= extent;
    // Rows of so many tiles can be counted in 64 bits.
    if (count > (int64_t(1) << 32)) // C1
      return emitError() << "there are more than 2^32 tiles";
  }
  if (grid.empty() || rows < 1 || cols < 1 || rows > (1 << 16) || cols > (1 << 16)) // C1
    return emitError() << "tiles need a grid, and rows and columns from 1 to 65536";
  const bool scratchpad = memory == Memory::Scratchpad;
  const bool fits = scratchpad
                        ? element.isInteger(2) || element.isInteger(3) || element.isInteger(4) || element.isInteger(8)
                        : element.isInteger(32);
  if (!fits) // C2
    return emitError() << "tiles of the " << stringifyMemory(memory) << " have elements of "
                       << (scratchpad ? "i2, i3, i4 or i8" : "i32") << ", not " << element;
  return success();
}

int64_t TilesType::tileCount() const { return computeProduct(getGrid()); }

} // namespace vitq::systolic
