//===- Depthwise.cpp - Kernels of depthwise convolutions ----- -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// docs/CodeGeneration.md, Depthwise convolutions. Sums of some neighbouring places and a vector of channels are in
// registers; taps are taken in pairs one below the other, whose 16-bit products an instruction adds up, and what is
// loaded of a column serves all sums that it is under.

#include "Depthwise.h"

#include "vitq/Support/Constants.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

#include <map>
#include <numeric>

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;
using integer::DepthwiseConv2dOp;

static ArrayRef<int64_t> shapeOf(Value value) { return cast<ShapedType>(value.getType()).getShape(); }

bool vitq::kernels::fitsDepthwise(const RowOp &op, const TargetDesc &target) {
  return target.variableShifts && op.isElementwise();
}

namespace {

/// How channels and places are spread over registers.
struct Spread {
  /// Channels of a vector of sums; vectors of a step; places of a step.
  int64_t lanes, vectors, places;
  /// Taps that one instruction multiplies: 2, or 1 where there is none for this many lanes.
  int64_t group;

  int64_t channels() const { return lanes * vectors; }
};

class DepthwiseKernel {
public:
  DepthwiseKernel(DepthwiseConv2dOp op, KernelModule &module, MemrefOf memrefOf, Epilogue &epilogue);

  /// Adds the call to @main; the accumulators' buffer, null with an epilogue; failure after an error.
  FailureOr<Value> emitCall();

private:
  LogicalResult prepareWeights();
  void chooseSpread();
  void chooseBlocks();
  void takeArguments(Emitter &e, ValueRange in);
  void emitBlock(Emitter &e, Value unit);
  void copyRows(Emitter &e, Value image, Value firstRow, Value rows);
  void emitLine(Emitter &e, Value base, Value row);
  void emitSteps(Emitter &e, Value base, Value row, Value channel, int64_t vectors, int64_t lanes);
  void emitStep(Emitter &e, Value base, Value row, Value x, int64_t places, Value channel, ArrayRef<Values> weights,
                ValueRange bias);
  void emitColumn(Emitter &e, Value base, Value x, int64_t column, int64_t pair, Value channel,
                  ArrayRef<Values> weights, MutableArrayRef<Values> sums);
  Value loadPair(Emitter &e, Value base, Value x, int64_t column, int64_t pair, Value channel, int64_t lanes);
  Value multiply(Emitter &e, Value sums, Value x, Value w);
  void emitRowOps(Emitter &e, Value firstRow);

  int64_t pairs() const { return (windows.size[0] + spread.group - 1) / spread.group; }
  /// Weights of pair `pair` in column `j` of the kernel, for all channels.
  int64_t weightRow(int64_t pair, int64_t j) const { return pair * windows.size[1] + j; }
  int64_t mapWidth() const { return padded ? paddedWidth : map[2]; }

  DepthwiseConv2dOp op;
  KernelModule &module;
  MemrefOf memrefOf;
  Epilogue &epilogue;
  Location loc;
  ArrayRef<int64_t> map, result;
  vit::Windows windows;
  bool isUnsigned, padded;
  int64_t channels, paddedWidth, blockRows = 1, blocks = 1, scratchBytes = 0, sumsOffset = 0;
  Spread spread;
  Slot biasSlot, zeroSlot;
  Blob blob;
  Value weights;

  // Values of the function that is being built.
  Value input, weightsIn, scratch, blobIn, sumsOut, biasIn, rowsIn;
  SmallVector<RowArguments> elementwise, posts;
  RowArguments rowwise;
  TileStore store;
};

} // namespace

DepthwiseKernel::DepthwiseKernel(DepthwiseConv2dOp op, KernelModule &module, MemrefOf memrefOf, Epilogue &epilogue)
    : op(op), module(module), memrefOf(memrefOf), epilogue(epilogue), loc(op.getLoc()), map(shapeOf(op.getInput())),
      result(op.getType().getShape()), windows(op.getWindows()), isUnsigned(op.getInputCode().isUnsigned()),
      padded(windows.isPadded()), channels(map[3]), paddedWidth(map[2] + windows.pads[1] + windows.pads[3]) {
  chooseSpread();
  chooseBlocks();
}

