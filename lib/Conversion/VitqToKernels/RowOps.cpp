//===- RowOps.cpp - Kernels that work row by row -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RowOps.h"

#include "RowOpsDetail.h"
#include "WordRescale.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "vitq/Analysis/AccumulatorBounds.h"
#include "vitq/Support/Constants.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;
using namespace vitq::integer;

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

void RowOp::emitRows(Emitter &e, const TargetDesc &target, const RowContext &context, int64_t count) const {
  if (count == 1)
    return emitRow(e, target, context);
  e.loop(count, [&](Value i) { emitRow(e, target, advanced(e, context, i)); });
}

void vitq::kernels::forRowGroups(Emitter &e, Value lo, Value hi, int64_t atOnce,
                                 function_ref<void(Value, int64_t)> body) {
  if (atOnce > 1) {
    Value whole = e.indexMul(e.divu(e.sub(hi, lo), e.index(atOnce)), atOnce);
    Value rest = e.add(lo, whole);
    e.loop(lo, rest, atOnce, [&](Value row) { body(row, atOnce); });
    lo = rest;
  }
  e.loop(lo, hi, 1, [&](Value row) { body(row, 1); });
}

//===----------------------------------------------------------------------===//
// Requantization and sums
//===----------------------------------------------------------------------===//

void Elementwise::emitRow(Emitter &e, const TargetDesc &target, const RowContext &context) const {
  Values start = emitRowStart(e, context);
  forColumns(e, target, cols, isNarrow(), 8, [&](Value col, int64_t lanes) {
    Value x = e.load(context.primary, {context.primaryRow, col}, lanes);
    e.store(emitElements(e, context, start, x, col), context.results[0], {context.resultRow, col});
  });
}

namespace {

/// y = clamp(zp + rescale(x - zpIn))
struct Requant : Elementwise {
  bool inputUnsigned;
  Slot inputZeroPoint, zeroPoint;
  Rescale rescale;
  Clamp clamp;

  bool isNarrow() const override { return rescale.isFast() && clamp.fits32(); }
  Value emitElements(Emitter &e, const RowContext &context, ValueRange, Value x, Value col) const override {
    const bool narrowInput = widthOf(x) < 32;
    x = e.extend(x, 32, inputUnsigned);
    if (narrowInput)
      x = e.sub(x, e.splatLike(Blob::load(e, context.blob, inputZeroPoint, 32), x));
    Value y = rescale.apply(e, context.blob, x, context.row, col);
    return rescale.adds() ? clamp.apply(e, context.blob, y) : finishSum(e, context.blob, y, zeroPoint, clamp);
  }
};

/// y = clamp(zp + rescale(a - zpA) + rescale(b - zpB)); the primary operand is a
/// or b, the other one is operand 0 with `otherRows` rows.
struct Add : Elementwise {
  struct Side {
    bool isUnsigned;
    /// 32 bits times exactly 1, for a sum of 32 bits.
    bool unchanged;
    bool hasZeroPoint;
    Slot zeroPoint;
    Rescale rescale;
    /// For 16-bit numbers without a zero point.
    std::optional<WordRescale> words = {};

    bool isFast() const { return unchanged || rescale.isFast(); }
  } first, second;
  int64_t otherRows;
  Slot zeroPoint;
  Clamp clamp;
  /// Whether the sum may exceed 32 bits where a side is unchanged.
  bool mayExceed = true;

