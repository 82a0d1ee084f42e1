//===- Contraction.cpp - Matrix products -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Contraction.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;
using integer::MatmulOp;

static ArrayRef<int64_t> shapeOf(Value value) { return cast<ShapedType>(value.getType()).getShape(); }

static int64_t productOf(ArrayRef<int64_t> sizes) {
  int64_t product = 1;
  for (int64_t size : sizes)
    product *= size;
  return product;
}

Geometry Geometry::of(MatmulOp op, const TargetDesc &target) {
  ArrayRef<int64_t> lhs = shapeOf(op.getLhs()), rhs = shapeOf(op.getRhs());
  Geometry g;
  g.dot = DotFormat::of(target, widthOf(op.getLhs()));
  g.k = lhs.back();
  g.n = shapeOf(op.getResult()).back();
  // A matrix shared by all batches makes one tall product.
  const bool shared = rhs.size() == 2;
  g.batch = shared ? 1 : productOf(lhs.drop_back(2));
  g.m = shared ? productOf(lhs.drop_back()) : lhs[lhs.size() - 2];
  g.tileRows = target.tileRows;
  g.tileCols = target.tileCols;
  // About 48 rows at a time, evenly: a panel is then read from L1 for eight tiles,
  // and the block's accumulators stay in L2.
  const int64_t blocks = (g.m + 59) / 60, rows = (g.m + blocks - 1) / blocks;
  g.blockRows = (rows + g.tileRows - 1) / g.tileRows * g.tileRows;
  return g;
}

namespace {

/// Emits the kernel of one product.
class ProductKernel {
public:
  ProductKernel(MatmulOp op, KernelModule &module, MemrefOf memrefOf, RowOp *epilogue);

  /// Adds the call to @main; the accumulators' buffer, null with an epilogue.
  Value emitCall();

private:
  void prepareRight();
  void prepareBlob();
  std::string key();
  void emitBody(Emitter &e, ValueRange in);
  void emitBias(Emitter &e, Value batch);
  void widenRow(Emitter &e, Value from, Value to);
  void emitBlock(Emitter &e, Value batch, Value block);
  void emitTiles(Emitter &e, Value rows, Value firstOfC);
  Value scratchView(Emitter &e, int64_t offset, ArrayRef<int64_t> shape, int64_t width);
  int64_t reserve(int64_t bytes);

  MatmulOp op;
  KernelModule &module;
  MemrefOf memrefOf;
  RowOp *epilogue;
  Geometry g;
  Location loc;
  bool lhsUnsigned, constantRight = false;
  /// Multiplies the column sums of the right operand: minus what the format of the
  /// left operand adds to each of its elements.
  int64_t correction = 0;
  int64_t scratchBytes = 0, blockAt = 0, accAt = 0, panelsAt = 0, biasAt = 0;
  Value right, bias;
  Slot zeroPointSlot, correctionSlot, biasSlot;
  Blob blob;

  // Values of the function that is being built.
  Value lhs, rhs, biasIn, scratch, constants, blobIn;
  ValueRange operands, results;
  Value rowsOfA, dotsOfA, panels, biasRow, acc;
};

} // namespace

ProductKernel::ProductKernel(MatmulOp op, KernelModule &module, MemrefOf memrefOf, RowOp *epilogue)
    : op(op), module(module), memrefOf(memrefOf), epilogue(epilogue), g(Geometry::of(op, module.target)),
      loc(op.getLoc()), lhsUnsigned(op.getLhsUnsigned()) {
  const auto zeroPoint = static_cast<int64_t>(op.getLhsZeroPoint());
  // 8-bit operands lose their zero point when they are widened; others keep it,
  // and change sign where the instruction reads the other one.
  if (g.dot.width == 8)
    correction = -zeroPoint - (lhsUnsigned ? 0 : 128);
  else if (widthOf(op.getLhs()) == 16)
    correction = -zeroPoint + (lhsUnsigned ? 32768 : 0);
  prepareRight();
  prepareBlob();
}

int64_t ProductKernel::reserve(int64_t bytes) {
  const int64_t at = scratchBytes;
  scratchBytes += (bytes + 63) / 64 * 64;
  return at;
}

void ProductKernel::prepareRight() {
  std::optional<std::vector<char>> data, biasData;
  if (shapeOf(op.getRhs()).size() == 2)
    data = constantBytesOf(op.getRhs());
  if (op.getBias())
    biasData = constantBytesOf(op.getBias());
  constantRight = data && (!op.getBias() || biasData);
  if (!constantRight) {
    const int64_t first = op.getTransposeRhs() ? g.n : g.k, second = op.getTransposeRhs() ? g.k : g.n;
    right = module.reshape(loc, memrefOf(op.getRhs()), {g.batch, first, second});
    if (op.getBias())
      bias = memrefOf(op.getBias());
    return;
  }
  right = module.constant(loc, packPanels(g, *data, op.getTransposeRhs()));
  // The bias with the column sums that the zero point multiplies, modulo 2^32.
  std::vector<uint32_t> row(g.paddedCols());
  for (int64_t n = 0; n < g.n; ++n) {
    uint32_t sum = 0;
    for (int64_t k = 0; k < g.k; ++k)
      sum += static_cast<int8_t>((*data)[op.getTransposeRhs() ? n * g.k + k : k * g.n + n]);
    if (biasData)
      std::memcpy(&row[n], biasData->data() + 4 * n, 4);
    row[n] += static_cast<uint32_t>(correction) * sum;
  }
  biasSlot = blob.array(row);
}

