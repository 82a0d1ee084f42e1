//===- Depthwise.cpp - Kernels of depthwise convolutions ----- -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// docs/CodeGeneration.md, Depthwise convolutions. A step has the sums of a few places of one or more rows and a vector
// of channels in registers, weights too. Which taps one instruction multiplies is a DepthwisePlan; here they are read,
// at the border from elsewhere, and multiplied.

#include "Depthwise.h"

#include "DepthwisePlan.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "vitq/Support/Constants.h"

#include <map>

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;
using integer::DepthwiseConv2dOp;

static ArrayRef<int64_t> shapeOf(Value value) { return cast<ShapedType>(value.getType()).getShape(); }

bool vitq::kernels::fitsDepthwise(const RowOp &op, const TargetDesc &target) {
  return target.variableShifts && op.isElementwise();
}

namespace {

/// Places of the result from `x` on. `first` is x where that is known when the code is made.
struct Places {
  Value x;
  std::optional<int64_t> first;
  int64_t count;
};

class DepthwiseKernel {
public:
  DepthwiseKernel(DepthwiseConv2dOp op, KernelModule &module, MemrefOf memrefOf, Epilogue &epilogue);

  /// Adds the call to @main; the accumulators' buffer, null with an epilogue; failure after an error.
  FailureOr<Value> emitCall();

private:
  LogicalResult prepareWeights();
  void chooseBlocks();
  void takeArguments(Emitter &e, ValueRange in);
  void emitBlock(Emitter &e, Value unit);
  void fillZeroLine(Emitter &e);
  void findLines(Emitter &e, Value image, Value firstRow);
  void emitBand(Emitter &e, Value row);
  void emitPlaces(Emitter &e, Value row);
  Values emitStep(Emitter &e, Value row, const Places &places, ValueRange carried);
  Values loadColumn(Emitter &e, const Places &places, int64_t column);
  Value loadTap(Emitter &e, const Places &places, int64_t column, int64_t tap, int64_t vector);
  Value interleave(Emitter &e, ValueRange rows);
  Value multiply(Emitter &e, Value sums, Value x, Value w);

  /// Codes of 8 bits are multiplied as numbers of 16.
  bool widens() const { return plan.group > 1 && plan.dot.width > bits; }
  /// Codes whose sign is not that of the instruction are multiplied half their range higher or lower.
  bool shifts() const { return plan.group > 1 && !widens() && isUnsigned != plan.dot.unsignedLhs; }
  /// Whether windows reach over the first or the last row of the map.
  bool readsOutside() const { return plan.windows.pads[0] > 0 || plan.windows.pads[2] > 0; }
  /// Whether one instruction brings the bytes of a whole operand into any order.
  bool permutesBytes() const {
    return bits == 8 && !module.target.emulateDot && module.target.byteLookup == ByteLookup::Permute128;
  }
  int64_t line() const { return map[2] * channels; }
  int64_t kernelColumns() const { return plan.windows.size[1]; }

  DepthwiseConv2dOp op;
  KernelModule &module;
  MemrefOf memrefOf;
  Epilogue &epilogue;
  Location loc;
  ArrayRef<int64_t> map, result;
  int64_t channels;
  unsigned bits;
  bool isUnsigned;
  DepthwisePlan plan;
  int64_t blockRows = 1, blocks = 1, scratchBytes = 0, sumsOffset = 0;
  Slot biasSlot, zeroSlot;
  Blob blob;
  Value weights;

  // Values of the function that is being built, and where it is.
  Value input, weightsIn, scratch, blobIn, sumsOut, biasIn, zeroLine;
  EpilogueCode code;
  TileStore store;
  /// For each tap of the plan the memref that holds its row of the map, and where it begins.
  Values lines, lineStarts;
  Value channel;
  SmallVector<Values> taps;
  Values bias;
};

} // namespace

DepthwiseKernel::DepthwiseKernel(DepthwiseConv2dOp op, KernelModule &module, MemrefOf memrefOf, Epilogue &epilogue)
    : op(op), module(module), memrefOf(memrefOf), epilogue(epilogue), loc(op.getLoc()), map(shapeOf(op.getInput())),
      result(op.getType().getShape()), channels(map[3]), bits(widthOf(op.getInput())),
      isUnsigned(op.getInputCode().isUnsigned()), plan(DepthwisePlan::of(op, module.target)), code(epilogue) {
  chooseBlocks();
}