  bool isNarrow() const override { return first.isFast() && second.isFast() && clamp.fits32(); }
  Value side(Emitter &e, const RowContext &context, const Side &s, Value x, Value col) const {
    if (s.words)
      if (Value y = s.words->apply(e, context.blob, x))
        return y;
    x = e.extend(x, 32, s.isUnsigned);
    if (s.hasZeroPoint)
      x = e.sub(x, e.splatLike(Blob::load(e, context.blob, s.zeroPoint, 32), x));
    return s.unchanged ? x : s.rescale.apply(e, context.blob, x, context.row, col);
  }
  Values emitRowStart(Emitter &e, const RowContext &context) const override {
    return {otherRows == rows ? context.operandRow : e.remu(context.operandRow, e.index(otherRows))};
  }
  Value emitElements(Emitter &e, const RowContext &context, ValueRange start, Value x, Value col) const override {
    Value other = loadColumns(e, context, context.operands[0], {start[0], col}, x);
    Value a = side(e, context, first, x, col), b = side(e, context, second, other, col);
    if (!isNarrow())
      return finishAdded(e, context, e.add(e.sext(a, 64), e.sext(b, 64)));
    // A side that is unchanged has all 32 bits, and the result then no zero point.
    if (first.unchanged || second.unchanged)
      return mayExceed ? e.op<LLVM::SAddSat>(a, b) : e.add(a, b);
    return finishAdded(e, context, e.add(a, b));
  }
  Value finishAdded(Emitter &e, const RowContext &context, Value sum) const {
    return first.rescale.adds() ? clamp.apply(e, context.blob, sum) : finishSum(e, context.blob, sum, zeroPoint, clamp);
  }
};

/// y = clamp(zp + rescale((a - zpA) * (b - zpB))); operands as of Add.
struct Mul : Elementwise {
  struct Side {
    bool isUnsigned, hasZeroPoint;
    Slot zeroPoint;
  } first, second;
  int64_t otherRows;
  Slot zeroPoint;
  Rescale rescale;
  Clamp clamp;

  bool isNarrow() const override { return rescale.isFast() && clamp.fits32(); }
  static Value side(Emitter &e, const RowContext &context, const Side &s, Value x) {
    x = e.extend(x, 32, s.isUnsigned);
    return s.hasZeroPoint ? e.sub(x, e.splatLike(Blob::load(e, context.blob, s.zeroPoint, 32), x)) : x;
  }
  Values emitRowStart(Emitter &e, const RowContext &context) const override {
    return {otherRows == rows ? context.operandRow : e.remu(context.operandRow, e.index(otherRows))};
  }
  Value emitElements(Emitter &e, const RowContext &context, ValueRange start, Value x, Value col) const override {
    Value other = loadColumns(e, context, context.operands[0], {start[0], col}, x);
    Value product = e.mul(side(e, context, first, x), side(e, context, second, other));
    Value y = rescale.apply(e, context.blob, product, context.row, col);
    return finishSum(e, context.blob, y, zeroPoint, clamp);
  }
};

/// Sums of a row's codes that are at least so large need no wider division (DivideRows).
static constexpr int64_t kLeastSum = 128;

/// y = clamp(zp + rescale(sat32((x * R + 2^15) >> 16))), R one per row. x is
/// limited to 256 * sum first, where the quotient saturates in any case.
///
/// Of a softmax's codes times 8-bit values |x| <= 128 * sum: nothing saturates then. If also the sum is at least 128,
/// R = S + 2^32 * t <= 2^33, where S has 32 bits with a sign. The result, which has 32 bits as well, then is
/// ((x * S + 2^15) >> 16) + 2^16 * t * x modulo 2^32: one product of 32-bit numbers. An R from lines is not above the
/// quotient, so the same holds.
struct DivideRows : Elementwise {
  std::optional<ScaledLines> lines;
  Slot zeroPoint;
  Rescale rescale;
  Clamp clamp;
  bool bounded = false;
  /// Multiply in 64-bit lanes instead of extended ones.
  bool pairs = false;