void DepthwiseKernel::chooseSpread() {
  const DotInstruction &dot = module.target.isa->dot16;
  // Results of 16 bytes.
  spread.lanes = dot.group == 2 ? dot.lanes : std::max<int64_t>(4, module.target.isa->vectorBits / 32);
  spread.vectors = std::max<int64_t>(1, 16 / spread.lanes);
  spread.group = dot.group == 2 ? 2 : 1;
  if (channels < spread.channels())
    spread.vectors = 1;
  if (channels < spread.lanes) {
    spread.lanes = int64_t(1) << llvm::Log2_64(channels);
    spread.group = 1;
  }
  const int64_t registers = int64_t(module.target.isa->tileRows) * module.target.isa->tileVectors;
  spread.places = std::clamp<int64_t>(registers / spread.vectors / 2, 1, std::min<int64_t>(8, result[2]));
}

/// Rows of the result of which the part of the map stays in the L2 cache; some blocks for threads.
void DepthwiseKernel::chooseBlocks() {
  const int64_t line = paddedWidth * channels, reach = windows.extent(0);
  const int64_t budget = std::max<int64_t>(1, (module.target.isa->l2Bytes / 4 / line - reach) / windows.strides[0] + 1);
  const int64_t least = std::max<int64_t>(8, (result[1] + 7) / 8);
  blockRows = std::min({budget, least, result[1]});
  blocks = (result[1] + blockRows - 1) / blockRows;
  if (padded)
    scratchBytes = static_cast<int64_t>(llvm::alignTo(((blockRows - 1) * windows.strides[0] + reach) * line, 64));
  if (epilogue.rowwise) {
    sumsOffset = scratchBytes;
    scratchBytes += static_cast<int64_t>(llvm::alignTo(result[2] * channels * 4, 64));
  }
}

/// Weights as [pairs * K_w, C, group] numbers of 16 bits, and the bias less the zero point's share, modulo 2^32.
LogicalResult DepthwiseKernel::prepareWeights() {
  FailureOr<Tensor> data = getIntTensor(op.getWeight()), biasData;
  if (op.getBias())
    biasData = getIntTensor(op.getBias());
  if (failed(data) || (op.getBias() && failed(biasData)))
    return module.refuse(op) << "has no kernel where weight or bias are no constants";
  const int64_t height = windows.size[0], width = windows.size[1];
  std::vector<int16_t> packed(pairs() * width * channels * spread.group, 0);
  std::vector<uint32_t> bias(channels, 0);
  const auto zero = static_cast<uint32_t>(op.getInputCode().getZero());
  for (int64_t c = 0; c < channels; ++c) {
    if (succeeded(biasData))
      bias[c] = static_cast<uint32_t>(biasData->intAt(c));
    for (int64_t i = 0; i < height; ++i)
      for (int64_t j = 0; j < width; ++j) {
        const int64_t weight = data->intAt((i * width + j) * channels + c);
        packed[(weightRow(i / spread.group, j) * channels + c) * spread.group + i % spread.group] =
            static_cast<int16_t>(weight);
        bias[c] -= zero * static_cast<uint32_t>(weight);
      }
  }
  biasSlot = blob.array(bias);
  zeroSlot = blob.scalar(module.codeInMemory(op.getInput(), op.getInputCode().getZero()));
  const auto *bytes = reinterpret_cast<const char *>(packed.data());
  weights = module.constant(loc, ArrayRef<char>(bytes, packed.size() * sizeof(int16_t)));
  return success();
}

FailureOr<Value> DepthwiseKernel::emitCall() {
  if (failed(prepareWeights()))
    return failure();
  Values args{module.reshape(loc, memrefOf(op.getInput()), {map[0] * map[1] * map[2] * channels}), weights};
  std::string name = "depthwise";
  SmallVector<int64_t> ignored;
  auto append = [&](RowOp &row) {
    appendArguments(loc, module, row, args, ignored);
    name += "_" + row.name.str();
  };
  for (const auto &row : epilogue.elementwise)
    append(*row);
  if (epilogue.rowwise)
    append(*epilogue.rowwise);
  for (const auto &row : epilogue.posts)
    append(*row);
  Value buffer;
  if (epilogue.empty()) {
    buffer = module.alloc(loc, result, elementOf(op.getResult()));
    args.push_back(module.reshape(loc, buffer, {result[0] * result[1] * result[2], channels}));
  }
  args.append({module.scratch(loc, scratchBytes), module.blob(loc, blob)});
  SmallVector<Operation *> ops{op};
  ops.append(epilogue.sources);
  module.call(Step(ops, op.getMacs()), name, args, result[0] * blocks,
              [&](Emitter &e, ValueRange in, Value first, Value last) {
                takeArguments(e, in);
                e.loop(first, last, 1, [&](Value unit) { emitBlock(e, unit); });
              });
  return buffer;
}

