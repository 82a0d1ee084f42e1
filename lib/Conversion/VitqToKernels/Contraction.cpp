//===- Contraction.cpp - Matrix products -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Contraction.h"
#include "StoreOverlap.h"

#include "vitq/Numerics/Bounds.h"
#include "vitq/Support/Constants.h"
#include "vitq/Target/Isa/Portable.h"

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

/// What the codes of a constant need, 2 bits at least.
static unsigned bitsOf(const Tensor &codes) {
  numerics::Interval range;
  for (int64_t i = 0; i < codes.numElements(); ++i)
    range = numerics::unite(range, {codes.intAt(i), codes.intAt(i)});
  return static_cast<unsigned>(std::max(2, numerics::signedBitsFor(range)));
}

namespace {

/// Emits the kernel of one product.
class ProductKernel {
public:
  ProductKernel(MatmulOp op, KernelModule &module, MemrefOf memrefOf, Epilogue &epilogue);

  /// Adds the call to @main; the accumulators' buffer, null with an epilogue.
  Value emitCall();

private:
  void prepareRight();
  void prepareScratch();
  void takeArguments(Emitter &e, ValueRange in);
  void emitBody(Emitter &e, Value first, Value last);
  void packRight(Emitter &e, Value batch);
  void emitRows(Emitter &e, Value lo, Value hi);
  void emitBlock(Emitter &e, Value lo, Value rows);
  void emitColumns(Emitter &e, Value first, Value last);
  void emitPanel(Emitter &e, TileCaller &tiles, const TileStore &store, const Panel &panel, Value lo, Value from,
                 Value rows);
  TilePlace placeOf(Emitter &e, const Panel &panel, Value offset, Value lo, Value row, int64_t tileRows);
  void prefetch(Emitter &e, const Panel &panel, Value row, TilePlace &place);
  void prefetchStream(Emitter &e, const Panel &panel, TilePlace &place);
  void widenRun(Emitter &e, Value source, Value from, Value to, Value first, int64_t count);
  void widenPatch(Emitter &e, Value patch, Value to);
  void widenWindow(Emitter &e, Value patch, Value to);
  bool packs() const { return constantRight && rightBits < 8; }
  bool unpacksInTile() const;
  bool splitsColumns() const;
  /// Parts of the rows of a panel that are units of their own, and tiles of one.
  int64_t rowParts() const { return std::min<int64_t>(geometry.tiles(), 4); }
  int64_t partTiles() const { return llvm::divideCeilSigned(geometry.tiles(), rowParts()); }
  /// Whether weights have left L2 when they are needed again, as it does not hold those of the whole program. A target
  /// without vectors is not known to have one.
  bool comesFromFar() const {
    return hasVectors(module.target) && module.weightBytes >= module.target.isa->l2Bytes / 2;
  }
  bool unpacks() const { return constantRight && (geometry.dot.width != 8 || packs()) && !unpacksInTile(); }
  /// Of panels as they are stored, or for a right operand of run time, packed.
  int64_t rightDepth() const { return constantRight ? storedDepth(geometry, rightBits) : geometry.paddedDepth(); }
  /// Of weights, as they are stored.
  int64_t bytesOfColumn() const { return rightDepth() * rightBits / 8; }
  Value scratchView(Emitter &e, int64_t offset, ArrayRef<int64_t> shape, int64_t width);
  int64_t reserve(int64_t bytes);

  MatmulOp op;
  KernelModule &module;
  MemrefOf memrefOf;
  Epilogue &epilogue;
  Geometry geometry;
  LeftFormat leftFormat;
  Location loc;
  /// The rows of the left operand are patches of this op's input.
  integer::ExtractPatchesOp patches;
  int64_t batch = 1, blockRows = 0, scratchBytes = 0, leftOffset = 0, sumsOffset = 0, panelsOffset = 0, biasOffset = 0,
          waitingOffset = 0;
  bool constantRight = false, direct;
  /// Of the right operand's codes.
  unsigned rightBits;
  Value right, bias;
  Slot zeroPointSlot, correctionSlot, biasSlot, paddingSlot;
  Blob blob;

  // Values of the function that is being built.
  Value lhs, rhs, biasIn, scratch, blobIn, result;
  EpilogueCode code;
  Value leftWords, leftRows, panels, biasRow, sums;
};

} // namespace