void ProductKernel::prepareBlob() {
  zeroPointSlot = blob.scalar(op.getLhsZeroPoint());
  correctionSlot = blob.scalar(correction);
  blockAt = reserve(g.blockRows * g.groups() * g.dot.group * g.dot.width / 8);
  if (epilogue)
    accAt = reserve(g.blockRows * g.n * 4);
  if (!constantRight) {
    panelsAt = reserve(g.panelBytes());
    biasAt = reserve(g.paddedCols() * 4);
  }
}

std::string ProductKernel::key() {
  std::string text = dotKindName(module.target.dot).str();
  text += module.target.emulateDot ? ".spelt" : "";
  text += lhsUnsigned ? ".u" : ".s";
  text += constantRight ? ".constant" : op.getTransposeRhs() ? ".nk" : ".kn";
  text += ".m" + std::to_string(g.m) + ".n" + std::to_string(g.n) + ".b" + std::to_string(g.batch);
  text += correction != 0 && !constantRight ? ".z" : "";
  text += bias ? ".bias" : "";
  if (epilogue)
    text += "+" + epilogue->name.str() + epilogue->key + epilogue->blob.layout();
  return text + blob.layout();
}

Value ProductKernel::emitCall() {
  Values args{module.reshape(loc, memrefOf(op.getLhs()), {g.batch * g.m, g.k}), right};
  if (bias)
    args.push_back(bias);
  Value result;
  if (epilogue) {
    args.append(epilogue->operands);
    args.append(epilogue->results);
    args.push_back(module.blob(loc, epilogue->blob));
  } else {
    result = module.alloc(loc, shapeOf(op.getResult()), elementOf(op.getResult()));
    args.push_back(module.reshape(loc, result, {g.batch * g.m, g.n}));
  }
  args.push_back(module.scratch(loc, scratchBytes));
  args.push_back(module.blob(loc, blob));
  std::string name = "matmul" + (epilogue ? "_" + epilogue->name.str() : "");
  module.call(loc, name, key(), args, [&](Emitter &e, ValueRange in) { emitBody(e, in); });
  return result;
}

Value ProductKernel::scratchView(Emitter &e, int64_t offset, ArrayRef<int64_t> shape, int64_t width) {
  return memref::ViewOp::create(e.b, e.loc, MemRefType::get(shape, e.intType(width)), scratch, e.index(offset),
                                ValueRange());
}

void ProductKernel::emitBody(Emitter &e, ValueRange in) {
  lhs = in[0];
  rhs = in[1];
  size_t next = 2;
  if (bias)
    biasIn = in[next++];
  if (epilogue) {
    operands = in.slice(next, epilogue->operands.size());
    results = in.slice(next += epilogue->operands.size(), epilogue->results.size());
    next += epilogue->results.size();
    constants = in[next];
  }
  scratch = in[in.size() - 2];
  blobIn = in.back();

  const int64_t group = g.dot.group;
  rowsOfA = scratchView(e, blockAt, {g.blockRows, g.groups() * group}, g.dot.width);
  dotsOfA = scratchView(e, blockAt, {g.blockRows, g.groups()}, group == 1 ? g.dot.width : 32);
  acc = epilogue ? scratchView(e, accAt, {g.blockRows, g.n}, 32) : in[next];
  const SmallVector<int64_t> panelShape{g.panels(), g.groups(), g.tileCols * group};
  if (constantRight) {
    panels = memref::ViewOp::create(e.b, e.loc, MemRefType::get(panelShape, e.intType(g.dot.width)), rhs, e.index(0),
                                    ValueRange());
    biasRow = Blob::view(e, blobIn, biasSlot);
  } else {
    panels = scratchView(e, panelsAt, panelShape, g.dot.width);
    biasRow = scratchView(e, biasAt, {g.paddedCols()}, 32);
    // Padding is zero; packing never writes it.
    Value flat = scratchView(e, panelsAt, {g.panelBytes()}, 8);
    e.loop(g.panelBytes(), [&](Value i) { e.store(e.constant(e.intType(8), 0), flat, i); });
  }
  e.loop(g.batch, [&](Value batch) {
    if (!constantRight) {
      emitPack(e, g, rhs, batch, op.getTransposeRhs(), panels);
      emitBias(e, batch);
    }
    e.loop((g.m + g.blockRows - 1) / g.blockRows, [&](Value block) { emitBlock(e, batch, block); });
  });
}