void DepthwiseKernel::takeArguments(Emitter &e, ValueRange in) {
  input = in[0];
  weightsIn = memref::ViewOp::create(
      e.b, e.loc, MemRefType::get({pairs() * windows.size[1] * channels * spread.group}, e.intType(16)), in[1],
      e.index(0), ValueRange());
  in = in.drop_front(2);
  for (const auto &row : epilogue.elementwise)
    elementwise.push_back(RowArguments::take(*row, in));
  if (epilogue.rowwise)
    rowwise = RowArguments::take(*epilogue.rowwise, in);
  for (const auto &row : epilogue.posts)
    posts.push_back(RowArguments::take(*row, in));
  Value sums = epilogue.empty() ? in.front() : Value();
  scratch = in[in.size() - 2];
  blobIn = in.back();
  biasIn = Blob::view(e, blobIn, biasSlot);
  if (padded)
    rowsIn = memref::ViewOp::create(e.b, e.loc, MemRefType::get({scratchBytes}, e.intType(8)), scratch, e.index(0),
                                    ValueRange());
  if (epilogue.rowwise)
    sums = memref::ViewOp::create(e.b, e.loc, MemRefType::get({result[2], channels}, e.intType(32)), scratch,
                                  e.index(sumsOffset), ValueRange());
  sumsOut = sums;
  for (auto [row, arguments] : llvm::zip_equal(epilogue.elementwise, elementwise)) {
    store.ops.push_back(row.get());
    store.arguments.append(arguments.operands.begin(), arguments.operands.end());
    store.arguments.push_back(arguments.blob);
  }
  store.arguments.push_back(sums ? sums : elementwise.back().results[0]);
}

//===----------------------------------------------------------------------===//
// Rows of the result
//===----------------------------------------------------------------------===//

void DepthwiseKernel::emitBlock(Emitter &e, Value unit) {
  Value image = e.divu(unit, e.index(blocks)), first = e.indexMul(e.remu(unit, e.index(blocks)), blockRows);
  Value count = e.smin(e.sub(e.index(result[1]), first), e.index(blockRows));
  Value line = e.index(mapWidth() * channels);
  Value start = e.indexMul(e.add(e.indexMul(image, map[1]), e.indexMul(first, windows.strides[0])), map[2] * channels);
  if (padded) {
    copyRows(e, image, e.indexAdd(e.indexMul(first, windows.strides[0]), -windows.pads[0]),
             e.indexAdd(e.indexMul(e.indexAdd(count, -1), windows.strides[0]), windows.extent(0)));
    start = e.index(0);
  }
  e.loop(e.index(0), count, 1, [&](Value y) {
    Value base = e.add(start, e.mul(e.indexMul(y, windows.strides[0]), line));
    Value row = e.indexMul(e.add(e.indexMul(image, result[1]), e.add(first, y)), result[2]);
    emitLine(e, base, row);
    emitRowOps(e, row);
  });
}

/// The map's rows from `firstRow` on, with the zero point around them, into scratch memory.
void DepthwiseKernel::copyRows(Emitter &e, Value image, Value firstRow, Value rows) {
  Value zero = Blob::load(e, blobIn, zeroSlot, 8);
  auto fill = [&](Value to, int64_t count) {
    if (count)
      forColumns(e, module.target, count, true, 8, [&](Value k, int64_t lanes) {
        Value code = zero;
        if (lanes > 1)
          code = e.op<vector::BroadcastOp>(VectorType::get({lanes}, e.intType(8)), zero);
        e.store(code, rowsIn, e.add(to, k));
      });
  };
  const int64_t left = windows.pads[1] * channels, right = windows.pads[3] * channels, line = map[2] * channels;
  e.loop(e.index(0), rows, 1, [&](Value r) {
    Value h = e.add(firstRow, r), to = e.indexMul(r, paddedWidth * channels);
    // Negative numbers are large ones without their sign.
    e.ifThenElse(
        e.cmp(arith::CmpIPredicate::ult, h, e.index(map[1])),
        [&] {
          Value from = e.indexMul(e.add(e.indexMul(image, map[1]), h), line);
          fill(to, left);
          forColumns(e, module.target, line, true, 8, [&](Value k, int64_t lanes) {
            e.store(e.load(input, {e.add(from, k)}, lanes), rowsIn, e.add(e.indexAdd(to, left), k));
          });
          fill(e.indexAdd(to, left + line), right);
        },
        [&] { fill(to, paddedWidth * channels); });
  });
}

