//===- PlanArena.cpp - All buffers of @main in one arena -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "vitq/Conversion/Passes.h"

using namespace mlir;

namespace vitq {
#define GEN_PASS_DEF_VITQPLANARENAPASS
#include "vitq/Conversion/Passes.h.inc"
} // namespace vitq

static constexpr int64_t kAlign = 64;

static int64_t alignUp(int64_t bytes) { return (bytes + kAlign - 1) / kAlign * kAlign; }

static int64_t bytesOf(Type type) {
  auto memref = cast<MemRefType>(type);
  return memref.getNumElements() * (memref.getElementTypeBitWidth() / 8);
}

namespace {

struct Buffer {
  memref::AllocOp alloc;
  int64_t size;
  /// First and last position that touches it.
  int64_t begin, end;
  int64_t offset = 0;

  bool livesWith(const Buffer &other) const { return begin <= other.end && other.begin <= end; }
};

} // namespace

/// The value that `value` is a view of.
static Value rootOf(Value value) {
  while (Operation *def = value.getDefiningOp()) {
    if (!isa<memref::ReinterpretCastOp, memref::ViewOp>(def))
      break;
    value = def->getOperand(0);
  }
  return value;
}

/// Positions are those of the ops of the block; views extend the life of a buffer.
static SmallVector<Buffer> collect(Block &body) {
  DenseMap<Value, size_t> indices;
  SmallVector<Buffer> buffers;
  for (auto [position, op] : llvm::enumerate(body)) {
    if (auto alloc = dyn_cast<memref::AllocOp>(op)) {
      indices[alloc] = buffers.size();
      buffers.push_back({alloc, alignUp(bytesOf(alloc.getType())), -1, -1});
      continue;
    }
    if (isa<memref::ReinterpretCastOp, memref::ViewOp>(op))
      continue;
    for (Value operand : op.getOperands()) {
      auto found = indices.find(rootOf(operand));
      if (found == indices.end())
        continue;
      Buffer &buffer = buffers[found->second];
      if (buffer.begin < 0)
        buffer.begin = position;
      buffer.end = position;
    }
  }
  return buffers;
}

/// Places buffers largest first, each into the tightest gap between those placed
/// before that live with it; returns the size of the arena.
static int64_t place(SmallVectorImpl<Buffer> &buffers) {
  SmallVector<Buffer *> order;
  for (Buffer &buffer : buffers)
    order.push_back(&buffer);
  // Equal sizes in the order of the program, which is that of the pointers.
  llvm::sort(order, [](const Buffer *a, const Buffer *b) { return a->size != b->size ? a->size > b->size : a < b; });
  SmallVector<const Buffer *> placed; // by offset
  int64_t total = 0;
  for (Buffer *buffer : order) {
    int64_t at = -1, tightest = 0, end = 0;
    for (const Buffer *other : placed) {
      if (!buffer->livesWith(*other))
        continue;
      const int64_t gap = other->offset - end;
      if (gap >= buffer->size && (at < 0 || gap < tightest)) {
        at = end;
        tightest = gap;
      }
      end = std::max(end, other->offset + other->size);
    }
    buffer->offset = at < 0 ? end : at;
    total = std::max(total, buffer->offset + buffer->size);
    placed.insert(
        llvm::upper_bound(placed, buffer, [](const Buffer *a, const Buffer *b) { return a->offset < b->offset; }),
        buffer);
  }
  return total;
}

/// The largest sum of sizes that live at one position.
static int64_t lowerBound(ArrayRef<Buffer> buffers) {
  int64_t most = 0;
  for (const Buffer &at : buffers) {
    int64_t live = 0;
    for (const Buffer &other : buffers)
      live += other.begin <= at.begin && at.begin <= other.end ? other.size : 0;
    most = std::max(most, live);
  }
  return most;
}

namespace {

struct VitqPlanArena : vitq::impl::VitqPlanArenaPassBase<VitqPlanArena> {
  void runOnOperation() override;

private:
  void replaceArguments(OpBuilder &b, Block &body, Value in);
  void replaceResults(func::ReturnOp ret, Value out);
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

void VitqPlanArena::replaceArguments(OpBuilder &b, Block &body, Value in) {
  int64_t offset = 0;
  for (BlockArgument argument : body.getArguments().drop_back(3)) {
    offset = alignUp(offset);
    argument.replaceAllUsesWith(viewAt(b, argument.getLoc(), in, offset, argument.getType()));
    offset += bytesOf(argument.getType());
  }
}

/// Makes buffers that are returned once views of `out` and copies other results.
void VitqPlanArena::replaceResults(func::ReturnOp ret, Value out) {
  SmallVector<Value> results(ret.getOperands());
  ret->setOperands(ValueRange());
  DenseMap<Value, unsigned> timesReturned;
  for (Value result : results)
    ++timesReturned[rootOf(result)];
  int64_t offset = 0;
  for (Value result : results) {
    offset = alignUp(offset);
    Value root = rootOf(result);
    const int64_t size = bytesOf(result.getType());
    auto alloc = root.getDefiningOp<memref::AllocOp>();
    if (alloc && timesReturned[root] == 1 && bytesOf(root.getType()) == size) {
      OpBuilder b(alloc);
      alloc.replaceAllUsesWith(viewAt(b, alloc.getLoc(), out, offset, alloc.getType()));
      alloc.erase();
    } else {
      OpBuilder atEnd(ret);
      Value to = viewAt(atEnd, ret.getLoc(), out, offset, result.getType());
      memref::CopyOp::create(atEnd, ret.getLoc(), result, to);
    }
    offset += size;
  }
}

void VitqPlanArena::runOnOperation() {
  ModuleOp module = getOperation();
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main || !main.getBody().hasOneBlock()) {
    module.emitError("needs a function @main of one block");
    return signalPassFailure();
  }
  Block &body = main.getBody().front();
  auto ret = cast<func::ReturnOp>(body.getTerminator());
  OpBuilder b = OpBuilder::atBlockBegin(&body);
  auto bytes = [&](int64_t size) { return MemRefType::get({size}, b.getI8Type()); };
  const unsigned inputs = body.getNumArguments();
  const int64_t inBytes = packedSize(body.getArgumentTypes()), outBytes = packedSize(ret.getOperandTypes());

  Value in = body.addArgument(bytes(inBytes), main.getLoc());
  Value out = body.addArgument(bytes(outBytes), main.getLoc());
  body.addArgument(bytes(0), main.getLoc());
  replaceArguments(b, body, in);
  replaceResults(ret, out);
  SmallVector<Buffer> buffers = collect(body);
  const int64_t total = place(buffers), bound = lowerBound(buffers);
  BlockArgument arena = body.getArguments().back();
  arena.setType(bytes(total));
  for (Buffer &buffer : buffers) {
    OpBuilder b(buffer.alloc);
    Value view = viewAt(b, buffer.alloc.getLoc(), arena, buffer.offset, buffer.alloc.getType());
    buffer.alloc.replaceAllUsesWith(view);
    buffer.alloc.erase();
  }
  body.eraseArguments(0, inputs);
  main.setType(FunctionType::get(&getContext(), body.getArgumentTypes(), {}));
  module->setAttr("vitq.arena_bytes", b.getI64IntegerAttr(total));
  module->setAttr("vitq.arena_lower_bound", b.getI64IntegerAttr(bound));
}
