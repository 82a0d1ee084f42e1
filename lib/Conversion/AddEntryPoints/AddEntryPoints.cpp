//===- AddEntryPoints.cpp - Profiled and parallel variants of @main -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Hazards.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/OpenMP/OpenMPDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "vitq/Conversion/KernelCalls.h"
#include "vitq/Conversion/Passes.h"
#include "vitq/Simulator/Simulator.h"
#include "vitq/Support/MainFunction.h"
#include "vitq/Target/Isa/TargetDesc.h"

#include "llvm/Support/DebugLog.h"

#define DEBUG_TYPE "vitq-add-entry-points"

using namespace mlir;
using namespace vitq;

namespace vitq {
#define GEN_PASS_DEF_VITQADDENTRYPOINTSPASS
#include "vitq/Conversion/Passes.h.inc"
} // namespace vitq

static bool isStep(Operation &op) { return isa<func::CallOp>(op) && op.hasAttr(kStepAttr); }

namespace {

struct VitqAddEntryPoints : vitq::impl::VitqAddEntryPointsPassBase<VitqAddEntryPoints> {
  using VitqAddEntryPointsPassBase::VitqAddEntryPointsPassBase;
  void runOnOperation() override;

private:
  void recordSteps(func::FuncOp main);
  void addProfiled(func::FuncOp main, StringRef clock);
  void addParallel(func::FuncOp main);
};

/// Writes the body of the parallel region.
class ParallelBody {
public:
  ParallelBody(OpBuilder &b, Location loc, IRMapping &map, Value arena, int64_t arenaBytes, int64_t threadBytes,
               func::FuncOp threadNumber, func::FuncOp threadCount);
  void add(Operation &op);

private:
  Value index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }
  void addScratch(memref::ViewOp view);
  void addStep(func::CallOp call);

  OpBuilder &b;
  Location loc;
  IRMapping &map;
  Value arena, thread, threads, isFirst, ownScratch;
  Hazards hazards;
};

} // namespace

ParallelBody::ParallelBody(OpBuilder &b, Location loc, IRMapping &map, Value arena, int64_t arenaBytes,
                           int64_t threadBytes, func::FuncOp threadNumber, func::FuncOp threadCount)
    : b(b), loc(loc), map(map), arena(arena) {
  auto ask = [&](func::FuncOp function) -> Value {
    Value number = func::CallOp::create(b, loc, function).getResult(0);
    return arith::IndexCastOp::create(b, loc, b.getIndexType(), number);
  };
  thread = ask(threadNumber);
  threads = ask(threadCount);
  isFirst = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, thread, index(0));
  // Threads but the first have their working memory behind the arena.
  Value before = arith::SubIOp::create(b, loc, thread, index(1));
  Value offset = arith::MulIOp::create(b, loc, before, index(threadBytes));
  ownScratch = arith::AddIOp::create(b, loc, offset, index(arenaBytes));
}

void ParallelBody::addScratch(memref::ViewOp view) {
  Value offset = arith::SelectOp::create(b, loc, isFirst, map.lookup(view.getByteShift()), ownScratch);
  map.map(view.getResult(), memref::ViewOp::create(b, loc, view.getType(), arena, offset, ValueRange()).getResult());
}

/// Units are shared out evenly. A step waits for those before it that it depends on.
void ParallelBody::addStep(func::CallOp call) {
  if (hazards.needsBarrier(call))
    omp::BarrierOp::create(b, loc);
  const int64_t units = call->getAttrOfType<DictionaryAttr>(kStepAttr).getAs<IntegerAttr>("units").getInt();
  auto bound = [&](Value part) -> Value {
    return arith::DivUIOp::create(b, loc, arith::MulIOp::create(b, loc, part, index(units)), threads);
  };
  SmallVector<Value> args;
  for (Value operand : call.getOperands().drop_back(2))
    args.push_back(map.lookup(operand));
  args.push_back(bound(thread));
  args.push_back(bound(arith::AddIOp::create(b, loc, thread, index(1))));
  func::CallOp::create(b, call.getLoc(), call.getCallee(), TypeRange(), args);
}

void ParallelBody::add(Operation &op) {
  auto view = dyn_cast<memref::ViewOp>(op);
  if (view && view->hasAttr(kScratchAttr))
    return addScratch(view);
  if (isStep(op))
    return addStep(cast<func::CallOp>(op));
  if (!isa<memref::CopyOp>(op)) {
    b.clone(op, map);
    return;
  }
  omp::BarrierOp::create(b, loc);
  hazards.clear();
  auto once = scf::IfOp::create(b, loc, isFirst, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(once.thenBlock());
  b.clone(op, map);
}

void VitqAddEntryPoints::recordSteps(func::FuncOp main) {
  Builder b(&getContext());
  SmallVector<Attribute> steps;
  for (Operation &op : main.getBody().front()) {
    if (!isStep(op))
      continue;
    auto step = op.getAttrOfType<DictionaryAttr>(kStepAttr);
    NamedAttrList entry(step);
    for (StringRef internal : {"units", "rows", "local"})
      entry.erase(internal);
    entry.set("kernel", b.getStringAttr(cast<func::CallOp>(op).getCallee()));
    steps.push_back(entry.getDictionary(&getContext()));
  }
  LDBG() << steps.size() << " steps";
  getOperation()->setAttr("vitq.steps", b.getArrayAttr(steps));
}

/// @vitq_tick(ticks, i) stores the time in ticks[i], unless there are none.
static func::FuncOp addTick(func::FuncOp main, MemRefType ticks, StringRef clock) {
  OpBuilder b(main);
  b.setInsertionPointAfter(main);
  Location loc = main.getLoc();
  auto tick = func::FuncOp::create(b, loc, "vitq_tick", b.getFunctionType({ticks, b.getIndexType()}, {}));
  tick.setPrivate();
  tick->setAttr("llvm.noinline", b.getUnitAttr());
  Block *entry = tick.addEntryBlock();
  b.setInsertionPointToStart(entry);
  Value address = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, entry->getArgument(0));
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value wanted = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, address, zero);
  auto ifWanted = scf::IfOp::create(b, loc, wanted, /*withElseRegion=*/false);
  func::ReturnOp::create(b, loc);
  b.setInsertionPointToStart(ifWanted.thenBlock());
  Value time =
      LLVM::CallIntrinsicOp::create(b, loc, b.getI64Type(), b.getStringAttr(clock), ValueRange())->getResult(0);
  memref::StoreOp::create(b, loc, time, entry->getArgument(0), ValueRange{entry->getArgument(1)});
  return tick;
}