/// One row of places, whose windows begin at `base`; `row` is the first one's of the result. Channels that are no
/// whole step are computed again together with those before them.
void DepthwiseKernel::emitLine(Emitter &e, Value base, Value row) {
  const int64_t step = spread.channels(), whole = channels / step * step;
  if (whole)
    e.loop(e.index(0), e.index(whole), step,
           [&](Value channel) { emitSteps(e, base, row, channel, spread.vectors, spread.lanes); });
  if (whole != channels)
    emitSteps(e, base, row, e.index(channels - step), spread.vectors, spread.lanes);
}

void DepthwiseKernel::emitSteps(Emitter &e, Value base, Value row, Value channel, int64_t vectors, int64_t lanes) {
  SmallVector<Values> taps;
  for (int64_t i = 0; i < pairs() * windows.size[1]; ++i) {
    Values own;
    for (int64_t v = 0; v < vectors; ++v) {
      Value at = e.indexAdd(e.indexMul(e.indexAdd(channel, v * lanes), spread.group), i * channels * spread.group);
      own.push_back(e.load(weightsIn, {at}, lanes * spread.group));
    }
    taps.push_back(own);
  }
  Values bias;
  for (int64_t v = 0; v < vectors; ++v)
    bias.push_back(e.load(biasIn, {e.indexAdd(channel, v * lanes)}, lanes));
  const int64_t whole = result[2] / spread.places * spread.places;
  if (whole)
    e.loop(e.index(0), e.index(whole), spread.places,
           [&](Value x) { emitStep(e, base, row, x, spread.places, channel, taps, bias); });
  if (whole != result[2])
    emitStep(e, base, row, e.index(whole), result[2] - whole, channel, taps, bias);
}

/// Sums of `places` places from `x` on, from the first tap to what is stored.
void DepthwiseKernel::emitStep(Emitter &e, Value base, Value row, Value x, int64_t places, Value channel,
                               ArrayRef<Values> weights, ValueRange bias) {
  SmallVector<Values> sums(places, Values(bias));
  // Columns of the map in order, each once.
  std::map<int64_t, bool> columns;
  for (int64_t place = 0; place < places; ++place)
    for (int64_t j = 0; j < windows.size[1]; ++j)
      columns[place * windows.strides[1] + j * windows.dilations[1]] = true;
  for (int64_t pair = 0; pair < pairs(); ++pair)
    for (auto [column, used] : columns)
      emitColumn(e, base, x, column, pair, channel, weights, sums);
  for (int64_t place = 0; place < places; ++place) {
    Value at = e.indexAdd(x, place), own = e.add(row, at);
    storeSums(e, store, store.arguments, sums[place], own, own, epilogue.rowwise ? at : own, channel,
              static_cast<int64_t>(bias.size()) * spread.lanes);
  }
}

/// Adds what column `column` of the map, counted from that of place `x`, gives to the sums that it is under.
void DepthwiseKernel::emitColumn(Emitter &e, Value base, Value x, int64_t column, int64_t pair, Value channel,
                                 ArrayRef<Values> weights, MutableArrayRef<Values> sums) {
  const size_t vectors = sums.front().size();
  for (size_t v = 0; v < vectors; ++v) {
    Value loaded;
    for (auto [place, own] : llvm::enumerate(sums)) {
      const int64_t offset = column - static_cast<int64_t>(place) * windows.strides[1];
      if (offset < 0 || offset % windows.dilations[1] || offset / windows.dilations[1] >= windows.size[1])
        continue;
      if (!loaded)
        loaded = loadPair(e, base, x, column, pair, e.indexAdd(channel, static_cast<int64_t>(v) * spread.lanes),
                          spread.lanes);
      own[v] = multiply(e, own[v], loaded, weights[weightRow(pair, offset / windows.dilations[1])][v]);
    }
  }
}