  bool isNarrow() const override { return rescale.isFast() && clamp.fits32(); }
  Values emitRowStart(Emitter &e, const RowContext &context) const override {
    Value sum = e.load(context.operands[0], context.operandRow);
    Value divisor = e.sext(e.smax(sum, e.like(sum, 1)), 64);
    Value reciprocal = lines ? lines->apply(e, context.blob, divisor, numerics::kReciprocalCodes, 8, 3)
                             : e.divu(e.like(divisor, int64_t(1) << 40), divisor);
    if (bounded) {
      // t, the nearest multiple of 2^32.
      Value above = e.srl(e.add(reciprocal, int64_t(1) << 31), e.like(reciprocal, 32));
      return {e.trunc(reciprocal, 32), e.shl(e.trunc(above, 32), 16)};
    }
    Value top = e.mul(divisor, 256), bottom = e.sub(e.like(top, 0), top);
    return {reciprocal, bottom, top};
  }
  /// (x * S + 2^15) >> 16, the lower 32 bits of it, for pairs of lanes: the product of
  /// 32-bit numbers in 64-bit lanes is one instruction on x86.
  Value multiplyPairs(Emitter &e, Value x, Value factor) const {
    auto type = cast<VectorType>(x.getType());
    auto pairs = VectorType::get({type.getNumElements() / 2}, e.intType(64));
    Value x64 = e.op<vector::BitCastOp>(pairs, x);
    Value s = e.sext(e.op<vector::BroadcastOp>(VectorType::get(pairs.getShape(), e.intType(32)), factor), 64);
    auto number = [&](int64_t n) { return e.like(x64, n); };
    Value even = e.add(e.mul(e.sra(e.shl(x64, 32), number(32)), s), int64_t(1) << 15);
    Value odd = e.add(e.mul(e.sra(x64, number(32)), s), int64_t(1) << 15);
    even = e.op<arith::AndIOp>(e.srl(even, number(16)), number(0xffffffff));
    odd = e.op<arith::AndIOp>(e.shl(odd, 16), number(~int64_t(0xffffffff)));
    return e.op<vector::BitCastOp>(type, e.op<arith::OrIOp>(even, odd));
  }
  Value quotient(Emitter &e, ValueRange start, Value x) const {
    if (bounded) {
      auto vector = dyn_cast<VectorType>(x.getType());
      Value rest = e.mul(x, e.splatLike(start[1], x));
      if (pairs && vector && vector.getNumElements() % 2 == 0)
        return e.add(multiplyPairs(e, x, start[0]), rest);
      Value p = e.add(e.mul(e.sext(x, 64), e.sext(e.splatLike(start[0], x), 64)), int64_t(1) << 15);
      return e.add(e.trunc(e.srl(p, e.like(p, 16)), 32), rest);
    }
    x = e.sext(x, 64);
    x = e.clamp(x, e.splatLike(start[1], x), e.splatLike(start[2], x));
    Value u = e.sra(e.add(e.mul(x, e.splatLike(start[0], x)), int64_t(1) << 15), e.like(x, 16));
    return e.trunc(e.clamp(u, e.like(u, INT32_MIN), e.like(u, INT32_MAX)), 32);
  }
  Value emitElements(Emitter &e, const RowContext &context, ValueRange start, Value x, Value col) const override {
    Value y = rescale.apply(e, context.blob, quotient(e, start, x), context.row, col);
    return rescale.adds() ? clamp.apply(e, context.blob, y) : finishSum(e, context.blob, y, zeroPoint, clamp);
  }
};

} // namespace

Value vitq::kernels::finishSum(Emitter &e, Value blob, Value y, Slot zeroPoint, const Clamp &clamp) {
  if (widthOf(y) == 32 && !clamp.fits32())
    y = e.sext(y, 64);
  y = e.add(y, e.splatLike(Blob::load(e, blob, zeroPoint, widthOf(y)), y));
  return clamp.apply(e, blob, y);
}

unsigned vitq::kernels::magnitudeBits(Value value) {
  unsigned width = widthOf(value);
  return width == 32 ? 31 : width; // |x - zero point| < 2^width
}

/// |x| <= 2^bits for every accumulator of a product; 31 for other values.
static unsigned accumulatorBits(Value value) {
  auto product = value.getDefiningOp<ProductOp>();
  if (!product)
    return 31;
  const numerics::Interval range = product.getAccumulatorBound(getOperandTypeRange(product));
  return llvm::Log2_64_Ceil(std::max({-range.min, range.max, int64_t(1)}));
}

//===----------------------------------------------------------------------===//
// Construction
//===----------------------------------------------------------------------===//

std::pair<int64_t, int64_t> RowBuilder::rowsOf(Value value) const {
  ArrayRef<int64_t> shape = cast<ShapedType>(value.getType()).getShape();
  const int64_t total = elementCount(value.getType());
  return shape.empty() ? std::pair<int64_t, int64_t>(1, 1) : std::pair(total / shape.back(), shape.back());
}

void RowBuilder::shape(RowOp &row, StringRef name, Value primary, bool flatten) const {
  row.name = name;
  row.primary = primary;
  std::tie(row.rows, row.cols) = rowsOf(primary);
  // Short rows would leave vectors empty; long ones are shared among threads.
  if (flatten && !fusedWith && row.cols < 256) {
    row.cols *= row.rows;
    row.rows = 1;
  }
}

void RowBuilder::result(RowOp &row, Value result, bool perRow) const {
  auto type = cast<ShapedType>(result.getType());
  Value buffer = module.alloc(result.getLoc(), type.getShape(), elementOf(result));
  row.buffers.push_back(buffer);
  row.results.push_back(perRow ? module.reshape(result.getLoc(), buffer, {row.rows})
                               : module.reshape(result.getLoc(), buffer, {row.rows, row.cols}));
}

