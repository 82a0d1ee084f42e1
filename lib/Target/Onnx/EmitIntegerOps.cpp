//===- EmitIntegerOps.cpp - Ops of the integer phase in ONNX -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "IntegerEmitter.h"

#include "vitq/Numerics/LayerNorm.h"
#include "vitq/Support/Constants.h"
#include "vitq/Tensor/Moves.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::onnxwriter;
using numerics::Code;

/// Sums up to this are exact in f32.
static constexpr int64_t kExactSum = int64_t(1) << 24;

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

/// The largest sum of |rhs| that a result has.
static int64_t largestColumn(integer::MatmulOp op, const std::vector<int64_t> &weights) {
  ArrayRef<int64_t> shape = vit::shapeOf(op.getRhs());
  const int64_t inner = vit::shapeOf(op.getLhs()).back(), outer = vit::shapeOf(op.getResult()).back();
  int64_t largest = 0;
  for (int64_t n = 0; n < outer && shape.size() == 2; ++n) {
    int64_t sum = 0;
    for (int64_t k = 0; k < inner; ++k)
      sum += std::abs(weights[op.getTransposeRhs() ? n * inner + k : k * outer + n]);
    largest = std::max(largest, sum);
  }
  return largest;
}

/// The right operand as `[..., K, N]` of floats, and the largest sum of magnitudes that a result has of it.
std::pair<std::string, int64_t> IntegerEmitter::rightOperand(integer::MatmulOp op) {
  const Code code = integer::codeOf(op.getRhs());
  const int64_t inner = vit::shapeOf(op.getLhs()).back(), rank = vit::shapeOf(op.getRhs()).size();
  if (FailureOr<std::vector<int64_t>> weights = getIntConstant(op.getRhs()); succeeded(weights) && rank == 2) {
    FailureOr<Tensor> codes = getIntTensor(op.getRhs());
    if (op.getTransposeRhs())
      *codes = transposed(*codes, {1, 0});
    // A byte each in the file.
    std::string stored = writer.codes(math.name() + "_weight", *codes, 8, /*isSigned=*/true);
    return {math.node("Cast", {stored}, Attribute{"to", int64_t(1)}), largestColumn(op, *weights)};
  }
  std::string rhs = math.single(read(op.getRhs(), code)).name;
  if (op.getTransposeRhs()) {
    std::vector<int64_t> swapped(rank);
    std::iota(swapped.begin(), swapped.end(), 0);
    std::swap(swapped[rank - 1], swapped[rank - 2]);
    rhs = math.node("Transpose", {rhs}, Attribute{"perm", swapped});
  }
  return {rhs, inner * code.magnitude()};
}

/// Where sums would leave what floats hold exactly, as sums of the left operand's bits, some at a time.
LogicalResult IntegerEmitter::emit(integer::MatmulOp op) {
  auto [rhs, largest] = rightOperand(op);
  Digit lhs = math.single(read(op.getLhs(), integer::codeOf(op.getLhs(), op.getLhsCode())));
  auto bound = [&, largest = largest](const Digit &digit) { return largest * std::max(digit.hi, -digit.lo); };
  auto product = [&, &rhs = rhs](const Digit &digit) {
    return Digit{math.node("MatMul", {digit.name, rhs}), -bound(digit), bound(digit)};
  };
  const unsigned bits = largest == 0 ? 16 : llvm::Log2_64(std::max<int64_t>(kExactSum / largest, 2));
  Columns sum;
  for (unsigned weight = 0;; weight += bits) {
    const bool isLast = bound(lhs) <= kExactSum;
    if (isLast && weight == 0) {
      sum.push_back({product(lhs)});
      break;
    }
    const Digit upper = isLast ? lhs : math.floorShift(lhs, bits);
    const Digit lower = isLast ? lhs : math.remainder(lhs, upper, bits);
    for (auto [i, column] : llvm::enumerate(math.times2(math.split(product(lower)), weight))) {
      sum.resize(std::max(sum.size(), i + 1));
      sum[i].append(column);
    }
    if (isLast)
      break;
    lhs = upper;
  }
  if (op.getBias())
    math.addTo(sum, read(op.getBias(), integer::codeOf(op.getBias())));
  write(op.getResult(), sum.size() == 1 ? Integers{math.sum(sum[0])} : math.normalized(sum));
  return success();
}

std::optional<bool> onnxwriter::tiesToEven(integer::Rounding rounding) {
  if (rounding != integer::Rounding::HalfUp && rounding != integer::Rounding::HalfEven)
    return std::nullopt;
  return rounding == integer::Rounding::HalfEven;
}