ProductKernel::ProductKernel(MatmulOp op, KernelModule &module, MemrefOf memrefOf, Epilogue &epilogue)
    : op(op), module(module), memrefOf(memrefOf), epilogue(epilogue), geometry(Geometry::of(op, module.target)),
      leftFormat(LeftFormat::of(op)), loc(op.getLoc()), patches(epilogue.patches),
      direct(!patches && leftFormat.isDirect(geometry)), rightBits(integer::codeOf(op.getRhs()).bits), code(epilogue) {
  if (shapeOf(op.getRhs()).size() != 2)
    batch = productOf(shapeOf(op.getLhs()).drop_back(2));
  prepareRight();
  prepareScratch();
}

int64_t ProductKernel::reserve(int64_t bytes) {
  const int64_t offset = scratchBytes;
  scratchBytes += static_cast<int64_t>(llvm::alignTo(bytes, 64));
  return offset;
}

/// Panels that one tile uses need not be unpacked into memory, if registers hold a block beside the sums.
bool ProductKernel::unpacksInTile() const {
  const int64_t block = weightPacking(geometry, rightBits).blockCodes() / (geometry.dot.lanes * geometry.dot.group);
  return packs() && geometry.dot.lanes > 1 && !geometry.tileProduct &&
         geometry.m * geometry.tileVectors + block <= geometry.tileRows * geometry.tileVectors;
}

/// Whether units are parts of panels, not of rows: where there are few rows to share out, unless so little is to be
/// done that it is not worth the waiting: rows of results are not one thread's own then.
bool ProductKernel::splitsColumns() const {
  constexpr int64_t fewTiles = 8, leastWeights = 128 << 10;
  return constantRight && direct && !epilogue.rowwise && epilogue.posts.empty() && geometry.panels() > 1 &&
         geometry.m <= blockRows && geometry.tiles() <= fewTiles && geometry.packedElements() >= leastWeights;
}

void ProductKernel::prepareRight() {
  FailureOr<Tensor> data, biasData;
  if (shapeOf(op.getRhs()).size() == 2)
    data = getIntTensor(op.getRhs());
  if (op.getBias())
    biasData = getIntTensor(op.getBias());
  constantRight = succeeded(data) && (!op.getBias() || succeeded(biasData));
  const int64_t correction = leftFormat.correction(geometry);
  const bool transposed = op.getTransposeRhs();
  if (!constantRight) {
    const int64_t first = transposed ? geometry.n : geometry.k, second = transposed ? geometry.k : geometry.n;
    right = module.reshape(loc, memrefOf(op.getRhs()), {batch * first, second});
    if (op.getBias())
      bias = memrefOf(op.getBias());
    correctionSlot = blob.scalar(correction);
    return;
  }
  // Unpacking 7 bits takes more time than an eighth of the memory is worth.
  if (const unsigned needed = bitsOf(*data); needed < 7)
    rightBits = std::min(rightBits, needed);
  right = module.constant(
      loc, weightPacking(geometry, rightBits).pack(packWeights(geometry, rightDepth(), data->raw(), transposed)));
  // The bias with the column sums that the zero point multiplies, modulo 2^32.
  std::vector<uint32_t> row(geometry.paddedCols());
  for (int64_t n = 0; n < geometry.n; ++n) {
    uint32_t sum = 0;
    for (int64_t k = 0; k < geometry.k; ++k)
      sum += static_cast<uint32_t>(data->intAt(transposed ? n * geometry.k + k : k * geometry.n + n));
    if (succeeded(biasData))
      row[n] = static_cast<uint32_t>(biasData->intAt(n));
    row[n] += static_cast<uint32_t>(correction) * sum;
  }
  biasSlot = blob.array(row);
}

