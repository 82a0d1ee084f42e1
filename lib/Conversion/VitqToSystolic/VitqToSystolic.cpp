//===- VitqToSystolic.cpp - Integer ops to launches of the array -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Operands.h"
#include "Placement.h"
#include "Plan.h"

#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Conversion/Passes.h"
#include "vitq/Simulator/Simulator.h"
#include "vitq/Support/Constants.h"
#include "vitq/Support/MainFunction.h"
#include "vitq/Target/Systolic/Units.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/Support/DebugLog.h"

#define DEBUG_TYPE "convert-vitq-to-systolic"

using namespace mlir;
using namespace vitq;
using namespace vitq::systolic;

namespace vitq {
#define GEN_PASS_DEF_CONVERTVITQTOSYSTOLICPASS
#include "vitq/Conversion/Passes.h.inc"
} // namespace vitq

static MemRefType denseType(Type tensor) {
  auto type = cast<RankedTensorType>(tensor);
  return MemRefType::get(type.getShape(), integer::storageOf(type.getElementType()));
}

namespace {

/// Replaces fragments by launches; equal products share a routine.
class Launcher {
public:
  Launcher(ModuleOp module, func::FuncOp main, const simulator::Config &config)
      : module(module), config(config), b(main.getContext()), operandBuilder(b, config), routines(main) {}

  LogicalResult lower(const Fragment &fragment);
  unsigned numRoutines = 0;
  ArrayRef<OperandBuilder::HostOp> addedOps() const { return operandBuilder.added; }

private:
  LogicalResult lowerProduct(const Fragment &fragment);
  LogicalResult lowerUnits(const Fragment &fragment);
  SmallVector<Type> addResults(const Fragment &fragment, Product &product);
  FailureOr<StringRef> routineOf(Location loc, const Product &product, const Fragment &fragment,
                                 const simulator::UnitProgram *units);
  StringRef unitRoutineOf(Location loc, ArrayRef<Value> operands, TypeRange results);
  void addRegion(LaunchOp launch, const Fragment &fragment, Value rows, ValueRange extras, bool fromSums);
  void replace(const Fragment &fragment, LaunchOp launch);
  OpBuilder atEnd();

  ModuleOp module;
  const simulator::Config &config;
  OpBuilder b;
  OperandBuilder operandBuilder;
  func::FuncOp routines;
  llvm::StringMap<std::string> names;
};

} // namespace

OpBuilder Launcher::atEnd() { return OpBuilder::atBlockEnd(module.getBody()); }

FailureOr<StringRef> Launcher::routineOf(Location loc, const Product &product, const Fragment &fragment,
                                         const simulator::UnitProgram *units) {
  std::string key = product.key();
  for (Operation *stage : fragment.stages)
    key += stage->getName().getStringRef();
  auto [entry, isNew] = names.try_emplace(key);
  if (!isNew)
    return StringRef(entry->second);
  FailureOr<Plan> plan = choosePlan(loc, product, config, units);
  if (failed(plan))
    return failure();
  std::string name =
      (product.batch.empty() ? "linear_" : "matmul_" + Twine(product.batches()) + "x").str() +
      (Twine(product.m) + "x" + Twine(product.k) + "x" + Twine(product.n) + "_" + Twine(numRoutines++)).str();
  OpBuilder builder = atEnd();
  func::FuncOp routine = buildRoutine(builder, UnknownLoc::get(b.getContext()), name, product, config, plan->tiling);
  routine->setAttr(kCyclesAttr, b.getI64IntegerAttr(static_cast<int64_t>(plan->cycles)));
  routine->setAttr(kFixedCyclesAttr, b.getI64IntegerAttr(static_cast<int64_t>(plan->fixedCycles)));
  entry->second = name;
  return StringRef(entry->second);
}

/// Rows of DRAM through units, some at a time.
StringRef Launcher::unitRoutineOf(Location loc, ArrayRef<Value> operands, TypeRange results) {
  SmallVector<Type> types;
  for (Value operand : operands)
    types.push_back(denseType(operand.getType()));
  for (Type type : results)
    types.push_back(denseType(type));
  std::string key = "units";
  llvm::raw_string_ostream os(key);
  llvm::interleaveComma(types, os);
  auto [entry, isNew] = names.try_emplace(key);
  if (!isNew)
    return entry->second;
  ArrayRef<int64_t> shape = cast<MemRefType>(types.front()).getShape();
  const int64_t cols = shape.back();
  int64_t rows = 1;
  for (int64_t extent : shape.drop_back())
    rows *= extent;
  OpBuilder builder = atEnd();
  entry->second = ("units_" + Twine(rows) + "x" + Twine(cols) + "_" + Twine(numRoutines++)).str();
  auto function = func::FuncOp::create(builder, loc, entry->second, builder.getFunctionType(types, {}));
  function.setPrivate();
  function->setAttr(kRoutineAttr, builder.getUnitAttr());
  builder.setInsertionPointToStart(function.addEntryBlock());
  // Few enough that the next rows come while these are computed.
  const int64_t step = std::min<int64_t>(rows, 16);
  auto constant = [&](int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value).getResult(); };
  Value channel = constant(0), width = constant(cols), full = constant(step);
  auto loop = affine::AffineForOp::create(builder, loc, 0, rows, step);
  func::ReturnOp::create(builder, loc);
  builder.setInsertionPointToStart(loop.getBody());
  Value count = full;
  if (rows % step != 0) {
    AffineExpr left = builder.getAffineConstantExpr(rows) - builder.getAffineDimExpr(0);
    auto map = AffineMap::get(1, 0, {builder.getAffineConstantExpr(step), left}, builder.getContext());
    count = affine::AffineMinOp::create(builder, loc, map, ValueRange{loop.getInductionVar()});
  }
  UnitsOp::create(builder, loc, Value(), ValueRange(), loop.getInductionVar(), count, channel, width);
  return entry->second;
}