LogicalResult IntegerEmitter::emit(integer::RequantOp op) {
  const std::optional<bool> toEven = tiesToEven(op.getRounding());
  if (!toEven)
    return refuse(op, "rounds half away or down");
  const Code code = integer::codeOf(op.getResult(), op.getResultCode());
  const Integers input = read(op.getInput(), integer::codeOf(op.getInput(), op.getInputCode()));
  const Factors by = factorsOf(op.getBy(), op.getResult(), op.getAxis());
  if (code.bits == 32 && !op.getMin() && !op.getMax() && !*toEven) {
    write(op.getResult(), math.rescaleWide(split(input), by));
    return success();
  }
  const Digit result = math.rescale(split(input), by, *toEven);
  writeCodes(op.getResult(), result, code, op.getMin().value_or(code.min()), op.getMax().value_or(code.max()));
  return success();
}

LogicalResult IntegerEmitter::emit(integer::AddOp op) {
  const std::optional<bool> toEven = tiesToEven(op.getRounding());
  if (!toEven)
    return refuse(op, "rounds half away or down");
  const Code code = integer::codeOf(op.getResult(), op.getResultCode());
  auto operand = [&](Value value, integer::CodeAttr how) { return split(read(value, integer::codeOf(value, how))); };
  if (code.bits == 32 && !*toEven) {
    Columns sum = Arithmetic::columns(
        math.rescaleWide(operand(op.getLhs(), op.getLhsCode()), factorsOf(op.getLhsBy(), op.getResult(), -1)));
    math.addTo(sum,
               math.rescaleWide(operand(op.getRhs(), op.getRhsCode()), factorsOf(op.getRhsBy(), op.getResult(), -1)));
    write(op.getResult(), math.normalized(sum));
    return success();
  }
  auto term = [&](Value value, integer::CodeAttr how, integer::DyadicAttr by) {
    return math.rescale(operand(value, how), factorsOf(by, op.getResult(), -1), *toEven);
  };
  const Digit sum =
      math.add(term(op.getLhs(), op.getLhsCode(), op.getLhsBy()), term(op.getRhs(), op.getRhsCode(), op.getRhsBy()));
  writeCodes(op.getResult(), sum, code, code.min(), code.max());
  return success();
}

LogicalResult IntegerEmitter::emit(integer::MulOp op) {
  const std::optional<bool> toEven = tiesToEven(op.getRounding());
  if (!toEven)
    return refuse(op, "rounds half away or down");
  const Code code = integer::codeOf(op.getResult(), op.getResultCode());
  const Integers product =
      math.normalized(math.product(split(read(op.getLhs(), integer::codeOf(op.getLhs(), op.getLhsCode()))),
                                   split(read(op.getRhs(), integer::codeOf(op.getRhs(), op.getRhsCode())))));
  writeCodes(op.getResult(), math.rescale(product, factorsOf(op.getBy(), op.getResult(), -1), *toEven), code,
             code.min(), code.max());
  return success();
}

LogicalResult IntegerEmitter::emit(integer::SumOp op) {
  const Integers input = split(read(op.getInput(), integer::codeOf(op.getInput(), op.getInputCode())));
  ArrayRef<int64_t> shape = vit::shapeOf(op.getInput());
  int64_t count = 1;
  for (int64_t axis : op.getAxes())
    count *= shape[axis];
  const std::string axes = math.ints(op.getAxes());
  Columns sum;
  for (const Digit &digit : input)
    sum.push_back(
        {math.make(math.node("ReduceSum", {digit.name, axes}, Attribute{"keepdims", int64_t(op.getKeepDims())}),
                   digit.lo * count, digit.hi * count)});
  write(op.getResult(), sum.size() == 1 ? Integers(sum[0]) : math.normalized(sum));
  return success();
}

//===----------------------------------------------------------------------===//
// Functions of codes
//===----------------------------------------------------------------------===//