/// Some blocks of rows for threads; the last one has the rows of a step as well.
void DepthwiseKernel::chooseBlocks() {
  blockRows = std::min(result[1], std::max<int64_t>(8, llvm::divideCeil(result[1], 8)));
  while (result[1] % blockRows != 0 && result[1] % blockRows < plan.rows)
    ++blockRows;
  blocks = llvm::divideCeil(result[1], blockRows);
  auto reserve = [&](int64_t bytes) { scratchBytes += static_cast<int64_t>(llvm::alignTo(bytes, 64)); };
  if (readsOutside())
    reserve(line() * bits / 8);
  sumsOffset = scratchBytes;
  if (epilogue.rowwise)
    reserve(plan.rows * result[2] * channels * 4);
}

/// For each use of a group and each column of the kernel the weights [C, group], and the bias less the share of what
/// is added to codes, modulo 2^32.
LogicalResult DepthwiseKernel::prepareWeights() {
  FailureOr<Tensor> data = getIntTensor(op.getWeight()), biasData;
  if (op.getBias())
    biasData = getIntTensor(op.getBias());
  if (failed(data) || (op.getBias() && failed(biasData)))
    return module.refuse(op) << "has no kernel where weight or bias are no constants";
  const int64_t half = int64_t(1) << (bits - 1), added = shifts() ? (isUnsigned ? -half : half) : 0;
  const int64_t kernel = plan.windows.size[0] * kernelColumns();
  std::vector<uint32_t> sums(channels, 0);
  for (int64_t c = 0; c < channels; ++c) {
    if (succeeded(biasData))
      sums[c] = static_cast<uint32_t>(biasData->intAt(c));
    for (int64_t i = 0; i < kernel; ++i)
      sums[c] -= static_cast<uint32_t>(op.getInputCode().getZero() + added) *
                 static_cast<uint32_t>(data->intAt(i * channels + c));
  }
  std::vector<int16_t> packed;
  for (const DepthwisePlan::Use &use : plan.uses)
    for (int64_t j = 0; j < kernelColumns(); ++j)
      for (int64_t c = 0; c < channels; ++c)
        for (int64_t s = 0; s < plan.group; ++s) {
          std::optional<int64_t> i;
          if (s < plan.tapsOf(use.group))
            i = plan.kernelRow(use.row, use.group * plan.group + s);
          packed.push_back(i ? static_cast<int16_t>(data->intAt((*i * kernelColumns() + j) * channels + c)) : 0);
        }
  biasSlot = blob.array(sums);
  zeroSlot = blob.scalar(module.codeInMemory(op.getInput(), op.getInputCode().getZero()));
  if (plan.group > 1 && plan.dot.width == 16) {
    const auto *bytes = reinterpret_cast<const char *>(packed.data());
    weights = module.constant(loc, ArrayRef<char>(bytes, packed.size() * sizeof(int16_t)));
  } else {
    weights = module.constant(loc, std::vector<char>(packed.begin(), packed.end()));
  }
  return success();
}

FailureOr<Value> DepthwiseKernel::emitCall() {
  if (failed(prepareWeights()))
    return failure();
  Values args{module.reshape(loc, memrefOf(op.getInput()), {map[0] * map[1] * line()}), weights};
  std::string name = "depthwise";
  SmallVector<int64_t> ignored;
  epilogue.appendArguments(loc, module, args, name, ignored);
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
                if (readsOutside())
                  fillZeroLine(e);
                e.loop(first, last, 1, [&](Value unit) { emitBlock(e, unit); });
              });
  return buffer;
}