std::pair<Value, int64_t> RowBuilder::broadcastOperand(Location loc, const RowOp &row, Value other) const {
  Value memref = memrefOf(other);
  const int64_t count = elementCount(other.getType());
  const int64_t total = row.rows * row.cols;
  ArrayRef<int64_t> shape = cast<ShapedType>(other.getType()).getShape();
  ArrayRef<int64_t> full = cast<ShapedType>(row.primary.getType()).getShape();
  ArrayRef<int64_t> core = shape.drop_while([](int64_t size) { return size == 1; });
  if (count == total)
    return {module.reshape(loc, memref, {row.rows, row.cols}), row.rows};
  // The last axes as they are, repeated along the first ones.
  if (full.take_back(core.size()) == core && count % row.cols == 0)
    return {module.reshape(loc, memref, {count / row.cols, row.cols}), count / row.cols};
  Value whole = broadcastTo(loc, module, memref, full);
  return {module.reshape(loc, whole, {row.rows, row.cols}), row.rows};
}

/// The rescaling of `value` for an op. What is known of sums of products is used only where 32 bits have no room
/// otherwise: narrow operands take one more shift.
static Rescale rescaleOf(const TargetDesc &target, RowOp &row, Value value, DyadicAttr by, Rounding rounding,
                         ChannelMap map, std::optional<int64_t> addend = std::nullopt) {
  Blob blob = row.blob;
  Rescale rescale(target, blob, by, rounding, magnitudeBits(value), map, addend);
  if (!rescale.isFast() && widthOf(value) == 32) {
    blob = row.blob;
    rescale = Rescale(target, blob, by, rounding, accumulatorBits(value), map, addend);
  }
  row.blob = std::move(blob);
  return rescale;
}

static std::unique_ptr<RowOp> makeRequant(RequantOp op, const RowBuilder &build) {
  auto row = std::make_unique<Requant>();
  build.shape(*row, "requant", op.getInput(), op.getBy().size() == 1);
  row->inputUnsigned = op.getInputCode().isUnsigned();
  row->inputZeroPoint = row->blob.scalar(op.getInputCode().getZero());
  row->zeroPoint = row->blob.scalar(op.getResultCode().getZero());
  row->clamp = Clamp::of(op.getResult(), op.getResultCode());
  if (op.getMin() || op.getMax()) {
    row->clamp.lo = row->blob.scalar(op.getMin().value_or(row->clamp.literalLo()));
    row->clamp.hi = row->blob.scalar(op.getMax().value_or(row->clamp.literalHi()));
  }
  ArrayRef<int64_t> shape = cast<ShapedType>(op.getInput().getType()).getShape();
  row->rescale = rescaleOf(build.module.target, *row, op.getInput(), op.getBy(), op.getRounding(),
                           ChannelMap::of(op.getBy(), shape, op.getAxis()), row->clamp.addend());
  // An unsigned 32-bit operand does not fit the 32-bit lanes.
  if (row->inputUnsigned && widthOf(op.getInput()) == 32)
    return nullptr;
  build.result(*row, op.getResult());
  return row;
}

/// |x| <= 2^bits for what an operand gives a sum in 32 bits: as it is, or rescaled (Rescale::isFast).
static unsigned summandBits(Value operand, bool isUnchanged) {
  if (!isUnchanged)
    return 29;
  FailureOr<Tensor> constant = getIntTensor(operand);
  if (failed(constant))
    return accumulatorBits(operand);
  int64_t largest = 1;
  for (int64_t i = 0; i < constant->numElements(); ++i)
    largest = std::max(largest, std::abs(constant->intAt(i)));
  return llvm::Log2_64_Ceil(largest);
}

