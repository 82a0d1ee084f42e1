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
#include "vitq/Conversion/KernelTargets.h"
#include "vitq/Conversion/Passes.h"
#include "vitq/Simulator/Simulator.h"
#include "vitq/Support/Constants.h"
#include "vitq/Support/MainFunction.h"
#include "vitq/Target/Systolic/Systolic.h"
#include "vitq/Target/Systolic/Units.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/Support/DebugLog.h"

#include <deque>

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

/// Replaces kernels by launches; those whose routines would be equal share one.
class Launcher {
public:
  Launcher(ModuleOp module, const simulator::Config &config, const ArrayKernelRules &rules, Placement &placement)
      : module(module), config(config), rules(rules), placement(placement), b(module.getContext()),
        operandBuilder(b, config) {}

  LogicalResult lower(const ArrayKernel &kernel);
  unsigned numRoutines = 0;
  ArrayRef<OperandBuilder::HostOp> addedOps() const { return operandBuilder.added; }

private:
  /// What a routine is built from, how, and its name once it is.
  struct Routine {
    Product product;
    std::optional<simulator::UnitTiming> units;
    Plan plan;
    std::string name;
  };

  LogicalResult lowerProduct(const ArrayKernel &kernel);
  LogicalResult lowerUnits(const ArrayKernel &kernel);
  SmallVector<Type> addResults(const ArrayKernel &kernel, Product &product);
  FailureOr<Routine *> planOf(Location loc, const Product &product, const simulator::UnitProgram *units);
  StringRef routineOf(Routine &plan);
  FailureOr<Routine *> chooseReading(integer::MatmulOp op, const Product &product, const simulator::UnitProgram *units);
  StringRef unitRoutineOf(Location loc, ArrayRef<Value> operands, TypeRange results);
  void addRegion(LaunchOp launch, const ArrayKernel &kernel, Value rows, ValueRange extras, bool fromSums);
  void replace(const ArrayKernel &kernel, LaunchOp launch);
  OpBuilder atEnd();

  ModuleOp module;
  const simulator::Config &config;
  const ArrayKernelRules &rules;
  Placement &placement;
  OpBuilder b;
  OperandBuilder operandBuilder;
  /// Of products; pointers to them stay valid.
  std::deque<Routine> routines;
  /// Of units alone, by their operands and results.
  DenseMap<FunctionType, std::string> unitRoutines;
};

} // namespace

OpBuilder Launcher::atEnd() { return OpBuilder::atBlockEnd(module.getBody()); }

/// How `product` is cut, found once for equal ones.
FailureOr<Launcher::Routine *> Launcher::planOf(Location loc, const Product &product,
                                                const simulator::UnitProgram *units) {
  // The parameters of units are no part of a routine. They are there before it begins: how many there
  // are does not change how it is best cut.
  std::optional<simulator::UnitTiming> timing;
  if (units) {
    timing = simulator::timingOf(*units, config);
    timing->parameterBytes = 0;
  }
  auto known = llvm::find_if(
      routines, [&](const Routine &routine) { return routine.product == product && routine.units == timing; });
  if (known != routines.end())
    return &*known;
  FailureOr<Plan> plan = choosePlan(loc, product, config, units);
  if (failed(plan))
    return failure();
  return &routines.emplace_back(Routine{product, std::move(timing), *plan, ""});
}

StringRef Launcher::routineOf(Routine &routine) {
  const Product &product = routine.product;
  if (!routine.name.empty())
    return routine.name;
  routine.name =
      (product.batch.empty() ? "linear_" : "matmul_" + Twine(product.batches()) + "x").str() +
      (Twine(product.m) + "x" + Twine(product.k) + "x" + Twine(product.n) + "_" + Twine(numRoutines++)).str();
  OpBuilder builder = atEnd();
  func::FuncOp function =
      buildRoutine(builder, UnknownLoc::get(b.getContext()), routine.name, product, config, routine.plan.tiling);
  function->setAttr(kCyclesAttr, b.getI64IntegerAttr(static_cast<int64_t>(routine.plan.cycles)));
  function->setAttr(kFixedCyclesAttr, b.getI64IntegerAttr(static_cast<int64_t>(routine.plan.fixedCycles)));
  return routine.name;
}

