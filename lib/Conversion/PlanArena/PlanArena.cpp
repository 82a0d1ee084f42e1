//===- PlanArena.cpp - All buffers of @main in one arena -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Packing.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "vitq/Conversion/KernelCalls.h"
#include "vitq/Conversion/Passes.h"
#include "vitq/Support/MainFunction.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/Support/DebugLog.h"
#include "llvm/Support/MathExtras.h"

#define DEBUG_TYPE "vitq-plan-arena"

using namespace mlir;

namespace vitq {
#define GEN_PASS_DEF_VITQPLANARENAPASS
#include "vitq/Conversion/Passes.h.inc"
} // namespace vitq

static constexpr int64_t kAlign = 64;

static int64_t alignUp(int64_t bytes) { return static_cast<int64_t>(llvm::alignTo<kAlign>(bytes)); }

static int64_t bytesOf(Type type) {
  auto memref = cast<MemRefType>(type);
  return memref.getNumElements() * (memref.getElementTypeBitWidth() / 8);
}

/// The value that `value` is a view of.
static Value rootOf(Value value) {
  while (auto view = value.getDefiningOp<ViewLikeOpInterface>())
    value = view.getViewSource();
  return value;
}

namespace {

/// The buffers of a block, and when they are in use: from the first op that touches
/// one, through whatever views, to the last.
struct Buffers {
  explicit Buffers(Block &body);

  SmallVector<memref::AllocOp> allocs;
  SmallVector<vitq::arena::Lifetime> lifetimes;
  /// The largest one that is the working memory of one kernel call.
  int64_t scratch = 0;
};

} // namespace

/// Positions are those of the ops of the block.
Buffers::Buffers(Block &body) {
  DenseMap<Value, size_t> indices;
  for (auto [position, op] : llvm::enumerate(body)) {
    auto alloc = dyn_cast<memref::AllocOp>(op);
    if (!alloc)
      continue;
    const int64_t size = alignUp(bytesOf(alloc.getType()));
    indices[alloc] = allocs.size();
    allocs.push_back(alloc);
    // One that nothing touches lives here alone.
    const auto at = static_cast<int64_t>(position);
    lifetimes.push_back({size, at, at});
    if (alloc->hasAttr(vitq::kScratchAttr))
      scratch = std::max(scratch, size);
  }
  llvm::BitVector touched(allocs.size());
  for (auto [position, top] : llvm::enumerate(body)) {
    top.walk([&, at = static_cast<int64_t>(position)](Operation *op) {
      if (isa<ViewLikeOpInterface>(op))
        return;
      for (Value operand : op->getOperands()) {
        auto found = indices.find(rootOf(operand));
        if (found == indices.end())
          continue;
        vitq::arena::Lifetime &lifetime = lifetimes[found->second];
        if (!touched[found->second])
          lifetime.begin = at;
        touched.set(found->second);
        lifetime.end = at;
      }
    });
  }
}

namespace {

struct VitqPlanArena : vitq::impl::VitqPlanArenaPassBase<VitqPlanArena> {
  void runOnOperation() override;

private:
  void replaceArguments(OpBuilder &b, Block &body, unsigned inputs, Value in);
  void replaceResults(func::ReturnOp ret, ValueRange outs);
  void recordPlan(Block &body, ArrayRef<vitq::arena::Lifetime> lifetimes, ArrayRef<int64_t> offsets);
  void recordPeak(Block &body, ArrayRef<vitq::arena::Lifetime> lifetimes, int64_t position);
};

} // namespace

static Value viewAt(OpBuilder &b, Location loc, Value bytes, int64_t offset, Type type) {
  Value at = arith::ConstantIndexOp::create(b, loc, offset);
  return memref::ViewOp::create(b, loc, cast<MemRefType>(type), bytes, at, ValueRange());
}

/// Sum of the sizes, each but the last padded to the alignment.
static int64_t packedSize(TypeRange types) {
  int64_t size = 0;
  for (Type type : types)
    size = alignUp(size) + bytesOf(type);
  return size;
}

void VitqPlanArena::replaceArguments(OpBuilder &b, Block &body, unsigned inputs, Value in) {
  int64_t offset = 0;
  for (BlockArgument argument : body.getArguments().take_front(inputs)) {
    offset = alignUp(offset);
    argument.replaceAllUsesWith(viewAt(b, argument.getLoc(), in, offset, argument.getType()));
    offset += bytesOf(argument.getType());
  }
}

/// Makes buffers that are returned once views of their place and copies other results.
void VitqPlanArena::replaceResults(func::ReturnOp ret, ValueRange outs) {
  SmallVector<Value> results(ret.getOperands());
  ret->setOperands(ValueRange());
  DenseMap<Value, unsigned> timesReturned;
  for (Value result : results)
    ++timesReturned[rootOf(result)];
  for (auto [result, out] : llvm::zip_equal(results, outs)) {
    Value root = rootOf(result);
    auto alloc = root.getDefiningOp<memref::AllocOp>();
    if (alloc && timesReturned[root] == 1 && bytesOf(root.getType()) == bytesOf(result.getType())) {
      OpBuilder b(alloc);
      alloc.replaceAllUsesWith(viewAt(b, alloc.getLoc(), out, 0, alloc.getType()));
      alloc.erase();
    } else {
      OpBuilder atEnd(ret);
      Value to = viewAt(atEnd, ret.getLoc(), out, 0, result.getType());
      memref::CopyOp::create(atEnd, ret.getLoc(), result, to);
    }
  }
}