/// @main gets one more operand, where the time before the first step goes and that
/// after each. One function serves both uses: a second list of calls would be half
/// of what a block of a model adds to the code.
void VitqAddEntryPoints::addProfiled(func::FuncOp main, StringRef clock) {
  OpBuilder b(main);
  Block &body = main.getBody().front();
  Location loc = main.getLoc();
  SmallVector<Operation *> steps;
  for (Operation &op : body)
    if (isStep(op))
      steps.push_back(&op);
  auto type = MemRefType::get({static_cast<int64_t>(steps.size()) + 1}, b.getI64Type());
  Value ticks = body.addArgument(type, loc);
  main.setType(FunctionType::get(&getContext(), body.getArgumentTypes(), {}));
  func::FuncOp tick = addTick(main, type, clock);
  auto stamp = [&](int64_t i) {
    Value at = arith::ConstantIndexOp::create(b, loc, i);
    func::CallOp::create(b, loc, tick, ValueRange{ticks, at});
  };
  b.setInsertionPointToStart(&body);
  stamp(0);
  for (auto [i, step] : llvm::enumerate(steps)) {
    b.setInsertionPointAfter(step);
    stamp(static_cast<int64_t>(i) + 1);
  }
}

/// @main_mt computes every step in a team of threads.
void VitqAddEntryPoints::addParallel(func::FuncOp main) {
  ModuleOp module = getOperation();
  OpBuilder b(main);
  b.setInsertionPointAfter(main);
  Location loc = main.getLoc();
  auto number = [&](StringRef name) { return module->getAttrOfType<IntegerAttr>(name).getInt(); };
  const int64_t arenaBytes = number("vitq.arena_bytes"), threadBytes = number("vitq.thread_arena_bytes");

  auto i32 = b.getI32Type();
  auto declare = [&](StringRef name) {
    auto function = func::FuncOp::create(b, loc, name, b.getFunctionType({}, {i32}));
    function.setPrivate();
    return function;
  };
  func::FuncOp threadNumber = declare("omp_get_thread_num"), threadCount = declare("omp_get_num_threads");

  SmallVector<Type> types(main.getArgumentTypes());
  types.back() = MemRefType::get({arenaBytes + (kMaxThreads - 1) * threadBytes}, b.getI8Type());
  types.push_back(i32);
  auto parallel = func::FuncOp::create(b, loc, "main_mt", b.getFunctionType(types, {}));
  parallel.setPrivate();
  Block *entry = parallel.addEntryBlock();
  b.setInsertionPointToStart(entry);
  omp::ParallelOperands clauses;
  clauses.numThreads = entry->getArguments().back();
  auto region = omp::ParallelOp::create(b, loc, clauses);
  func::ReturnOp::create(b, loc);

  b.createBlock(&region.getRegion());
  // The arena of @main is the front of that of all threads; what comes before it is the same.
  Block &body = main.getBody().front();
  const unsigned arenaNumber = body.getNumArguments() - 1;
  Value arena = entry->getArgument(arenaNumber);
  IRMapping map;
  map.map(body.getArguments().take_front(arenaNumber), entry->getArguments().take_front(arenaNumber));
  auto front = cast<MemRefType>(main.getArgumentTypes().back());
  map.map(
      body.getArgument(arenaNumber),
      memref::ReinterpretCastOp::create(b, loc, front, arena, 0, front.getShape(), ArrayRef<int64_t>{1}).getResult());
  ParallelBody writer(b, loc, map, arena, arenaBytes, threadBytes, threadNumber, threadCount);
  for (Operation &op : body.without_terminator())
    writer.add(op);
  omp::TerminatorOp::create(b, loc);
}

void VitqAddEntryPoints::runOnOperation() {
  ModuleOp module = getOperation();
  FailureOr<func::FuncOp> found = findMain(module);
  if (failed(found))
    return signalPassFailure();
  func::FuncOp main = *found;
  if (main.getNumArguments() < 2 || !module->hasAttr("vitq.arena_bytes")) {
    main.emitError("the buffers of @main have no places yet: run --vitq-plan-arena first");
    return signalPassFailure();
  }
  llvm::Expected<TargetDesc> desc = TargetDesc::parse(target);
  if (!desc) {
    module.emitError(llvm::toString(desc.takeError()));
    return signalPassFailure();
  }
  if (openmp && module.lookupSymbol(simulator::kLaunchSymbol)) {
    module.emitError("a program that launches a systolic array has no variant for threads: leave out --openmp");
    return signalPassFailure();
  }
  recordSteps(main);
  if (openmp) {
    module->setAttr("vitq.openmp", UnitAttr::get(&getContext()));
    addParallel(main);
  }
  if (profile)
    addProfiled(main, desc->isa->clock);
}