/// Patches are strides of their map unless that takes longer. Laying them out, which nobody simulates, takes the
/// host at least as long as the DMA would need for them, and so does a map's border.
FailureOr<Launcher::Routine *> Launcher::chooseReading(integer::MatmulOp op, const Product &product,
                                                       const simulator::UnitProgram *units) {
  using Place = PlacementWishes::Place;
  Operation *patches = op.getLhs().getDefiningOp();
  std::optional<Product> map = OperandBuilder::readingMap(product, op);
  const Place wish = map ? rules.wishFor(patches) : Place::Host;
  if (wish == Place::Host || leastInstructions(*map, config) > static_cast<double>(kMaxInstructions))
    return planOf(op.getLoc(), product, units);
  FailureOr<Routine *> strided = planOf(op.getLoc(), *map, units);
  if (failed(strided) || wish == Place::Array)
    return strided;
  FailureOr<Routine *> laidOut = planOf(op.getLoc(), product, units);
  if (failed(laidOut))
    return failure();
  // Each byte is read and written.
  auto moved = [&](int64_t bytes) { return static_cast<uint64_t>(2 * bytes / config.dmaBytes); };
  const uint64_t cycles = (*strided)->plan.cycles, others = (*laidOut)->plan.cycles;
  LDBG() << op.getLoc() << ": " << cycles << " cycles with strides of the map, " << others << " with patches laid out";
  if (cycles + moved(OperandBuilder::borderBytes(op)) <= others + moved(product.m * product.k))
    return strided;
  placement.noteDeclined(patches, ("laid out as rows: with them the array takes " + Twine(others) +
                                   " cycles, with strides of the map " + Twine(cycles))
                                      .str());
  return laidOut;
}

/// Rows of DRAM through units, some at a time.
StringRef Launcher::unitRoutineOf(Location loc, ArrayRef<Value> operands, TypeRange results) {
  SmallVector<Type> types;
  for (Value operand : operands)
    types.push_back(denseType(operand.getType()));
  for (Type type : results)
    types.push_back(denseType(type));
  auto type = b.getFunctionType(types, {});
  std::string &name = unitRoutines[type];
  if (!name.empty())
    return name;
  ArrayRef<int64_t> shape = cast<MemRefType>(types.front()).getShape();
  const int64_t cols = shape.back();
  int64_t rows = 1;
  for (int64_t extent : shape.drop_back())
    rows *= extent;
  OpBuilder builder = atEnd();
  name = ("units_" + Twine(rows) + "x" + Twine(cols) + "_" + Twine(numRoutines++)).str();
  auto function = func::FuncOp::create(builder, loc, name, type);
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
  return name;
}

/// Copies the stages into the launch; their constants with them.
void Launcher::addRegion(LaunchOp launch, const ArrayKernel &kernel, Value rows, ValueRange extras, bool fromSums) {
  OpBuilder::InsertionGuard guard(b);
  Block *body = b.createBlock(&launch.getUnits());
  IRMapping map;
  map.map(rows, body->addArgument(rows.getType(), rows.getLoc()));
  for (Value extra : extras)
    if (!map.contains(extra))
      map.map(extra, body->addArgument(extra.getType(), extra.getLoc()));
  b.setInsertionPointToEnd(body);
  for (Operation *op : kernel.stages) {
    for (Value operand : op->getOperands())
      if (!map.contains(operand))
        b.clone(*operand.getDefiningOp(), map);
    b.clone(*op, map);
  }
  SmallVector<Value> results;
  for (Value result : kernel.last()->getResults())
    results.push_back(map.lookup(result));
  YieldOp::create(b, launch.getLoc(), results);
}

