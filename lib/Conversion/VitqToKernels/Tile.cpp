//===- Tile.cpp - One output tile of a contraction -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Contraction.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;

/// The same without the instruction: every group's element s at a time.
static Value spellDot(Emitter &e, const DotFormat &dot, Value acc, Value left, Value right) {
  for (int64_t s = 0; s < dot.group; ++s) {
    SmallVector<int64_t> picked;
    for (int64_t lane = 0; lane < dot.lanes; ++lane)
      picked.push_back(lane * dot.group + s);
    auto pick = [&](Value v) { return e.op<vector::ShuffleOp>(v, v, picked); };
    acc = e.add(acc, e.mul(e.extend(pick(left), 32, dot.unsignedLhs), e.sext(pick(right), 32)));
  }
  return acc;
}

/// acc + dot(a, b), a being one group of the left operand in every lane.
static Value emitDot(Emitter &e, const DotFormat &dot, Value acc, Value a, Value b) {
  auto accType = cast<VectorType>(acc.getType());
  auto operandType = cast<VectorType>(b.getType());
  Value left;
  if (dot.group == 1) {
    left = e.op<vector::BroadcastOp>(operandType, a);
    return e.add(acc, e.mul(e.sext(left, 32), e.sext(b, 32)));
  }
  left = e.op<vector::BroadcastOp>(VectorType::get({dot.lanes}, e.intType(32)), a);
  left = e.op<vector::BitCastOp>(operandType, left);
  if (dot.intrinsic.empty())
    return spellDot(e, dot, acc, left, b);
  auto intrinsic = e.b.getStringAttr(dot.intrinsic);
  const bool accumulates = dot.group == 4;
  Values args = accumulates ? Values{acc, left, b} : Values{left, b};
  Value result = LLVM::CallIntrinsicOp::create(e.b, e.loc, accType, intrinsic, args)->getResult(0);
  return accumulates ? result : e.add(acc, result);
}

/// Writes the lanes of `value` that are columns of the result.
static void storeColumns(Emitter &e, Value value, int64_t valid, Value c, Value row, Value col) {
  auto type = cast<VectorType>(value.getType());
  if (valid >= type.getNumElements())
    return e.store(value, c, {row, col});
  SmallVector<bool> lanes(type.getNumElements());
  std::fill_n(lanes.begin(), valid, true);
  auto maskType = VectorType::get(type.getShape(), e.intType(1));
  Value mask = e.op<arith::ConstantOp>(DenseElementsAttr::get(maskType, ArrayRef<bool>(lanes)));
  vector::MaskedStoreOp::create(e.b, e.loc, c, ValueRange{row, col}, mask, value);
}

func::FuncOp vitq::kernels::tileFunction(Location loc, KernelModule &module, const Geometry &g, int64_t rows,
                                         int64_t cols, TypeRange memrefs) {
  const int64_t lanes = g.dot.lanes, vectors = (cols + lanes - 1) / lanes;
  SmallVector<Type> args(memrefs);
  args.append(3, IndexType::get(loc.getContext()));
  const std::string key = std::to_string(rows) + "x" + std::to_string(cols) + "." + std::to_string(g.dot.group);
  return module.function(loc, "tile", key, args, {}, [&](Emitter &e, ValueRange in) {
    Value a = in[0], panels = in[1], bias = in[2], c = in[3], aRow = in[4], panel = in[5], cRow = in[6];
    Value firstCol = e.indexMul(panel, g.tileCols);
    Values init;
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t v = 0; v < vectors; ++v)
        init.push_back(r ? init[v] : e.load(bias, e.indexAdd(firstCol, v * lanes), lanes));
    Values acc = e.loop(g.groups(), init, [&](Value kg, ValueRange acc) {
      Values b, next;
      for (int64_t v = 0; v < vectors; ++v) {
        // Panels are aligned to 64 bytes only where a row of them is.
        const int64_t step = g.dot.group * lanes, bytes = step * g.dot.width / 8;
        const bool aligned = g.tileCols * g.dot.group * g.dot.width / 8 % bytes == 0;
        b.push_back(e.load(panels, {panel, kg, e.index(v * step)}, step, aligned ? bytes : 0));
      }
      for (int64_t r = 0; r < rows; ++r) {
        Value left = e.load(a, {e.indexAdd(aRow, r), kg});
        for (int64_t v = 0; v < vectors; ++v)
          next.push_back(emitDot(e, g.dot, acc[r * vectors + v], left, b[v]));
      }
      return next;
    });
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t v = 0; v < vectors; ++v)
        storeColumns(e, acc[r * vectors + v], cols - v * lanes, c, e.indexAdd(cRow, r),
                     e.indexAdd(firstCol, v * lanes));
  });
}