/// bias + correction * column sums of rhs[batch], for a right operand of run time.
void ProductKernel::emitBias(Emitter &e, Value batch) {
  Type i32 = e.intType(32);
  const bool transposed = op.getTransposeRhs();
  auto element = [&](Value n, Value k) {
    return e.sext(transposed ? e.load(rhs, {batch, n, k}) : e.load(rhs, {batch, k, n}), 32);
  };
  e.loop(g.paddedCols(), [&](Value n) { e.store(e.constant(i32, 0), biasRow, n); });
  if (correction != 0) {
    Value factor = Blob::load(e, blobIn, correctionSlot, 32);
    if (transposed) {
      e.loop(g.n, [&](Value n) {
        Values sum = e.loop(g.k, e.constant(i32, 0),
                            [&](Value k, ValueRange sum) { return Values{e.add(sum[0], element(n, k))}; });
        e.store(e.mul(sum[0], factor), biasRow, n);
      });
    } else {
      e.loop(g.k, [&](Value k) {
        e.loop(g.n, [&](Value n) { e.store(e.add(e.load(biasRow, n), element(n, k)), biasRow, n); });
      });
      e.loop(g.n, [&](Value n) { e.store(e.mul(e.load(biasRow, n), factor), biasRow, n); });
    }
  }
  if (biasIn)
    e.loop(g.n, [&](Value n) { e.store(e.add(e.load(biasRow, n), e.load(biasIn, n)), biasRow, n); });
}

/// Row `from` of the left operand in the format of the dot product.
void ProductKernel::widenRow(Emitter &e, Value from, Value to) {
  const bool wide = widthOf(lhs) == 16;
  e.loop(g.k, [&](Value k) {
    Value x = e.load(lhs, {from, k});
    if (g.dot.width == 8)
      x = lhsUnsigned ? x : e.op<arith::XOrIOp>(x, e.like(x, -128));
    else if (wide)
      x = lhsUnsigned ? e.op<arith::XOrIOp>(x, e.like(x, -32768)) : x;
    else
      x = e.sub(e.extend(x, 16, lhsUnsigned), Blob::load(e, blobIn, zeroPointSlot, 16));
    e.store(x, rowsOfA, {to, k});
  });
  for (int64_t k = g.k; k < g.groups() * g.dot.group; ++k)
    e.store(e.constant(e.intType(g.dot.width), 0), rowsOfA, {to, e.index(k)});
}

void ProductKernel::emitBlock(Emitter &e, Value batch, Value block) {
  Value first = e.indexMul(block, g.blockRows);
  Value rows = e.smin(e.sub(e.index(g.m), first), e.index(g.blockRows));
  Value global = e.add(e.indexMul(batch, g.m), first);
  e.loop(e.index(0), rows, 1, [&](Value r) { widenRow(e, e.add(global, r), r); });
  emitTiles(e, rows, epilogue ? e.index(0) : global);
  if (!epilogue)
    return;
  e.loop(e.index(0), rows, 1, [&](Value r) {
    epilogue->emitRow(e, module.target, {acc, r, e.add(global, r), operands, results, constants});
  });
}

/// All tiles of `rows` rows, a panel at a time.
void ProductKernel::emitTiles(Emitter &e, Value rows, Value firstOfC) {
  const SmallVector<Type> memrefs{dotsOfA.getType(), panels.getType(), biasRow.getType(), acc.getType()};
  const int64_t restRows = g.m % g.tileRows, restCols = g.n % g.tileCols;
  Value whole = e.indexMul(e.divu(rows, e.index(g.tileRows)), g.tileRows);
  auto callTile = [&](int64_t tileRows, int64_t tileCols, Value row, Value panel) {
    func::FuncOp tile = tileFunction(loc, module, g, tileRows, tileCols, memrefs);
    func::CallOp::create(e.b, e.loc, tile, ValueRange{dotsOfA, panels, biasRow, acc, row, panel, e.add(firstOfC, row)});
  };
  auto panelOf = [&](Value panel, int64_t cols) {
    if (g.m >= g.tileRows)
      e.loop(e.index(0), whole, g.tileRows, [&](Value row) { callTile(g.tileRows, cols, row, panel); });
    if (restRows)
      e.ifThen(e.cmp(arith::CmpIPredicate::ult, whole, rows), [&] { callTile(restRows, cols, whole, panel); });
  };
  if (g.n >= g.tileCols)
    e.loop(g.n / g.tileCols, [&](Value panel) { panelOf(panel, g.tileCols); });
  if (restCols)
    panelOf(e.index(g.n / g.tileCols), restCols);
}

Value vitq::kernels::lowerMatmul(MatmulOp op, KernelModule &module, MemrefOf memrefOf, RowOp *epilogue) {
  return ProductKernel(op, module, memrefOf, epilogue).emitCall();
}