/// Codes of `lanes` channels, of two rows in turn where taps are taken in pairs, as numbers of 16 bits.
Value DepthwiseKernel::loadPair(Emitter &e, Value base, Value x, int64_t column, int64_t pair, Value channel,
                                int64_t lanes) {
  Value source = padded ? rowsIn : input;
  Value at = e.add(e.add(base, channel), e.indexMul(e.indexAdd(e.indexMul(x, windows.strides[1]), column), channels));
  auto load = [&](int64_t tap) {
    return e.load(source, {e.indexAdd(at, tap * windows.dilations[0] * mapWidth() * channels)}, lanes);
  };
  Value codes = load(pair * spread.group);
  if (spread.group == 1)
    return e.extend(codes, 16, isUnsigned);
  auto words = VectorType::get({lanes * 2}, e.intType(16));
  // A row that is missing has weights of 0: whatever is in its place.
  if (2 * pair + 1 == windows.size[0])
    return e.op<vector::BitCastOp>(words, e.extend(codes, 32, isUnsigned));
  Value other = load(2 * pair + 1);
  if (lanes * 32 > 256) {
    // Bytes of longer vectors are expensive to interleave: they are put together in words of 32 bits.
    Value low = e.extend(codes, 32, isUnsigned), high = e.shl(e.extend(other, 32, isUnsigned), 16);
    if (!isUnsigned)
      low = e.op<arith::AndIOp>(low, e.like(low, 0xffff));
    return e.op<vector::BitCastOp>(words, e.op<arith::OrIOp>(low, high));
  }
  SmallVector<int64_t> order;
  for (int64_t lane = 0; lane < lanes; ++lane)
    order.append({lane, lanes + lane});
  return e.extend(e.op<vector::ShuffleOp>(codes, other, order), 16, isUnsigned);
}

/// sums + x * w, lane by lane or pair by pair.
Value DepthwiseKernel::multiply(Emitter &e, Value sums, Value x, Value w) {
  if (spread.group == 1)
    return e.add(sums, e.mul(e.sext(x, 32), e.sext(w, 32)));
  const DotInstruction &dot = module.target.isa->dot16;
  if (!module.target.emulateDot) {
    const char *adding = dot.accumulates ? dot.intrinsic : module.target.isa->addDot16;
    auto intrinsic = e.b.getStringAttr(adding ? adding : dot.intrinsic);
    Values args = adding ? Values{sums, x, w} : Values{x, w};
    Value products = LLVM::CallIntrinsicOp::create(e.b, e.loc, sums.getType(), intrinsic, args)->getResult(0);
    return adding ? products : e.add(sums, products);
  }
  const int64_t lanes = cast<VectorType>(sums.getType()).getNumElements();
  for (int64_t part = 0; part < 2; ++part) {
    SmallVector<int64_t> picked;
    for (int64_t lane = 0; lane < lanes; ++lane)
      picked.push_back(2 * lane + part);
    auto pick = [&](Value v) { return e.sext(e.op<vector::ShuffleOp>(v, v, picked), 32); };
    sums = e.add(sums, e.mul(pick(x), pick(w)));
  }
  return sums;
}

/// Ops on rows of channels, once a row of places has its sums.
void DepthwiseKernel::emitRowOps(Emitter &e, Value firstRow) {
  if (!epilogue.rowwise && epilogue.posts.empty())
    return;
  e.loop(result[2], [&](Value x) {
    Value row = e.add(firstRow, x), previous, previousRow = row;
    auto emit = [&](const RowOp &rowOp, const RowArguments &arguments) {
      RowContext context = RowContext::ofRow(row, arguments.operands, arguments.results, arguments.blob);
      context.primary = previous;
      context.primaryRow = previousRow;
      rowOp.emitRow(e, module.target, context);
      previous = arguments.results[0];
      previousRow = row;
    };
    if (epilogue.rowwise) {
      previous = sumsOut;
      previousRow = x;
      emit(*epilogue.rowwise, rowwise);
    } else {
      previous = elementwise.back().results[0];
    }
    for (auto [post, arguments] : llvm::zip_equal(epilogue.posts, posts))
      emit(*post, arguments);
  });
}

FailureOr<Value> vitq::kernels::lowerDepthwise(DepthwiseConv2dOp op, KernelModule &module, MemrefOf memrefOf,
                                               Epilogue &epilogue) {
  return DepthwiseKernel(op, module, memrefOf, epilogue).emitCall();
}