LogicalResult IntegerEmitter::emit(integer::TableOp op) {
  const Code input = integer::codeOf(op.getInput(), op.getInputCode());
  Code entry = integer::codeOf(op.getTable());
  entry.isUnsigned = entry.bits <= 8 && isReadUnsigned(op.getResult());
  FailureOr<KnownIntegers> table = readConstant(op.getTable(), entry);
  if (failed(table))
    return refuse(op, "has a table that is no constant");
  std::vector<float> entries;
  for (const llvm::APInt &value : table->values)
    entries.push_back(static_cast<float>(value.getSExtValue()));
  Digit index = math.shifted(math.single(read(op.getInput(), input)), input.zero - input.min());
  if (op.getIndex()) {
    FailureOr<KnownIntegers> which = readConstant(op.getIndex(), Code{8, /*isUnsigned=*/true, 0});
    if (failed(which))
      return refuse(op, "has a table that is no constant");
    for (llvm::APInt &t : which->values)
      t *= static_cast<uint64_t>(input.count());
    index = math.add(index, math.single(math.known(*which)));
  }
  write(op.getResult(), {{lookUp(entries, index), entry.min(), entry.max()}}, entry.isUnsigned);
  return success();
}

/// Between the entries of a table, and the identity above it (numerics::interpolate).
LogicalResult IntegerEmitter::emit(integer::InterpolateOp op) {
  FailureOr<std::vector<int64_t>> table = getIntConstant(op.getTable());
  if (failed(table))
    return refuse(op, "has a table that is no constant");
  const auto shift = static_cast<unsigned>(op.getShift());
  const int64_t intervals = static_cast<int64_t>(table->size()) - 1, span = intervals << shift;
  std::vector<float> entries(table->begin(), std::prev(table->end())), steps;
  for (int64_t i = 0; i < intervals; ++i)
    steps.push_back(static_cast<float>((*table)[i + 1] - (*table)[i]));
  const Code code = integer::codeOf(op.getInput());
  const Digit x = math.single(read(op.getInput(), code));
  const Digit distance = math.shifted(x, -static_cast<int64_t>(op.getStart()));
  const Digit inside = math.clamped(distance, 0, span - 1);
  const Digit interval = math.floorShift(inside, shift);
  const Digit fraction = math.remainder(inside, interval, shift);
  const Digit step{lookUp(steps, interval), -(1 << 16), 1 << 16};
  const Digit rise = math.floorShift(math.shifted(math.multiply(step, fraction), (int64_t(1) << shift) >> 1), shift);
  const Digit curve = math.add({lookUp(entries, interval), code.min(), code.max()}, rise);
  // Past the table 1 is added to 0, and nothing to 1.
  const Digit isTail = math.clamped(math.shifted(distance, 1 - span), 0, 1);
  const Digit tail = math.clamped(math.rescale(math.split(x), {{}, {op.getTailBy().entry(0)}}), code.min(), code.max());
  Digit result = math.add(curve, math.multiply(isTail, math.add(tail, math.scaled(curve, -1))));
  result.lo = code.min();
  result.hi = code.max();
  write(op.getResult(), {result});
  return success();
}

/// The code of every distance.
static std::vector<float> distanceCodes(integer::SoftmaxOp op) {
  const integer::ExponentialAttrInterface algorithm = op.getAlgorithm();
  if (const auto table = algorithm.getDistanceCodes(integer::codeOf(op.getCodes()).bits))
    return {table->begin(), table->end()};
  std::vector<float> codes(algorithm.getLastDistance() + 1, 0);
  if (auto powers = dyn_cast<integer::ExpLog2Attr>(algorithm))
    for (int64_t d = 0; d <= powers.getTopExponent(); ++d)
      codes[d] = static_cast<float>(int64_t(1) << (powers.getTopExponent() - d));
  else if (auto octave = dyn_cast<integer::ExpOctaveAttr>(algorithm)) {
    const std::vector<int16_t> entries(octave.getEntries().value_begin<int16_t>(),
                                       octave.getEntries().value_end<int16_t>());
    for (auto [d, code] : llvm::enumerate(codes))
      code = static_cast<float>(numerics::roundShift(
          entries[d % entries.size()], static_cast<unsigned>(d / entries.size()), numerics::Rounding::HalfUp));
  } else {
    return {};
  }
  return codes;
}

LogicalResult IntegerEmitter::emit(integer::SoftmaxOp op) {
  const std::vector<float> entries = distanceCodes(op);
  if (entries.empty())
    return refuse(op, "is computed by " + op.getAlgorithm().getAlgorithmName());
  const Digit scores = math.single(read(op.getInput(), integer::codeOf(op.getInput())));
  const std::string last = math.ints({-1});
  const Digit largest{math.node("ReduceMax", {scores.name, last}), scores.lo, scores.hi};
  Digit distance = math.add(largest, math.scaled(scores, -1));
  distance.lo = 0;
  const auto rank = static_cast<int64_t>(vit::shapeOf(op.getInput()).size());
  const Digit index = math.clamped(math.rescale(math.split(distance), factorsOf(op.getBy(), op.getInput(), 1 - rank)),
                                   0, static_cast<int64_t>(entries.size()) - 1);
  const int64_t most = op.getAlgorithm().getLargestCode(integer::codeOf(op.getCodes()).bits);
  const Digit codes{lookUp(entries, index), 0, most};
  write(op.getCodes(), {codes}, op.hasUnsignedCodes());
  const int64_t length = vit::shapeOf(op.getInput()).back();
  // The row's maximum is at distance 0.
  write(op.getSums(), {math.make(math.node("ReduceSum", {codes.name, last}, Attribute{"keepdims", int64_t(0)}),
                                 static_cast<int64_t>(entries[0]), most * length)});
  return success();
}