/// Copies the stages into the launch; their constants with them.
void Launcher::addRegion(LaunchOp launch, const Fragment &fragment, Value rows, ValueRange extras, bool fromSums) {
  OpBuilder::InsertionGuard guard(b);
  Block *body = b.createBlock(&launch.getUnits());
  IRMapping map;
  map.map(rows, body->addArgument(rows.getType(), rows.getLoc()));
  for (Value extra : extras)
    if (!map.contains(extra))
      map.map(extra, body->addArgument(extra.getType(), extra.getLoc()));
  b.setInsertionPointToEnd(body);
  for (Operation *op : fragment.stages) {
    for (Value operand : op->getOperands())
      if (!map.contains(operand))
        b.clone(*operand.getDefiningOp(), map);
    b.clone(*op, map);
  }
  SmallVector<Value> results;
  for (Value result : fragment.last()->getResults())
    results.push_back(map.lookup(result));
  YieldOp::create(b, launch.getLoc(), results);
}

void Launcher::replace(const Fragment &fragment, LaunchOp launch) {
  if (Attribute id = fragment.last()->getAttr(integer::kIdAttr))
    launch->setAttr(integer::kIdAttr, id);
  fragment.last()->replaceAllUsesWith(launch.getOutputs());
  SmallVector<Operation *> ops;
  if (fragment.product)
    ops.push_back(fragment.product);
  llvm::append_range(ops, fragment.stages);
  if (integer::RequantOp scale = fragment.scale)
    ops.push_back(scale);
  for (Operation *op : llvm::reverse(ops))
    op->erase();
}

LogicalResult Launcher::lowerUnits(const Fragment &fragment) {
  Operation *op = fragment.last();
  Location loc = op->getLoc();
  b.setInsertionPoint(op);
  Value rows = fragment.stages.front()->getOperand(0);
  SmallVector<Value> operands = {rows};
  SmallVector<Value> extras = fragment.extras();
  llvm::append_range(operands, extras);
  StringRef routine = unitRoutineOf(UnknownLoc::get(b.getContext()), operands, op->getResultTypes());
  auto launch = LaunchOp::create(b, loc, op->getResultTypes(), routine, operands, /*macs=*/0,
                                 /*operandsForUnits=*/static_cast<uint64_t>(operands.size()), /*attention=*/false);
  addRegion(launch, fragment, rows, extras, /*fromSums=*/false);
  replace(fragment, launch);
  return success();
}

/// What the launch of `fragment` gives, and how the routine sees it.
SmallVector<Type> Launcher::addResults(const Fragment &fragment, Product &product) {
  SmallVector<int64_t> shape(product.batch.begin(), product.batch.end());
  if (product.units) {
    SmallVector<Type> types(fragment.last()->getResultTypes());
    for (Type type : types)
      product.results.push_back(denseType(type));
    return types;
  }
  if (integer::RequantOp scale = fragment.scale) {
    product.shift = fragment.shift;
    product.relu = scale.getMin() && *scale.getMin() == 0;
    shape.append({product.m, product.n});
    product.results.push_back(MemRefType::get(shape, b.getI8Type()));
    return {scale.getResult().getType()};
  }
  integer::MatmulOp op = fragment.product;
  auto sums = cast<RankedTensorType>(op.getResult().getType());
  SmallVector<int64_t> padded(sums.getShape());
  // Rows that begin at requests of the DMA are stored in the fewest of them.
  if (product.m > 1 && padded.back() * 4 > config.dmaBytes)
    padded.back() = llvm::alignTo(padded.back(), std::max<int64_t>(1, config.dmaRequestBytes / 4));
  shape.append({product.m, padded.back()});
  product.results.push_back(MemRefType::get(shape, sums.getElementType()));
  return {RankedTensorType::get(padded, sums.getElementType())};
}