/// A block of rows is what half of the L2 cache holds of the left operand and of
/// sums; if rows are widened, a quarter, since panels of weights are widened as well
/// and a few tiles pay for that.
void ProductKernel::prepareScratch() {
  zeroPointSlot = blob.scalar(leftFormat.zeroPoint);
  if (patches && patches.getWindows().isPadded()) {
    std::vector<int64_t> codes;
    for (int64_t c = 0; c < shapeOf(patches.getInput())[3]; ++c)
      codes.push_back(module.codeInMemory(patches.getInput(), patches.paddingOf(c)));
    paddingSlot = leftFormat.width <= 8 ? blob.array(std::vector<int8_t>(codes.begin(), codes.end()))
                                        : blob.array(std::vector<int16_t>(codes.begin(), codes.end()));
  }
  const int64_t rowBytes =
      geometry.paddedDepth() * geometry.leftWidth() / 8 + (epilogue.rowwise ? geometry.paddedCols() * 4 : 0);
  const int64_t budget = module.target.isa->l2Bytes / (direct ? 2 : 4);
  // Without panels that are unpacked for a block, few rows are enough.
  const int64_t least = (hasVectors(module.target) || unpacks() ? 8 : 2) * geometry.tileRows;
  const int64_t most = std::max<int64_t>(least, budget / rowBytes), blocks = (geometry.m + most - 1) / most;
  blockRows = ((geometry.m + blocks - 1) / blocks + geometry.tileRows - 1) / geometry.tileRows * geometry.tileRows;
  if (!direct)
    leftOffset = reserve(blockRows * rowBytes);
  if (module.target.isa->storesBeside && !epilogue.elementwise.empty())
    waitingOffset = reserve(2 * bytesOfWaiting(geometry));
  if (epilogue.rowwise)
    sumsOffset = reserve(blockRows * geometry.paddedCols() * 4);
  if (unpacks())
    panelsOffset = reserve(geometry.tileVectors * geometry.dot.lanes * rightDepth() * geometry.dot.width / 8);
  if (!constantRight) {
    panelsOffset = reserve(geometry.packedElements() * geometry.dot.width / 8);
    biasOffset = reserve(geometry.paddedCols() * 4);
  }
}

Value ProductKernel::emitCall() {
  Value left = memrefOf(patches ? patches.getInput() : op.getLhs());
  Values args{module.reshape(loc, left, {elementCount(left.getType())}), right};
  if (bias)
    args.push_back(bias);
  std::string name = "matmul";
  SmallVector<int64_t> local;
  if (!patches)
    local.push_back(0);
  epilogue.appendArguments(loc, module, args, name, local);
  Value buffer;
  if (epilogue.empty()) {
    buffer = module.alloc(loc, shapeOf(op.getResult()), elementOf(op.getResult()));
    local.push_back(static_cast<int64_t>(args.size()));
    args.push_back(module.reshape(loc, buffer, {batch * geometry.m, geometry.n}));
  }
  args.push_back(module.scratch(loc, scratchBytes));
  args.push_back(module.blob(loc, blob));
  SmallVector<Operation *> ops;
  if (patches)
    ops.push_back(patches);
  ops.push_back(op);
  ops.append(epilogue.sources);
  const int64_t units = splitsColumns() ? geometry.panels() * rowParts() : constantRight ? geometry.tiles() : batch;
  Step step(ops, op.getMacs());
  if (constantRight && !splitsColumns()) {
    step.rows = geometry.m;
    step.local = local;
  }
  module.call(step, name, args, units, [&](Emitter &e, ValueRange in, Value first, Value last) {
    takeArguments(e, in);
    emitBody(e, first, last);
  });
  return buffer;
}

Value ProductKernel::scratchView(Emitter &e, int64_t offset, ArrayRef<int64_t> shape, int64_t width) {
  return memref::ViewOp::create(e.b, e.loc, MemRefType::get(shape, e.intType(width)), scratch, e.index(offset),
                                ValueRange());
}

void ProductKernel::takeArguments(Emitter &e, ValueRange in) {
  lhs = in[0];
  rhs = in[1];
  in = in.drop_front(2);
  if (bias) {
    biasIn = in.front();
    in = in.drop_front();
  }
  code.takeArguments(in);
  result = epilogue.empty() ? in.front() : Value();
  scratch = in[in.size() - 2];
  blobIn = in.back();

  const int64_t depth = geometry.paddedDepth();
  if (direct) {
    auto words = MemRefType::get({batch * geometry.m, geometry.groups()}, e.intType(geometry.wordBits()));
    if (geometry.dot.group == 1)
      leftWords =
          e.op<memref::ReinterpretCastOp>(words, lhs, 0, words.getShape(), ArrayRef<int64_t>{geometry.groups(), 1});
    else
      leftWords = e.op<memref::ViewOp>(words, lhs, e.index(0), ValueRange());
  } else {
    leftRows = scratchView(e, leftOffset, {blockRows, depth}, geometry.leftWidth());
    leftWords = scratchView(e, leftOffset, {blockRows, geometry.groups()}, geometry.wordBits());
  }
  if (epilogue.rowwise)
    sums = scratchView(e, sumsOffset, {blockRows, geometry.paddedCols()}, 32);
  if (unpacks())
    panels =
        scratchView(e, panelsOffset, {geometry.tileVectors * geometry.dot.lanes * rightDepth()}, geometry.dot.width);
  else if (constantRight)
    panels = rhs;
  else
    panels = scratchView(e, panelsOffset, {geometry.packedElements()}, geometry.dot.width);
  biasRow = constantRight ? Blob::view(e, blobIn, biasSlot) : scratchView(e, biasOffset, {geometry.paddedCols()}, 32);
}