void DepthwiseKernel::takeArguments(Emitter &e, ValueRange in) {
  input = in[0];
  auto view = [&](Value bytes, int64_t offset, ArrayRef<int64_t> shape, unsigned width) {
    return e.op<memref::ViewOp>(MemRefType::get(shape, e.intType(width)), bytes, e.index(offset), ValueRange());
  };
  const auto rows = static_cast<int64_t>(plan.uses.size()) * kernelColumns();
  weightsIn = view(in[1], 0, {rows * channels * plan.group}, plan.group > 1 ? plan.dot.width : 8);
  in = in.drop_front(2);
  code.takeArguments(in);
  if (epilogue.empty())
    sumsOut = in.front();
  scratch = in[in.size() - 2];
  blobIn = in.back();
  biasIn = Blob::view(e, blobIn, biasSlot);
  if (readsOutside())
    zeroLine = view(scratch, 0, {line()}, bits);
  if (epilogue.rowwise)
    sumsOut = view(scratch, sumsOffset, {plan.rows * result[2], channels}, 32);
  store = code.store(sumsOut);
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

/// What is read in place of rows outside of the map.
void DepthwiseKernel::fillZeroLine(Emitter &e) {
  Value zero = Blob::load(e, blobIn, zeroSlot, bits);
  forColumns(e, module.target, line(), true, bits, [&](Value k, int64_t lanes) {
    Value codes = lanes > 1 ? e.op<vector::BroadcastOp>(VectorType::get({lanes}, zero.getType()), zero) : zero;
    e.store(codes, zeroLine, k);
  });
}

/// The rows of a block in bands of as many as a step computes; the last band has some of those before it again.
void DepthwiseKernel::emitBlock(Emitter &e, Value unit) {
  Value image = e.divu(unit, e.index(blocks)), first = e.indexMul(e.remu(unit, e.index(blocks)), blockRows);
  Value count = e.smin(e.sub(e.index(result[1]), first), e.index(blockRows));
  Value last = e.indexAdd(count, -plan.rows);
  e.loop(e.index(0), count, plan.rows, [&](Value band) {
    Value y = e.add(first, plan.rows > 1 ? e.smin(band, last) : band);
    findLines(e, image, e.indexAdd(e.indexMul(y, plan.windows.strides[0]), -plan.windows.pads[0]));
    emitBand(e, e.indexMul(e.add(e.indexMul(image, result[1]), y), result[2]));
  });
}

void DepthwiseKernel::findLines(Emitter &e, Value image, Value firstRow) {
  lines.clear();
  lineStarts.clear();
  auto anySize = MemRefType::get({ShapedType::kDynamic}, e.intType(bits));
  Value base = e.indexMul(image, map[1]);
  for (int64_t tap : plan.taps) {
    Value h = e.indexAdd(firstRow, tap), start = e.indexMul(e.add(base, h), line()), source = input;
    if (readsOutside()) {
      // Negative numbers are large ones without their sign.
      Value inside = e.cmp(arith::CmpIPredicate::ult, h, e.index(map[1]));
      source = e.select(inside, e.op<memref::CastOp>(anySize, input), e.op<memref::CastOp>(anySize, zeroLine));
      start = e.select(inside, start, e.index(0));
    }
    lines.push_back(source);
    lineStarts.push_back(start);
  }
}

/// The rows of one step, the first of whose places is `row` of the result. Channels that are no whole step are computed
/// together with some of those before them.
void DepthwiseKernel::emitBand(Emitter &e, Value row) {
  const int64_t step = plan.channels();
  const Values starts = lineStarts;
  e.loop(e.index(0), e.index(channels), step, [&](Value from) {
    channel = channels % step ? e.smin(from, e.index(channels - step)) : from;
    for (auto [own, start] : llvm::zip_equal(lineStarts, starts))
      own = e.add(start, channel);
    taps.clear();
    for (int64_t i = 0; i < static_cast<int64_t>(plan.uses.size()) * kernelColumns(); ++i) {
      taps.emplace_back();
      for (int64_t v = 0; v < plan.vectors; ++v) {
        Value at = e.indexMul(e.indexAdd(channel, i * channels + v * plan.lanes), plan.group);
        taps.back().push_back(e.load(weightsIn, {at}, plan.lanes * plan.group));
      }
    }
    bias.clear();
    for (int64_t v = 0; v < plan.vectors; ++v)
      bias.push_back(e.load(biasIn, {e.indexAdd(channel, v * plan.lanes)}, plan.lanes));
    emitPlaces(e, row);
  });
  const int64_t places = plan.rows * result[2];
  code.emitRows(e, module.target, row, e.index(places), places, sumsOut);
}

/// Places whose windows reach over the left or right border, one step after the other; in a loop those between.
void DepthwiseKernel::emitPlaces(Emitter &e, Value row) {
  const int64_t stride = plan.windows.strides[1], pad = plan.windows.pads[1], width = result[2];
  auto emitFixed = [&](int64_t first, int64_t last) {
    for (; first < last; first += plan.places)
      emitStep(e, row, {e.index(first), first, std::min(plan.places, last - first)}, {});
  };
  // The first place right of the left border in whole steps, and how many from there on lie left of the right one.
  const int64_t left = static_cast<int64_t>(llvm::alignTo(llvm::divideCeil(pad, stride), plan.places));
  const int64_t room = map[2] + pad - plan.windows.extent(1);
  const int64_t whole = std::max<int64_t>(0, (room < 0 ? 0 : room / stride + 1) - left) / plan.places * plan.places;
  if (whole <= plan.places)
    return emitFixed(0, width);
  emitFixed(0, left);
  Values carried;
  const Places begin{e.index(left), left, plan.places};
  for (int64_t column : plan.carried())
    llvm::append_range(carried, loadColumn(e, begin, column));
  e.loop(e.index(left), e.index(left + whole), plan.places, carried,
         [&](Value x, ValueRange values) { return emitStep(e, row, {x, std::nullopt, plan.places}, values); });
  emitFixed(left + whole, width);
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

/// Sums of places from the first tap to what is stored. `carried` are columns that were read before; returns those of
/// the next step.
Values DepthwiseKernel::emitStep(Emitter &e, Value row, const Places &places, ValueRange carried) {
  std::map<int64_t, Values> read;
  const int64_t each = plan.groups() * plan.vectors, stride = plan.windows.strides[1];
  if (!carried.empty())
    for (auto [i, column] : llvm::enumerate(plan.carried()))
      read[column] = Values(carried.slice(static_cast<int64_t>(i) * each, each));
  SmallVector<SmallVector<Values>> sums(plan.rows, SmallVector<Values>(places.count, bias));
  for (int64_t column : plan.columns(places.count)) {
    if (!read.count(column))
      read[column] = loadColumn(e, places, column);
    for (auto [number, use] : llvm::enumerate(plan.uses))
      for (int64_t place = 0; place < places.count; ++place)
        if (std::optional<int64_t> j = plan.kernelColumn(place, column))
          for (int64_t v = 0; v < plan.vectors; ++v) {
            Value &own = sums[use.row][place][v];
            own = multiply(e, own, read[column][use.group * plan.vectors + v],
                           taps[static_cast<int64_t>(number) * kernelColumns() + *j][v]);
          }
    // A place is done with the last column of its window.
    const int64_t begin = column - plan.windows.extent(1) + 1;
    if (begin < 0 || begin % stride)
      continue;
    for (int64_t r = 0; r < plan.rows; ++r) {
      Value at = e.indexAdd(e.indexAdd(places.x, begin / stride), r * result[2]), own = e.add(row, at);
      storeSums(e, store, store.arguments, sums[r][begin / stride], own, own, epilogue.rowwise ? at : own, channel,
                plan.channels());
    }
  }
  Values next;
  if (!carried.empty())
    for (int64_t column : plan.carried())
      llvm::append_range(next, read[column + plan.places * stride]);
  return next;
}

/// The taps in column `column`, counted from that of the first place's window: one operand for each group and vector.
Values DepthwiseKernel::loadColumn(Emitter &e, const Places &places, int64_t column) {
  Values operands;
  for (int64_t g = 0; g < plan.groups(); ++g)
    for (int64_t v = 0; v < plan.vectors; ++v) {
      Values rows;
      for (int64_t i = 0; i < plan.tapsOf(g); ++i)
        rows.push_back(loadTap(e, places, column, g * plan.group + i, v));
      operands.push_back(interleave(e, rows));
    }
  return operands;
}

Value DepthwiseKernel::loadTap(Emitter &e, const Places &places, int64_t column, int64_t tap, int64_t vector) {
  const int64_t stride = plan.windows.strides[1], shift = column - plan.windows.pads[1];
  if (places.first && (*places.first * stride + shift < 0 || *places.first * stride + shift >= map[2])) {
    Value zero = Blob::load(e, blobIn, zeroSlot, bits);
    return plan.lanes > 1 ? e.op<vector::BroadcastOp>(VectorType::get({plan.lanes}, zero.getType()), zero) : zero;
  }
  Value at = e.add(lineStarts[tap], e.indexMul(places.x, stride * channels));
  return e.load(lines[tap], {e.indexAdd(at, shift * channels + vector * plan.lanes)}, plan.lanes);
}

/// The same vector, of which LLVM does not know where it comes from: it would merge the permutation that follows with
/// what joined the halves of a register, into one of two registers, which takes twice as long.
static Value hide(Emitter &e, Value vector) {
  return LLVM::InlineAsmOp::create(e.b, e.loc, vector.getType(), vector, /*asm_string=*/"", /*constraints=*/"=v,0",
                                   /*has_side_effects=*/false, /*is_align_stack=*/false,
                                   LLVM::tailcallkind::TailCallKind::None, /*asm_dialect=*/{}, /*operand_attrs=*/{})
      ->getResult(0);
}

/// The codes of each channel in `rows` side by side, as the instruction reads them.
Value DepthwiseKernel::interleave(Emitter &e, ValueRange rows) {
  if (plan.group == 1)
    return rows.front();
  auto operand = VectorType::get({plan.lanes * plan.group}, e.intType(plan.dot.width));
  if (widens()) {
    // Bytes are expensive to interleave: they are put together in words of 32 bits. Whatever is in place of a row that
    // is missing, its weight is 0.
    Value words = e.extend(rows[0], 32, isUnsigned);
    if (rows.size() > 1) {
      if (!isUnsigned)
        words = e.op<arith::AndIOp>(words, e.like(words, 0xffff));
      words = e.op<arith::OrIOp>(words, e.shl(e.extend(rows[1], 32, isUnsigned), 16));
    }
    return e.op<vector::BitCastOp>(operand, words);
  }
  Value x;
  if (rows.size() == 1) {
    x = e.op<vector::BitCastOp>(operand, e.zext(rows[0], 32));
  } else {
    Values all(rows);
    all.resize(plan.group, e.like(rows[0], 0));
    // Each 16 bytes first get what belongs there of every row, then they are sorted within.
    const int64_t bytes = bits / 8, part = 16 / plan.group, units = plan.lanes * bytes / part;
    Value joined = e.op<vector::BitCastOp>(VectorType::get({units * plan.group}, e.intType(part * 8)), e.join(all));
    SmallVector<int64_t> order;
    for (int64_t unit = 0; unit < units; ++unit)
      for (int64_t row = 0; row < plan.group; ++row)
        order.push_back(row * units + unit);
    if (permutesBytes())
      joined = hide(e, joined);
    joined = e.op<vector::BitCastOp>(operand, e.op<vector::ShuffleOp>(joined, joined, order));
    order.clear();
    const int64_t each = part / bytes;
    for (int64_t unit = 0; unit < units; ++unit)
      for (int64_t c = 0; c < each; ++c)
        for (int64_t row = 0; row < plan.group; ++row)
          order.push_back(unit * plan.group * each + row * each + c);
    x = e.op<vector::ShuffleOp>(joined, joined, order);
  }
  return shifts() ? e.op<arith::XOrIOp>(x, e.like(x, int64_t(-1) << (bits - 1))) : x;
}

/// sums + x * w, lane by lane or group by group.
Value DepthwiseKernel::multiply(Emitter &e, Value sums, Value x, Value w) {
  if (plan.group == 1)
    return e.add(sums, e.mul(e.extend(x, 32, isUnsigned), e.sext(w, 32)));
  return emitDot(e, plan.dot, module.target.emulateDot, plan.adding, sums, x, w);
}

FailureOr<Value> vitq::kernels::lowerDepthwise(DepthwiseConv2dOp op, KernelModule &module, MemrefOf memrefOf,
                                               Epilogue &epilogue) {
  return DepthwiseKernel(op, module, memrefOf, epilogue).emitCall();
}