/// u = (x * floor(2^40 / sum) + 2^15) >> 16 saturates nowhere, as |x| <= 2^7 sum.
LogicalResult IntegerEmitter::emit(integer::DivideRowsOp op) {
  const std::optional<bool> toEven = tiesToEven(op.getRounding());
  if (!toEven)
    return refuse(op, "rounds half away or down");
  if (op.getLines())
    return refuse(op, "is computed by lines");
  const Code code = integer::codeOf(op.getResult(), op.getResultCode());
  const Digit sums = math.clamped(math.single(read(op.getSums(), integer::codeOf(op.getSums()))), 1, kExactSum);
  const Digit rows{math.node("Unsqueeze", {sums.name, math.ints({-1})}), sums.lo, sums.hi};
  const unsigned bits = llvm::Log2_64((uint64_t(1) << 40) / static_cast<uint64_t>(sums.lo)) + 1;
  Columns quotient = math.product(split(read(op.getInput(), integer::codeOf(op.getInput()))),
                                  math.reciprocal(40, math.split(rows), bits));
  math.addTo(quotient, math.known(KnownIntegers(int64_t(1) << 15)));
  const Integers value = math.shiftedRight(quotient, 16);
  writeCodes(op.getResult(), math.rescale(value, factorsOf(op.getBy(), op.getResult(), op.getAxis()), *toEven), code,
             code.min(), code.max());
  return success();
}

/// numerics::layerNormNormalize and layerNormScale.
LogicalResult IntegerEmitter::emit(integer::LayerNormOp op) {
  if (!isa<integer::NormExactAttr>(op.getAlgorithm()))
    return refuse(op, "is computed by " + op.getAlgorithm().getAlgorithmName());
  const int64_t channels = vit::shapeOf(op.getInput()).back();
  const Code code = integer::codeOf(op.getResult(), op.getResultCode());
  const Integers x = split(read(op.getInput(), integer::codeOf(op.getInput(), op.getInputCode())));
  const Integers count = math.known(KnownIntegers(channels));
  const Integers squares = math.normalized(math.sumRows(math.normalized(math.product(x, x)), channels));
  Columns variance = math.product(squares, count), centered = math.product(x, count);
  if (op.getAlgorithm().isCentered()) {
    const Integers sum = math.normalized(math.sumRows(x, channels));
    math.addTo(variance, math.normalized(math.product(sum, sum)), /*negated=*/true);
    math.addTo(centered, sum, /*negated=*/true);
  }
  math.addTo(variance, math.known(KnownIntegers(op.getAlgorithm().getEps())));
  const Integers root = math.root(math.normalized(math.times2(math.normalized(variance), 12)), 32);
  // Roots are 64 at least.
  Columns normalized = math.product(math.normalized(centered), math.reciprocal(46, root, 40));
  math.addTo(normalized, math.known(KnownIntegers(int64_t(1) << 25)));
  const Digit y = math.shiftRight(normalized, 26, numerics::layerNormNormalizedBound(channels));
  Factors factors = factorsOf(op.getBy(), op.getResult(), -1);
  auto [multipliers, shift] = Arithmetic::common(factors);
  KnownIntegers offsets;
  offsets.shape = {channels};
  for (auto [i, offset] : llvm::enumerate(op.getOffsets())) {
    const numerics::Dyadic by = factors.all[factors.all.size() == 1 ? 0 : i];
    llvm::APInt value = KnownIntegers::of(offset) + KnownIntegers::of(1).shl(static_cast<unsigned>(by.shift - 1));
    offsets.values.push_back(value.shl(shift - static_cast<unsigned>(by.shift)));
  }
  Columns scaled = math.product(math.split(y), math.known(multipliers));
  math.addTo(scaled, math.known(offsets));
  writeCodes(op.getResult(), math.shiftRight(scaled, shift), code, code.min(), code.max());
  return success();
}