void ProductKernel::emitBody(Emitter &e, Value first, Value last) {
  if (splitsColumns())
    return emitColumns(e, first, last);
  if (constantRight) {
    Value lo = e.indexMul(first, geometry.tileRows);
    return emitRows(e, lo, e.smin(e.indexMul(last, geometry.tileRows), e.index(geometry.m)));
  }
  e.loop(first, last, 1, [&](Value batch) {
    packRight(e, batch);
    Value lo = e.indexMul(batch, geometry.m);
    emitRows(e, lo, e.indexAdd(lo, geometry.m));
  });
}

/// Packs rhs[batch]; the bias row gets the correction and the bias.
void ProductKernel::packRight(Emitter &e, Value batch) {
  Value base = e.indexMul(batch, op.getTransposeRhs() ? geometry.n : geometry.k), zero = e.index(0);
  const RightView view{rhs, base, 1, op.getTransposeRhs()};
  emitPack(e, geometry, view, panels, zero, biasRow, zero, Blob::load(e, blobIn, correctionSlot, 32));
  if (biasIn)
    e.loop(geometry.n, [&](Value n) { e.store(e.add(e.load(biasRow, n), e.load(biasIn, n)), biasRow, n); });
}

/// Rows lo to hi, of which the last tile may have fewer if the matrix ends there.
void ProductKernel::emitRows(Emitter &e, Value lo, Value hi) {
  e.loop(lo, hi, blockRows, [&](Value block) { emitBlock(e, block, e.smin(e.sub(hi, block), e.index(blockRows))); });
}

/// Elements `from` on of `source` as row `to` of the left operand in the dot product's format, from column `first` on.
void ProductKernel::widenRun(Emitter &e, Value source, Value from, Value to, Value first, int64_t count) {
  Value zeroPoint = Blob::load(e, blobIn, zeroPointSlot, geometry.leftWidth());
  forColumns(e, module.target, count, true, geometry.leftWidth(), [&](Value k, int64_t lanes) {
    Value x = e.load(source, {e.add(from, k)}, lanes);
    e.store(widenLeft(e, geometry, leftFormat, zeroPoint, x), leftRows, {to, e.add(k, first)});
  });
}

void ProductKernel::widenPatch(Emitter &e, Value patch, Value to) {
  ArrayRef<int64_t> picture = shapeOf(patches.getInput());
  const vit::Windows windows = patches.getWindows();
  if (!windows.tile(picture[1], picture[2]))
    return widenWindow(e, patch, to);
  const int64_t height = windows.size[0], run = windows.size[1] * picture[3], line = picture[2] * picture[3];
  const int64_t across = picture[2] / windows.size[1];
  // Rows of patches of all pictures lie behind each other.
  Value first = e.indexMul(e.divu(patch, e.index(across)), height * line);
  first = e.add(first, e.indexMul(e.remu(patch, e.index(across)), run));
  for (int64_t i = 0; i < height; ++i)
    widenRun(e, lhs, e.indexAdd(first, i * line), to, e.index(i * run), run);
}