static std::unique_ptr<RowOp> makeAdd(AddOp op, const RowBuilder &build) {
  auto row = std::make_unique<Add>();
  const bool swap = build.fusedWith && build.fusedWith == op.getRhs();
  Value primary = swap ? op.getRhs() : op.getLhs(), other = swap ? op.getLhs() : op.getRhs();
  if (swap && op.getRhs().getType() != cast<ShapedType>(op.getRhs().getType()).clone(op.getType().getShape()))
    return nullptr;
  const bool single = op.getLhsBy().size() == 1 && op.getRhsBy().size() == 1 &&
                      elementCount(op.getLhs().getType()) == elementCount(op.getRhs().getType());
  build.shape(*row, "add", primary, single);
  ArrayRef<int64_t> shape = op.getType().getShape();
  const bool wide = widthOf(op.getResult()) == 32 && !op.getResultCode().isUnsigned();
  row->clamp = Clamp::of(op.getResult(), op.getResultCode());
  // The main operand's sums take the result's zero point along.
  auto side = [&](Value operand, DyadicAttr by, CodeAttr code, bool isPrimary) {
    const bool one = by.size() == 1 && by.multiplier(0) == int64_t(1) << by.shift(0);
    Add::Side s{code.isUnsigned(), wide && one && widthOf(operand) == 32 && !code.isUnsigned(),
                widthOf(operand) < 32 && code.getZero() != 0, row->blob.scalar(code.getZero()),
                rescaleOf(build.module.target, *row, operand, by, op.getRounding(), ChannelMap::of(by, shape, -1),
                          isPrimary && !wide ? row->clamp.addend() : std::nullopt)};
    // Where no sums are the main operand, a 16-bit one takes the zero point along, which this form does not.
    if (widthOf(operand) == 16 && !s.isUnsigned && !s.hasZeroPoint && s.rescale.isFast() && !s.rescale.adds())
      s.words = WordRescale::of(build.module.target, row->blob, by, op.getRounding());
    return s;
  };
  row->first = side(op.getLhs(), op.getLhsBy(), op.getLhsCode(), !swap);
  row->second = side(op.getRhs(), op.getRhsBy(), op.getRhsCode(), swap);
  if (swap)
    std::swap(row->first, row->second);
  row->mayExceed = summandBits(primary, row->first.unchanged) > 30 || summandBits(other, row->second.unchanged) > 30;
  row->zeroPoint = row->blob.scalar(op.getResultCode().getZero());
  auto [memref, rows] = build.broadcastOperand(op.getLoc(), *row, other);
  row->addOperand(other, memref);
  row->otherRows = rows;
  if (rows == row->rows)
    row->rowOperands.push_back(0);
  build.result(*row, op.getResult());
  return row;
}

static std::unique_ptr<RowOp> makeMul(MulOp op, const RowBuilder &build) {
  auto row = std::make_unique<Mul>();
  const bool swap = build.fusedWith && build.fusedWith == op.getRhs();
  Value primary = swap ? op.getRhs() : op.getLhs(), other = swap ? op.getLhs() : op.getRhs();
  ArrayRef<int64_t> shape = op.getType().getShape();
  if (swap && cast<ShapedType>(primary.getType()).getShape() != shape)
    return nullptr;
  build.shape(*row, "mul", primary,
              op.getBy().size() == 1 && elementCount(op.getLhs().getType()) == elementCount(op.getRhs().getType()));
  auto side = [&](CodeAttr code) {
    return Mul::Side{code.isUnsigned(), code.getZero() != 0, row->blob.scalar(code.getZero())};
  };
  row->first = side(op.getLhsCode());
  row->second = side(op.getRhsCode());
  if (swap)
    std::swap(row->first, row->second);
  const int64_t largest =
      codeOf(op.getLhs(), op.getLhsCode()).magnitude() * codeOf(op.getRhs(), op.getRhsCode()).magnitude();
  row->rescale = Rescale(build.module.target, row->blob, op.getBy(), op.getRounding(), llvm::Log2_64_Ceil(largest),
                         ChannelMap::of(op.getBy(), shape, -1));
  row->zeroPoint = row->blob.scalar(op.getResultCode().getZero());
  row->clamp = Clamp::of(op.getResult(), op.getResultCode());
  auto [memref, rows] = build.broadcastOperand(op.getLoc(), *row, other);
  row->addOperand(other, memref);
  row->otherRows = rows;
  if (rows == row->rows)
    row->rowOperands.push_back(0);
  build.result(*row, op.getResult());
  return row;
}

/// Whether the rows are codes of a softmax, of which the largest is at least 128, times 8-bit values,
/// divided by the sum of these codes.
static bool isBounded(DivideRowsOp op) {
  auto softmax = op.getSums().getDefiningOp<SoftmaxOp>();
  auto product = op.getInput().getDefiningOp<MatmulOp>();
  if (!softmax || !product || product.getBias() || product.getLhs() != softmax.getCodes() ||
      product.getLhsCode().getZero() != 0 || accumulatorBits(op.getInput()) > 30)
    return false;
  const unsigned bits = codeOf(softmax.getCodes()).bits;
  int64_t largest = 0;
  if (std::optional<numerics::DistanceTable> codes = softmax.getAlgorithm().getDistanceCodes(bits); !codes)
    largest = softmax.getAlgorithm().getLargestCode(bits);
  else if (product.getLhsCode().isUnsigned())
    largest = codes->front();
  return largest >= kLeastSum;
}

