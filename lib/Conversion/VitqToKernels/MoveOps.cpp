//===- MoveOps.cpp - Kernels that only move elements -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MoveOps.h"

#include "dialects/vitq/Vitq.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;
using namespace vitq::integer;

using Shape = SmallVector<int64_t>;

static ArrayRef<int64_t> shapeOf(Value value) { return cast<ShapedType>(value.getType()).getShape(); }

/// Loops over a box; `body` gets one index per axis.
static void nest(Emitter &e, ArrayRef<int64_t> shape, function_ref<void(ValueRange)> body, Values position = {}) {
  if (position.size() == shape.size())
    return body(position);
  e.loop(shape[position.size()], [&](Value i) {
    Values inner = position;
    inner.push_back(i);
    nest(e, shape, body, inner);
  });
}

/// One kernel with an input and an output; `read` gives the index into the input
/// of an index of the output.
static Value gatherLike(Location loc, KernelModule &module, StringRef name, Value input, ArrayRef<int64_t> shape,
                        function_ref<Values(Emitter &, ValueRange)> read) {
  Value result = module.alloc(loc, shape, elementOf(input));
  module.call(loc, name, {input, result}, [&](Emitter &e, ValueRange in) {
    nest(e, shape, [&](ValueRange position) { e.store(e.load(in[0], read(e, position)), in[1], position); });
  });
  return result;
}

Value vitq::kernels::broadcastTo(Location loc, KernelModule &module, Value memref, ArrayRef<int64_t> shape) {
  Shape from(shapeOf(memref));
  from.insert(from.begin(), shape.size() - from.size(), 1);
  Value input = module.reshape(loc, memref, from);
  return gatherLike(loc, module, "broadcast", input, shape, [&](Emitter &e, ValueRange position) {
    Values index;
    for (auto [i, size] : llvm::enumerate(from))
      index.push_back(size == 1 ? e.index(0) : position[i]);
    return index;
  });
}

/// The patches of a map side by side are its axes in another order.
static Value extractTiles(ExtractPatchesOp op, KernelModule &module, Value input) {
  ArrayRef<int64_t> in = shapeOf(input);
  const int64_t height = op.getPatch()[0], width = op.getPatch()[1];
  Location loc = op.getLoc();
  Value split = module.reshape(loc, input, {in[0], in[1] / height, height, in[2] / width, width * in[3]});
  return module.reshape(loc, transpose(loc, module, split, {0, 1, 3, 2, 4}), op.getType().getShape());
}

static Value extractPatches(ExtractPatchesOp op, KernelModule &module, Value input) {
  ArrayRef<int64_t> map = shapeOf(input);
  const vit::Windows windows = op.getWindows();
  if (windows.tile(map[1], map[2]))
    return extractTiles(op, module, input);
  const int64_t channels = map[3];
  std::vector<int64_t> codes;
  for (int64_t c = 0; c < channels; ++c)
    codes.push_back(module.codeInMemory(op.getInput(), op.paddingOf(c)));
  Blob blob;
  Slot padding = blob.array(codes);
  const FailureOr<vit::Shape> results = vit::inferWindows(std::nullopt, map[1], map[2], windows);
  const Shape shape{map[0], (*results)[0], (*results)[1], windows.size[0], windows.size[1], channels};
  Location loc = op.getLoc();
  Value result = module.alloc(loc, shape, elementOf(input));
  module.call(loc, "patches", {input, result, module.blob(loc, blob)}, [&](Emitter &e, ValueRange in) {
    Value outside = Blob::view(e, in[2], padding);
    auto place = [&](int axis, Value window, Value tap) {
      return e.indexAdd(e.add(e.indexMul(window, windows.strides[axis]), e.indexMul(tap, windows.dilations[axis])),
                        -windows.pads[axis]);
    };
    nest(e, ArrayRef(shape).drop_back(), [&](ValueRange at) {
      Value h = place(0, at[1], at[3]), w = place(1, at[2], at[4]);
      // Negative numbers are large ones without their sign.
      auto below = [&](Value x, int64_t limit) { return e.cmp(arith::CmpIPredicate::ult, x, e.index(limit)); };
      auto copy = [&](function_ref<Value(Value)> read) {
        e.loop(channels, [&](Value c) {
          Values to(at);
          to.push_back(c);
          e.store(read(c), in[1], to);
        });
      };
      e.ifThenElse(
          e.op<arith::AndIOp>(below(h, map[1]), below(w, map[2])),
          [&] { copy([&](Value c) { return e.load(in[0], {at[0], h, w, c}); }); },
          [&] { copy([&](Value c) { return e.trunc(e.load(outside, c), widthOf(in[0])); }); });
    });
  });
  return module.reshape(loc, result, op.getType().getShape());
}

static Value slice(SliceOp op, KernelModule &module, Value input) {
  return gatherLike(op.getLoc(), module, "slice", input, op.getType().getShape(), [&](Emitter &e, ValueRange position) {
    Values index;
    for (auto [i, value] : llvm::enumerate(position))
      index.push_back(e.indexAdd(e.indexMul(value, op.getStrides()[i]), op.getOffsets()[i]));
    return index;
  });
}