void Launcher::replace(const ArrayKernel &kernel, LaunchOp launch) {
  Operation *last = kernel.last();
  if (Attribute id = last->getAttr(integer::kIdAttr))
    launch->setAttr(integer::kIdAttr, id);
  last->replaceAllUsesWith(launch.getOutputs());
  const SmallVector<Operation *> ops = kernel.ops();
  for (Operation *op : llvm::reverse(ops))
    op->erase();
}

LogicalResult Launcher::lowerUnits(const ArrayKernel &kernel) {
  Operation *op = kernel.last();
  Location loc = op->getLoc();
  b.setInsertionPoint(op);
  Value rows = kernel.stages.front()->getOperand(0);
  SmallVector<Value> operands = {rows};
  SmallVector<Value> extras = kernel.extras();
  llvm::append_range(operands, extras);
  StringRef routine = unitRoutineOf(UnknownLoc::get(b.getContext()), operands, op->getResultTypes());
  auto launch = LaunchOp::create(b, loc, op->getResultTypes(), routine, operands, /*macs=*/0,
                                 /*operandsForUnits=*/static_cast<uint64_t>(operands.size()), /*attention=*/false,
                                 /*lhs_code=*/nullptr);
  addRegion(launch, kernel, rows, extras, /*fromSums=*/false);
  replace(kernel, launch);
  return success();
}

/// What the launch of `kernel` gives, and how the routine sees it.
SmallVector<Type> Launcher::addResults(const ArrayKernel &kernel, Product &product) {
  SmallVector<int64_t> shape(product.batch.begin(), product.batch.end());
  if (product.units) {
    SmallVector<Type> types(kernel.last()->getResultTypes());
    for (Type type : types)
      product.results.push_back(denseType(type));
    return types;
  }
  if (integer::RequantOp scale = kernel.scale) {
    product.shift = kernel.shift;
    product.relu = scale.getMin() && *scale.getMin() == 0;
    shape.append({product.m, product.n});
    product.results.push_back(MemRefType::get(shape, b.getI8Type()));
    return {scale.getResult().getType()};
  }
  integer::MatmulOp op = kernel.product;
  auto sums = cast<RankedTensorType>(op.getResult().getType());
  SmallVector<int64_t> padded(sums.getShape());
  // Rows that begin at requests of the DMA are stored in the fewest of them.
  if (product.m > 1 && padded.back() * 4 > config.dmaBytes)
    padded.back() = llvm::alignTo(padded.back(), std::max<int64_t>(1, config.dmaRequestBytes / 4));
  shape.append({product.m, padded.back()});
  product.results.push_back(MemRefType::get(shape, sums.getElementType()));
  return {RankedTensorType::get(padded, sums.getElementType())};
}