static std::unique_ptr<RowOp> makeDivideRows(DivideRowsOp op, const RowBuilder &build) {
  auto row = std::make_unique<DivideRows>();
  build.shape(*row, "divide_rows", op.getInput(), false);
  row->zeroPoint = row->blob.scalar(op.getResultCode().getZero());
  ArrayRef<int64_t> shape = op.getType().getShape();
  row->clamp = Clamp::of(op.getResult(), op.getResultCode());
  row->rescale = Rescale(build.module.target, row->blob, op.getBy(), op.getRounding(), 31,
                         ChannelMap::of(op.getBy(), shape, op.getAxis()), row->clamp.addend());
  row->addOperand(op.getSums(), build.module.reshape(op.getLoc(), build.memrefOf(op.getSums()), {row->rows}));
  row->rowOperands.push_back(0);
  row->bounded = isBounded(op);
  row->pairs = build.module.target.isX86();
  if (op.getLines())
    row->lines = ScaledLines(row->blob, op.getLines()->lines());
  build.result(*row, op.getResult());
  return row;
}

std::unique_ptr<RowOp> vitq::kernels::makeRowOp(Operation *op, KernelModule &module, MemrefOf memrefOf,
                                                Value fusedWith) {
  const RowBuilder build{module, memrefOf, fusedWith};
  if (auto requant = dyn_cast<RequantOp>(op))
    return makeRequant(requant, build);
  if (auto hadamard = dyn_cast<HadamardOp>(op))
    return makeHadamard(hadamard, build);
  if (auto threshold = dyn_cast<ThresholdOp>(op))
    return makeThreshold(threshold, build);
  if (auto add = dyn_cast<AddOp>(op))
    return makeAdd(add, build);
  if (auto mul = dyn_cast<MulOp>(op))
    return makeMul(mul, build);
  if (auto divide = dyn_cast<DivideRowsOp>(op))
    return makeDivideRows(divide, build);
  return makeNonlinearRowOp(op, build);
}

void vitq::kernels::appendArguments(Location loc, KernelModule &module, RowOp &op, Values &args,
                                    SmallVectorImpl<int64_t> &local) {
  for (unsigned operand : op.rowOperands)
    local.push_back(static_cast<int64_t>(args.size()) + operand);
  args.append(op.operands);
  for (Value result : op.results) {
    local.push_back(static_cast<int64_t>(args.size()));
    args.push_back(result);
  }
  args.push_back(module.blob(loc, op.blob));
}

RowArguments RowArguments::take(const RowOp &op, ValueRange &in) {
  const size_t operands = op.operands.size(), results = op.results.size();
  RowArguments taken{in.take_front(operands), in.slice(operands, results), in[operands + results]};
  in = in.drop_front(operands + results + 1);
  return taken;
}

void vitq::kernels::emitRowKernel(Operation *source, KernelModule &module, RowOp &op, Value primary) {
  Values args{module.reshape(source->getLoc(), primary, {op.rows, op.cols})};
  Step step({source}, 0);
  step.local.push_back(0);
  appendArguments(source->getLoc(), module, op, args, step.local);
  // The same rows belong together as in products.
  const int64_t tile = module.target.isa->tileRows;
  step.rows = op.rows;
  module.call(step, op.name, args, (op.rows + tile - 1) / tile,
              [&](Emitter &e, ValueRange in, Value first, Value last) {
                Value primary = in.front();
                in = in.drop_front();
                RowArguments own = RowArguments::take(op, in);
                Value end = e.smin(e.indexMul(last, tile), e.index(op.rows));
                auto emit = [&](Value row, int64_t count) {
                  RowContext context = RowContext::ofRow(row, own.operands, own.results, own.blob);
                  context.primary = primary;
                  op.emitRows(e, module.target, context, count);
                };
                const int64_t atOnce = std::min(op.rowsAtOnce(module.target), op.rows);
                forRowGroups(e, e.indexMul(first, tile), end, atOnce, emit);
              });
}