/// For those who look at it: where each buffer is, from which step to which.
void VitqPlanArena::recordPlan(Block &body, ArrayRef<vitq::arena::Lifetime> lifetimes, ArrayRef<int64_t> offsets) {
  // The number of the step at each op, or before it.
  SmallVector<int64_t> steps;
  int64_t count = 0;
  for (Operation &op : body)
    steps.push_back(op.hasAttr(vitq::kStepAttr) ? count++ : std::max<int64_t>(count - 1, 0));
  Builder b(&getContext());
  SmallVector<Attribute> plan;
  for (auto [lifetime, offset] : llvm::zip_equal(lifetimes, offsets))
    plan.push_back(b.getDenseI64ArrayAttr({offset, lifetime.size, steps[lifetime.begin], steps[lifetime.end]}));
  getOperation()->setAttr(vitq::kArenaPlanAttr, b.getArrayAttr(plan));
}

/// For those who have too little memory: the step that needs most, and the buffers that are in use then.
void VitqPlanArena::recordPeak(Block &body, ArrayRef<vitq::arena::Lifetime> lifetimes, int64_t position) {
  SmallVector<int64_t> sizes;
  for (const vitq::arena::Lifetime &lifetime : lifetimes)
    if (lifetime.begin <= position && position <= lifetime.end)
      sizes.push_back(lifetime.size);
  if (sizes.empty())
    return;
  llvm::sort(sizes, std::greater<>());
  Builder b(&getContext());
  SmallVector<NamedAttribute> peak = {b.getNamedAttr("bytes", b.getDenseI64ArrayAttr(sizes))};
  Operation &op = *std::next(body.begin(), position);
  if (auto step = op.getAttrOfType<DictionaryAttr>(vitq::kStepAttr); step && step.get("node"))
    peak.push_back(b.getNamedAttr("node", step.get("node")));
  getOperation()->setAttr(vitq::kArenaPeakAttr, b.getDictionaryAttr(peak));
}

void VitqPlanArena::runOnOperation() {
  ModuleOp module = getOperation();
  FailureOr<func::FuncOp> found = vitq::findMain(module);
  if (failed(found))
    return signalPassFailure();
  func::FuncOp main = *found;
  Block &body = main.getBody().front();
  auto ret = cast<func::ReturnOp>(body.getTerminator());
  OpBuilder b = OpBuilder::atBlockBegin(&body);
  auto bytes = [&](int64_t size) { return MemRefType::get({size}, b.getI8Type()); };
  const unsigned inputs = body.getNumArguments();
  const int64_t inBytes = packedSize(body.getArgumentTypes());

  Value in = body.addArgument(bytes(inBytes), main.getLoc());
  SmallVector<Value> outs;
  for (Type type : ret.getOperandTypes())
    outs.push_back(body.addArgument(bytes(bytesOf(type)), main.getLoc()));
  // A program that gives nothing has a place for it.
  if (outs.empty())
    body.addArgument(bytes(0), main.getLoc());
  body.addArgument(bytes(0), main.getLoc());
  replaceArguments(b, body, inputs, in);
  replaceResults(ret, outs);
  Buffers buffers(body);
  SmallVector<int64_t> offsets(buffers.allocs.size());
  int64_t peak = 0;
  const int64_t total = vitq::arena::pack(buffers.lifetimes, offsets),
                bound = vitq::arena::largestLiveSet(buffers.lifetimes, &peak);
  recordPlan(body, buffers.lifetimes, offsets);
  recordPeak(body, buffers.lifetimes, peak);
  LDBG() << offsets.size() << " buffers in " << total << " bytes; no plan needs less than " << bound;
  BlockArgument arena = body.getArguments().back();
  arena.setType(bytes(total));
  for (auto [alloc, offset] : llvm::zip_equal(buffers.allocs, offsets)) {
    OpBuilder b(alloc);
    Value view = viewAt(b, alloc.getLoc(), arena, offset, alloc.getType());
    if (Attribute scratch = alloc->getAttr(vitq::kScratchAttr))
      view.getDefiningOp()->setAttr(vitq::kScratchAttr, scratch);
    alloc.replaceAllUsesWith(view);
    alloc.erase();
  }
  body.eraseArguments(0, inputs);
  main.setType(FunctionType::get(&getContext(), body.getArgumentTypes(), {}));
  module->setAttr("vitq.arena_bytes", b.getI64IntegerAttr(total));
  module->setAttr("vitq.arena_lower_bound", b.getI64IntegerAttr(bound));
  module->setAttr("vitq.thread_arena_bytes", b.getI64IntegerAttr(buffers.scratch));
}