/// A window that may overlap others, or reach over the border. Rows inside of the map are one run each, or one for
/// each element where they are dilated; of others each element is looked at.
void ProductKernel::widenWindow(Emitter &e, Value patch, Value to) {
  ArrayRef<int64_t> map = shapeOf(patches.getInput());
  const vit::Windows windows = patches.getWindows();
  const int64_t channels = map[3], columns = windows.size[1];
  const FailureOr<vit::Shape> results = vit::inferWindows(std::nullopt, map[1], map[2], windows);
  Value image = e.divu(patch, e.index((*results)[0] * (*results)[1]));
  Value place = e.remu(patch, e.index((*results)[0] * (*results)[1]));
  auto begin = [&](int axis, Value window) {
    return e.indexAdd(e.indexMul(window, windows.strides[axis]), -windows.pads[axis]);
  };
  Value top = begin(0, e.divu(place, e.index((*results)[1]))), left = begin(1, e.remu(place, e.index((*results)[1])));
  Value base = e.indexMul(image, map[1] * map[2] * channels);
  // Negative numbers are large ones without their sign.
  auto below = [&](Value x, int64_t limit) { return e.cmp(arith::CmpIPredicate::ult, x, e.index(limit)); };
  const int64_t room = map[2] - windows.extent(1) + 1;
  e.loop(windows.size[0], [&](Value i) {
    Value h = e.add(top, e.indexMul(i, windows.dilations[0]));
    Value line = e.add(base, e.indexMul(h, map[2] * channels)), first = e.indexMul(i, columns * channels);
    auto whole = [&] {
      Value from = e.add(line, e.indexMul(left, channels));
      if (windows.dilations[1] == 1)
        return widenRun(e, lhs, from, to, first, columns * channels);
      e.loop(columns, [&](Value j) {
        widenRun(e, lhs, e.add(from, e.indexMul(j, windows.dilations[1] * channels)), to,
                 e.add(first, e.indexMul(j, channels)), channels);
      });
    };
    if (!windows.isPadded())
      return whole();
    auto partly = [&] {
      Value padding = Blob::view(e, blobIn, paddingSlot);
      e.loop(columns, [&](Value j) {
        Value w = e.add(left, e.indexMul(j, windows.dilations[1])), at = e.add(first, e.indexMul(j, channels));
        Value inside = e.op<arith::AndIOp>(below(h, map[1]), below(w, map[2]));
        e.ifThenElse(
            inside, [&] { widenRun(e, lhs, e.add(line, e.indexMul(w, channels)), to, at, channels); },
            [&] { widenRun(e, padding, e.index(0), to, at, channels); });
      });
    };
    if (room <= 0)
      return partly();
    e.ifThenElse(e.op<arith::AndIOp>(below(h, map[1]), below(left, room)), whole, partly);
  });
}

void ProductKernel::emitBlock(Emitter &e, Value lo, Value rows) {
  if (!direct) {
    e.loop(e.index(0), rows, 1, [&](Value r) {
      if (patches)
        widenPatch(e, e.add(lo, r), r);
      else
        widenRun(e, lhs, e.indexMul(e.add(lo, r), geometry.k), r, e.index(0), geometry.k);
      for (int64_t k = geometry.k; k < geometry.paddedDepth(); ++k)
        e.store(e.constant(e.intType(geometry.leftWidth()), 0), leftRows, {r, e.index(k)});
    });
  }
  TileStore store = code.store(epilogue.rowwise ? sums : result);
  const BitPacking packing = weightPacking(geometry, rightBits);
  TileCaller tiles(module, geometry, leftWords, 1, panels, biasRow, store, unpacksInTile() ? &packing : nullptr);
  tiles.shapeRegisters(e, geometry.tileRows);
  forPanels(e, geometry, [&](const Panel &panel) { emitPanel(e, tiles, store, panel, lo, e.index(0), rows); });
  tiles.releaseRegisters(e);
  code.emitRows(e, module.target, lo, rows, std::min(blockRows, geometry.m), sums);
}

/// Units that are parts of panels, those of a panel one after the other.
void ProductKernel::emitColumns(Emitter &e, Value first, Value last) {
  const BitPacking packing = weightPacking(geometry, rightBits);
  TileStore store = code.store(result);
  TileCaller tiles(module, geometry, leftWords, 1, panels, biasRow, store, unpacksInTile() ? &packing : nullptr);
  tiles.shapeRegisters(e, geometry.tileRows);
  forPanels(e, geometry, [&](const Panel &panel) {
    Value begin = e.indexMul(panel.number, rowParts());
    // The row at which unit `unit` begins, if it is of this panel, or where the panel begins or ends.
    auto rowOf = [&](Value unit) {
      Value part = e.clamp(e.sub(unit, begin), e.index(0), e.index(rowParts()));
      return e.smin(e.indexMul(part, partTiles() * geometry.tileRows), e.index(geometry.m));
    };
    Value from = rowOf(first), rows = rowOf(last);
    e.ifThen(e.cmp(arith::CmpIPredicate::ult, from, rows),
             [&] { emitPanel(e, tiles, store, panel, e.index(0), from, rows); });
  });
  tiles.releaseRegisters(e);
}