static Value concat(ConcatOp op, KernelModule &module, MemrefOf memrefOf) {
  int64_t axis = op.getAxis(), rank = op.getType().getRank();
  axis = axis < 0 ? axis + rank : axis;
  Value result = module.alloc(op.getLoc(), op.getType().getShape(), elementOf(op.getResult()));
  Values args = llvm::map_to_vector(op.getInputs(), memrefOf);
  args.push_back(result);
  module.call(op.getLoc(), "concat", args, [&](Emitter &e, ValueRange in) {
    int64_t offset = 0;
    for (Value input : in.drop_back()) {
      nest(e, shapeOf(input), [&](ValueRange position) {
        Values to(position);
        to[axis] = e.indexAdd(to[axis], offset);
        e.store(e.load(input, position), in.back(), to);
      });
      offset += shapeOf(input)[axis];
    }
  });
  return result;
}

static Value gather(GatherOp op, KernelModule &module, Value input) {
  int64_t axis = op.getAxis();
  axis = axis < 0 ? axis + op.getType().getRank() : axis;
  ArrayRef<int64_t> shape = op.getType().getShape();
  Blob blob;
  Slot indices = blob.array(op.getIndices());
  Value result = module.alloc(op.getLoc(), shape, elementOf(input));
  module.call(op.getLoc(), "gather", {input, result, module.blob(op.getLoc(), blob)}, [&](Emitter &e, ValueRange in) {
    Value view = Blob::view(e, in[2], indices);
    nest(e, shape, [&](ValueRange position) {
      Values from(position);
      from[axis] = e.toIndex(e.load(view, position[axis]));
      e.store(e.load(in[0], from), in[1], position);
    });
  });
  return result;
}

static Value pad(PadOp op, KernelModule &module, Value input) {
  ArrayRef<int64_t> shape = op.getType().getShape();
  Blob blob;
  Slot value = blob.scalar(module.codeInMemory(op.getResult(), static_cast<int64_t>(op.getValue())));
  const unsigned width = widthOf(input);
  Value result = module.alloc(op.getLoc(), shape, elementOf(input));
  module.call(op.getLoc(), "pad", {input, result, module.blob(op.getLoc(), blob)}, [&](Emitter &e, ValueRange in) {
    Value fill = Blob::load(e, in[2], value, width);
    nest(e, shape, [&](ValueRange position) { e.store(fill, in[1], position); });
    nest(e, shapeOf(in[0]), [&](ValueRange position) {
      Values to;
      for (auto [i, index] : llvm::enumerate(position))
        to.push_back(e.indexAdd(index, op.getLow()[i]));
      e.store(e.load(in[0], position), in[1], to);
    });
  });
  return result;
}

/// y = sum of (x - zero point) over some axes, added up in the order of the input.
static Value sum(SumOp op, KernelModule &module, Value input) {
  ArrayRef<int64_t> shape = op.getType().getShape();
  Blob blob;
  Slot zeroPoint = blob.scalar(op.getInputCode().getZero());
  Value result = module.alloc(op.getLoc(), shape, elementOf(op.getResult()));
  module.call(op.getLoc(), "sum", {input, result, module.blob(op.getLoc(), blob)}, [&](Emitter &e, ValueRange in) {
    Value z = Blob::load(e, in[2], zeroPoint, 32);
    nest(e, shape, [&](ValueRange position) { e.store(e.like(z, 0), in[1], position); });
    nest(e, shapeOf(in[0]), [&](ValueRange position) {
      Values to;
      for (auto [i, index] : llvm::enumerate(position)) {
        const bool reduced = llvm::is_contained(op.getAxes(), static_cast<int64_t>(i));
        if (!reduced)
          to.push_back(index);
        else if (op.getKeepDims())
          to.push_back(e.index(0));
      }
      Value x = e.sub(e.extend(e.load(in[0], position), 32, op.getInputCode().isUnsigned()), z);
      e.store(e.add(e.load(in[1], to), x), in[1], to);
    });
  });
  return result;
}

Value vitq::kernels::lowerMoveOp(Operation *op, KernelModule &module, MemrefOf memrefOf) {
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](ReshapeOp o) { return module.reshape(o.getLoc(), memrefOf(o.getInput()), o.getType().getShape()); })
      .Case([&](TransposeOp o) { return transpose(o.getLoc(), module, memrefOf(o.getInput()), o.getPermutation()); })
      .Case([&](BroadcastOp o) {
        return broadcastTo(o.getLoc(), module, memrefOf(o.getInput()), o.getType().getShape());
      })
      .Case([&](ExtractPatchesOp o) { return extractPatches(o, module, memrefOf(o.getInput())); })
      .Case([&](SliceOp o) { return slice(o, module, memrefOf(o.getInput())); })
      .Case([&](ConcatOp o) { return concat(o, module, memrefOf); })
      .Case([&](GatherOp o) { return gather(o, module, memrefOf(o.getInput())); })
      .Case([&](PadOp o) { return pad(o, module, memrefOf(o.getInput())); })
      .Case([&](SumOp o) { return sum(o, module, memrefOf(o.getInput())); })
      .Default([](Operation *) { return Value(); });
}