LogicalResult Launcher::lowerProduct(const ArrayKernel &kernel) {
  integer::MatmulOp op = kernel.product;
  Location loc = op.getLoc();
  SmallVector<DramOperand> operands;
  const SmallVector<Value> extras = kernel.extras();
  b.setInsertionPoint(op);
  Product product = operandBuilder.build(op, operands);
  placement.notePasses(op, product.lhsBits, product.rhsBits);
  product.units = !kernel.stages.empty();
  product.wholeRows = kernel.wholeRows;
  SmallVector<Value> values;
  for (const DramOperand &operand : operands)
    values.push_back(operand.value);
  for (Value extra : extras) {
    product.unitOperands.push_back(denseType(extra.getType()));
    values.push_back(extra);
  }
  const SmallVector<Type> resultTypes = addResults(kernel, product);
  // Who fills bytes with narrow codes must know how they are read.
  const numerics::Code lhs = integer::codeOf(op.getLhs(), op.getLhsCode());
  integer::CodeAttr lhsCode;
  if (lhs.bits < 8)
    lhsCode = integer::CodeAttr::get(b.getContext(), lhs.isUnsigned, /*zero=*/0);
  // Which of its left operands is found out with the units, which need the launch.
  auto launch = LaunchOp::create(b, loc, resultTypes, "", values, static_cast<uint64_t>(product.macs()),
                                 static_cast<uint64_t>(extras.size()), !product.batch.empty(), lhsCode);
  std::optional<simulator::UnitProgram> units;
  if (product.units) {
    addRegion(launch, kernel, op.getResult(), extras, /*fromSums=*/true);
    FailureOr<simulator::UnitProgram> encoded = encodeUnits(launch);
    if (failed(encoded))
      return failure();
    units = std::move(*encoded);
  }
  FailureOr<Routine *> routine = chooseReading(op, product, units ? &*units : nullptr);
  if (failed(routine))
    return failure();
  b.setInsertionPoint(launch);
  launch->setOperand(0, (*routine)->product.patches ? operandBuilder.mapOf(op) : operandBuilder.lhsOf(op));
  launch.setRoutine(routineOf(**routine));
  LDBG() << loc << ": " << launch.getRoutine() << " with " << kernel.stages.size() << " ops behind the product";
  if (product.units || product.shift) {
    replace(kernel, launch);
    return success();
  }
  if (Attribute id = op->getAttr(integer::kIdAttr))
    launch->setAttr(integer::kIdAttr, id);
  b.setInsertionPoint(op);
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

LogicalResult Launcher::lower(const ArrayKernel &kernel) {
  return kernel.product ? lowerProduct(kernel) : lowerUnits(kernel);
}

/// Moves that became strides.
static void eraseUnused(func::FuncOp main, Placement &placement) {
  SmallVector<Operation *> ops;
  for (Operation &op : main.getBody().front())
    ops.push_back(&op);
  for (Operation *op : llvm::reverse(ops))
    if (isOpTriviallyDead(op)) {
      if (vit::isMove(op))
        placement.noteStride(op);
      op->erase();
    }
}

namespace {
struct ConvertVitqToSystolic : vitq::impl::ConvertVitqToSystolicPassBase<ConvertVitqToSystolic> {
  using ConvertVitqToSystolicPassBase::ConvertVitqToSystolicPassBase;

  void getDependentDialects(DialectRegistry &registry) const override {
    ConvertVitqToSystolicPassBase::getDependentDialects(registry);
    registerSystolicKernelTarget(registry);
  }

  void runOnOperation() override {
    if (failed(run()))
      signalPassFailure();
  }

private:
  LogicalResult run() {
    ModuleOp module = getOperation();
    auto target = module->getAttrOfType<ConfigAttr>(integer::kTargetAttr);
    if (!target)
      return module.emitError() << "has no '" << integer::kTargetAttr
                                << "' that is a #systolic.config: run systolic-set-target and vitq-form-kernels first";
    FailureOr<func::FuncOp> found = findMain(module);
    if (failed(found))
      return failure();
    func::FuncOp main = *found;
    llvm::Expected<PlacementWishes> wishes = PlacementWishes::of(module);
    if (!wishes)
      return module.emitError() << llvm::toString(wishes.takeError());
    const simulator::Config config = target.get();
    const ArrayKernelRules rules(config, std::move(*wishes));
    module->setAttr(kConfigAttr, target);
    Placement placement(config, rules);
    if (failed(placement.run(main)))
      return failure();
    Launcher launcher(module, config, rules, placement);
    for (const ArrayKernel &kernel : placement.getKernels()) {
      if (failed(launcher.lower(kernel)))
        return failure();
      ++numLaunches;
    }
    eraseUnused(main, placement);
    if (failed(placement.checkMoves(main)))
      return failure();
    for (const OperandBuilder::HostOp &op : launcher.addedOps())
      placement.noteAdded(op.loc, op.op, op.reason);
    module->setAttr(kPlacementsAttr, placement.record(&getContext()));
    // What is left are ops of the host.
    module->removeAttr(integer::kTargetAttr);
    module->removeAttr(kWishesAttr);
    numRoutines = launcher.numRoutines;
    return success();
  }
};
} // namespace