LogicalResult Launcher::lowerProduct(const Fragment &fragment) {
  integer::MatmulOp op = fragment.product;
  Location loc = op.getLoc();
  SmallVector<DramOperand> operands;
  const SmallVector<Value> extras = fragment.extras();
  // A constant may stand behind the product.
  for (Value extra : extras)
    if (isConstant(extra) && op->isBeforeInBlock(extra.getDefiningOp()))
      extra.getDefiningOp()->moveBefore(op);
  b.setInsertionPoint(op);
  Product product = operandBuilder.build(op, operands);
  product.units = !fragment.stages.empty();
  product.wholeRows = fragment.wholeRows;
  SmallVector<Value> values;
  for (const DramOperand &operand : operands)
    values.push_back(operand.value);
  for (Value extra : extras) {
    product.unitOperands.push_back(denseType(extra.getType()));
    values.push_back(extra);
  }
  const SmallVector<Type> resultTypes = addResults(fragment, product);
  // Extras may come after the operands of the product.
  b.setInsertionPoint(op);
  auto launch = LaunchOp::create(b, loc, resultTypes, "", values, static_cast<uint64_t>(product.macs()),
                                 static_cast<uint64_t>(extras.size()), !product.batch.empty());
  std::optional<simulator::UnitProgram> units;
  if (product.units) {
    addRegion(launch, fragment, op.getResult(), extras, /*fromSums=*/true);
    FailureOr<simulator::UnitProgram> encoded = encodeUnits(launch);
    if (failed(encoded))
      return failure();
    units = std::move(*encoded);
  }
  FailureOr<StringRef> routine = routineOf(loc, product, fragment, units ? &*units : nullptr);
  if (failed(routine))
    return failure();
  launch.setRoutine(*routine);
  LDBG() << loc << ": " << *routine << " with " << fragment.stages.size() << " ops behind the product";
  if (product.units || product.shift) {
    replace(fragment, launch);
    return success();
  }
  if (Attribute id = op->getAttr(integer::kIdAttr))
    launch->setAttr(integer::kIdAttr, id);
  Value result = launch.getOutputs().front();
  auto sums = cast<RankedTensorType>(op.getResult().getType());
  if (result.getType() != sums) {
    SmallVector<int64_t> zeros(sums.getRank(), 0), ones(sums.getRank(), 1);
    operandBuilder.added.push_back(
        {loc, integer::SliceOp::getOperationName(), "rows of sums are padded to whole requests"});
    result = integer::SliceOp::create(b, loc, sums, result, zeros, sums.getShape(), ones);
  }
  op.getResult().replaceAllUsesWith(result);
  op.erase();
  return success();
}

LogicalResult Launcher::lower(const Fragment &fragment) {
  return fragment.product ? lowerProduct(fragment) : lowerUnits(fragment);
}

/// Transpositions that became strides.
static void eraseUnused(func::FuncOp main, Placement &placement) {
  SmallVector<Operation *> ops;
  for (Operation &op : main.getBody().front())
    ops.push_back(&op);
  for (Operation *op : llvm::reverse(ops))
    if (isOpTriviallyDead(op)) {
      if (isa<integer::TransposeOp>(op))
        placement.noteStride(op);
      op->erase();
    }
}

namespace {
struct ConvertVitqToSystolic : vitq::impl::ConvertVitqToSystolicPassBase<ConvertVitqToSystolic> {
  using ConvertVitqToSystolicPassBase::ConvertVitqToSystolicPassBase;

  void runOnOperation() override {
    if (failed(run()))
      signalPassFailure();
  }

private:
  LogicalResult run() {
    ModuleOp module = getOperation();
    Location loc = UnknownLoc::get(&getContext());
    llvm::Expected<simulator::Config> parsed = simulator::Config::parse(config);
    if (!parsed)
      return emitError(loc, llvm::toString(parsed.takeError()));
    llvm::Expected<PlacementWishes> wishes = PlacementWishes::parse(place);
    if (!wishes)
      return emitError(loc, llvm::toString(wishes.takeError()));
    if (std::string name = wishes->unusedName(module); !name.empty())
      return emitError(loc) << "place: no op and no node is called '" << name << "'";
    if (std::optional<simulator::Config> own = configOf(module))
      return module.emitError() << "is in the form of an array already, systolic:" << own->str();
    FailureOr<func::FuncOp> found = findMain(module);
    if (failed(found))
      return failure();
    func::FuncOp main = *found;
    module->setAttr(kConfigAttr, ConfigAttr::get(&getContext(), parsed->str()));
    Placement placement(*parsed, *wishes);
    if (failed(placement.run(main)))
      return failure();
    Launcher launcher(module, main, *parsed);
    for (const Fragment &fragment : placement.getFragments()) {
      if (failed(launcher.lower(fragment)))
        return failure();
      ++numLaunches;
    }
    eraseUnused(main, placement);
    for (const OperandBuilder::HostOp &op : launcher.addedOps())
      placement.noteAdded(op.loc, op.op, op.reason);
    module->setAttr(kPlacementsAttr, placement.record(&getContext()));
    numRoutines = launcher.numRoutines;
    return success();
  }
};
} // namespace