/// The tile that begins with row `row` of the block, which begins with row `lo`.
TilePlace ProductKernel::placeOf(Emitter &e, const Panel &panel, Value offset, Value lo, Value row, int64_t tileRows) {
  Value left = direct ? e.add(lo, row) : row, stored = epilogue.rowwise ? row : e.add(lo, row);
  TilePlace place{left, offset, panel.first, stored, stored, stored};
  if (tileRows == geometry.tileRows)
    prefetch(e, panel, row, place);
  else if (geometry.m < geometry.tileRows)
    prefetchStream(e, panel, place);
  return place;
}

/// Tiles of rows `from` to `rows` of the block that begins with row `lo`.
void ProductKernel::emitPanel(Emitter &e, TileCaller &tiles, const TileStore &store, const Panel &panel, Value lo,
                              Value from, Value rows) {
  Value offset = e.indexMul(panel.first, unpacksInTile() ? bytesOfColumn() : rightDepth());
  if (unpacks()) {
    emitUnpack(e, geometry, rightBits, rhs, offset, panel.vectors * geometry.dot.lanes * rightDepth(), panels);
    offset = e.index(0);
  }
  auto placeAt = [&](Value row, int64_t tileRows) { return placeOf(e, panel, offset, lo, row, tileRows); };
  Value whole = e.indexMul(e.divu(rows, e.index(geometry.tileRows)), geometry.tileRows);
  const TilesAhead ahead{module, geometry, leftWords, panels, biasRow, store, scratch, waitingOffset};
  if (storesBeside(geometry, store, module.target))
    ahead.emit(e, panel, from, whole, [&](Value row) { return placeAt(row, geometry.tileRows); });
  else if (geometry.m >= geometry.tileRows)
    e.loop(from, whole, geometry.tileRows,
           [&](Value row) { tiles.call(e, geometry.tileRows, panel, placeAt(row, geometry.tileRows)); });
  if (!geometry.tailRows())
    return;
  e.ifThen(e.cmp(arith::CmpIPredicate::ult, whole, rows), [&] {
    const bool reshapes = tiles.reshapesFor(geometry.tailRows());
    if (reshapes)
      tiles.shapeRegisters(e, geometry.tailRows());
    tiles.call(e, geometry.tailRows(), panel, placeAt(whole, geometry.tailRows()));
    if (reshapes)
      tiles.shapeRegisters(e, geometry.tileRows);
  });
}

/// Weights that L2 does not hold until the next run: each tile asks for its share of the next panel, a part of it with
/// every group of its loop, as a burst would wait for a CPU's few fill buffers.
void ProductKernel::prefetch(Emitter &e, const Panel &panel, Value row, TilePlace &place) {
  const int64_t column = bytesOfColumn(), all = geometry.paddedCols() * column;
  if (!constantRight || !comesFromFar())
    return;
  const int64_t bytes = panel.vectors * geometry.dot.lanes * column;
  const int64_t tiles = std::max<int64_t>(1, std::min(blockRows, geometry.m) / geometry.tileRows);
  place.aheadStep = static_cast<int64_t>(llvm::divideCeil(bytes, tiles * geometry.groups()));
  const int64_t share = place.aheadStep * geometry.groups();
  Value next = e.indexAdd(e.indexMul(panel.first, column), bytes);
  Value from = e.add(next, e.indexMul(e.divu(row, e.index(geometry.tileRows)), share));
  place.ahead = rhs;
  place.aheadFirst = e.smin(from, e.index(std::max<int64_t>(0, all - share)));
}

/// Weights that one tile reads: a constant distance ahead, beyond what a CPU does by itself, which for few bytes a step
/// is too near.
void ProductKernel::prefetchStream(Emitter &e, const Panel &panel, TilePlace &place) {
  constexpr int64_t distance = 8192;
  const int64_t column = bytesOfColumn(), all = geometry.paddedCols() * column;
  if (!constantRight || unpacks() || !comesFromFar())
    return;
  place.aheadStep = panel.vectors * geometry.dot.lanes * column / geometry.groups();
  Value from = e.indexAdd(e.indexMul(panel.first, column), distance);
  place.ahead = rhs;
  place.aheadFirst = e.smin(from, e.index(std::max<int64_t>(0, all - place.aheadStep * geometry.groups())));
}

Value vitq::kernels::lowerMatmul(MatmulOp op, KernelModule &module, MemrefOf memrefOf, Epilogue &epilogue) {
  return ProductKernel(op, module, memrefOf, epilogue).emitCall();
}
