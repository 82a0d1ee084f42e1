//===- Operands.cpp - Operands of products in DRAM -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Operands.h"

#include "dialects/systolic/Systolic.h"
#include "vitq/Support/Constants.h"
#include "vitq/Tensor/Moves.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::systolic;

static ArrayRef<int64_t> shapeOf(Value value) { return cast<RankedTensorType>(value.getType()).getShape(); }

static MemRefType dense(ArrayRef<int64_t> shape, Value value) {
  return MemRefType::get(shape, integer::storageOf(cast<RankedTensorType>(value.getType()).getElementType()));
}

static numerics::Code lhsCodeOf(integer::MatmulOp op) { return integer::codeOf(op.getLhs(), op.getLhsCode()); }

/// Whether the bytes that hold the left operand's codes are read as unsigned ones.
static bool readsUnsignedBytes(integer::MatmulOp op) {
  const numerics::Code code = lhsCodeOf(op);
  return code.max() > numerics::Code().max();
}

bool systolic::packsWeights(const simulator::Config &config, int64_t bits) {
  // Moves begin at tiles, and in whole bytes.
  return bits <= config.bits && config.bits < 8 && config.rows * config.bits % 8 == 0 &&
         config.cols * config.bits % 8 == 0;
}

int64_t systolic::storedColumns(const simulator::Config &config, int64_t columns, bool packed) {
  const int64_t perByte = packed && 8 % config.bits == 0 ? 8 / config.bits : 1;
  // Rows that begin at requests of the DMA take the fewest of them.
  if (columns > config.dmaBytes * perByte)
    return llvm::alignTo(columns, config.dmaRequestBytes * perByte);
  return packed ? llvm::alignTo(columns, 8) : columns;
}

/// Bits of the narrowest signed codes that hold all of `values`.
static int64_t bitsOf(const Tensor &values) {
  numerics::Code code{2};
  for (int64_t i = 0; i < values.numElements(); ++i)
    while (!code.contains(values.intAt(i)))
      ++code.bits;
  return code.bits;
}

/// Whether these enter as q - 128: where elements are signed 8-bit ones, and where the last
/// plane of a byte has fewer bits than an element and is extended by its sign.
static bool entersSigned(const simulator::Config &config, integer::MatmulOp op) {
  return readsUnsignedBytes(op) && (config.bits == 8 || 8 % config.bits != 0);
}

/// The codes minus 128 as signed bytes: a table of the host, once for each tensor.
Value OperandBuilder::toSigned(Value codes) {
  Value &known = signedCodes[codes];
  if (known)
    return known;
  const numerics::Code bytes{8, /*isUnsigned=*/true, /*zero=*/0};
  const int64_t half = bytes.count() / 2;
  if (FailureOr<Tensor> values = getIntTensor(codes); succeeded(values)) {
    Tensor lessHalf = Tensor::allocate(values->kind(), values->shape());
    for (int64_t i = 0; i < values->numElements(); ++i)
      lessHalf.setInt(i, numerics::readCode(values->intAt(i), bytes.bits, bytes.isUnsigned) - half);
    known = createConstant(b, codes.getLoc(), cast<RankedTensorType>(codes.getType()), lessHalf, "codes");
    return known;
  }
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointAfterValue(codes);
  SmallVector<int64_t> entries = llvm::to_vector(llvm::seq<int64_t>(-half, half));
  auto type = RankedTensorType::get({bytes.count()}, b.getI8Type());
  Value table = createIntConstant(b, codes.getLoc(), type, entries, "less_half");
  added.push_back({codes.getLoc(), integer::TableOp::getOperationName(),
                   ("codes less " + Twine(half) + ": the array's elements are signed").str()});
  known = integer::TableOp::create(b, codes.getLoc(), codes.getType(), codes, table, Value(),
                                   integer::CodeAttr::get(b.getContext(), bytes));
  return known;
}

/// A transposition that leaves the last axis alone is a matter of strides.
DramOperand OperandBuilder::viewOf(Value value) {
  auto transpose = value.getDefiningOp<integer::TransposeOp>();
  ArrayRef<int64_t> shape = shapeOf(value);
  const auto last = static_cast<int64_t>(shape.size()) - 1;
  if (!transpose || transpose.getPermutation().back() != last)
    return {value, dense(shape, value)};
  const SmallVector<int64_t> strides =
      applyPermutation(computeStrides(shapeOf(transpose.getInput())), transpose.getPermutation());
  Type element = integer::storageOf(cast<RankedTensorType>(value.getType()).getElementType());
  return {transpose.getInput(), MemRefType::get(shape, element, StridedLayoutAttr::get(b.getContext(), 0, strides))};
}

/// Whether one set of weights serves all batches.
static bool isShared(integer::MatmulOp op) { return shapeOf(op.getRhs()).size() == 2; }

Value OperandBuilder::lhsOf(integer::MatmulOp op) {
  Value lhs = isShared(op) ? op.getLhs() : viewOf(op.getLhs()).value;
  return entersSigned(config, op) ? toSigned(lhs) : lhs;
}

/// Weights [K, N], whichever way they are stored, with rows for the DMA. Those of few bits lie packed.
DramOperand OperandBuilder::weightsOf(integer::MatmulOp op, const Tensor &values, int64_t &bits) {
  Tensor matrices = values;
  const size_t rank = values.shape().size();
  if (op.getTransposeRhs()) {
    auto permutation = llvm::to_vector(llvm::seq<int64_t>(0, static_cast<int64_t>(rank)));
    std::swap(permutation[rank - 1], permutation[rank - 2]);
    matrices = vitq::transposed(matrices, permutation);
  }
  bits = bitsOf(values);
  const bool packed = packsWeights(config, bits);
  SmallVector<int64_t> stored(matrices.shape());
  stored.back() = storedColumns(config, stored.back(), packed);
  Tensor turned = padded(matrices, SmallVector<int64_t>(rank, 0), stored, /*padding=*/0);
  Type element = getElementTypeOrSelf(op.getRhs().getType());
  // The launch says by the type how many planes there are.
  if (config.planesOf(bits) < config.planesOf(element.getIntOrFloatBitWidth()))
    element = b.getIntegerType(bits);
  Value weights = createConstant(b, op.getRhs().getLoc(), RankedTensorType::get(stored, element), turned, "weights");
  return {weights, packed ? MemRefType::get(stored, b.getIntegerType(config.bits)) : dense(stored, weights)};
}

DramOperand OperandBuilder::rhsOf(integer::MatmulOp op, bool &transposed, int64_t &bits) {
  Value rhs = op.getRhs();
  if (FailureOr<Tensor> values = getIntTensor(rhs); succeeded(values)) {
    transposed = false;
    return weightsOf(op, *values, bits);
  }
  bits = integer::codeOf(rhs).bits;
  transposed = op.getTransposeRhs();
  ArrayRef<int64_t> shape = shapeOf(rhs);
  const size_t rank = shape.size();
  SmallVector<int64_t> swapped(shape);
  std::swap(swapped[rank - 1], swapped[rank - 2]);
  if (transposed && config.dataflow == simulator::Dataflow::OutputStationary) {
    // The right operand streams in rows of K there.
    SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(0, static_cast<int64_t>(rank)));
    std::swap(permutation[rank - 1], permutation[rank - 2]);
    auto type = cast<RankedTensorType>(rhs.getType()).clone(swapped);
    added.push_back({op.getLoc(), integer::TransposeOp::getOperationName(), "right operands stream in rows of K"});
    rhs = integer::TransposeOp::create(b, op.getLoc(), type, rhs, permutation);
    transposed = false;
    return {rhs, dense(swapped, rhs)};
  }
  return viewOf(rhs);
}

/// bias + correction * sum_k rhs, of shape [.., 1, n]; null if both are zero.
DramOperand OperandBuilder::biasOf(integer::MatmulOp op, int64_t correction, Value rhs, bool rhsTransposed) {
  Location loc = op.getLoc();
  Value bias = op.getBias();
  const int64_t n = shapeOf(op.getResult()).back();
  FailureOr<std::vector<int64_t>> given = bias ? getIntConstant(bias) : std::vector<int64_t>(n, 0);
  ArrayRef<int64_t> shape = shapeOf(rhs);
  FailureOr<Tensor> weights;
  if (correction != 0)
    weights = getIntTensor(rhs);
  if (succeeded(given) && (correction == 0 || (succeeded(weights) && shape.size() == 2))) {
    if (succeeded(weights)) {
      const int64_t k = weights->numElements() / n;
      for (int64_t i = 0; i < k; ++i)
        for (int64_t j = 0; j < n; ++j)
          (*given)[j] += correction * weights->intAt(rhsTransposed ? j * k + i : i * n + j);
    }
    if (llvm::all_of(*given, [](int64_t value) { return value == 0; }))
      return {};
    auto type = RankedTensorType::get({1, n}, b.getI32Type());
    Value folded = createIntConstant(b, loc, type, *given, "bias");
    return {folded, dense({1, n}, folded)};
  }
  if (correction == 0)
    return {bias, dense({1, n}, bias)};
  // A product of one row: correction * sum over K, which the host computes.
  SmallVector<int64_t> rowShape(shape), sumShape(shape);
  const int64_t k = rhsTransposed ? shape.back() : shape[shape.size() - 2];
  rowShape[shape.size() - 2] = sumShape[shape.size() - 2] = 1;
  rowShape.back() = k;
  sumShape.back() = n;
  auto rowType = RankedTensorType::get(rowShape, correction < numerics::Code().min() ? b.getI16Type() : b.getI8Type());
  SmallVector<int64_t> ones(computeProduct(rowShape), correction);
  Value row = createIntConstant(b, loc, rowType, ones, "correction");
  added.push_back(
      {loc, integer::MatmulOp::getOperationName(), "what the zero point, or half the range less, adds to each column"});
  Value sums =
      integer::MatmulOp::create(b, loc, RankedTensorType::get(sumShape, b.getI32Type()), row, rhs, bias,
                                integer::CodeAttr::get(b.getContext(), correction > 0, /*zero=*/0), rhsTransposed);
  return {sums, dense(sumShape, sums)};
}

Product OperandBuilder::build(integer::MatmulOp op, SmallVectorImpl<DramOperand> &operands) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(op);
  const bool shared = isShared(op);
  Product result;
  // With one set of weights the rows of all batches are those of one product.
  Value left = op.getLhs();
  const DramOperand lhs =
      shared ? DramOperand{left, dense({computeProduct(shapeOf(left).drop_back()), shapeOf(left).back()}, left)}
             : viewOf(left);
  DramOperand rhs = rhsOf(op, result.transposeRhs, result.rhsBits);
  // (q - z) = (q - offset) + (offset - z), where codes enter less `offset`.
  const int64_t offset = entersSigned(config, op) ? lhsCodeOf(op).count() / 2 : 0;
  const int64_t correction = offset - static_cast<int64_t>(op.getLhsCode().getZero());
  // The original operand: a view may have other strides than the host's product wants.
  Value plainRhs = op.getRhs();
  DramOperand bias = biasOf(op, correction, plainRhs, op.getTransposeRhs());
  ArrayRef<int64_t> shape = shapeOf(op.getResult());
  result.n = shape.back();
  result.k = shapeOf(op.getLhs()).back();
  result.m = shared ? computeProduct(shape.drop_back()) : shape[shape.size() - 2];
  if (!shared)
    result.batch.append(shape.begin(), shape.end() - 2);
  const numerics::Code code = lhsCodeOf(op);
  result.lhsBits = code.bits;
  // Planes of few bits have the sign of their codes.
  result.lhsUnsigned = code.isUnsigned && !entersSigned(config, op) &&
                       (code.bits == 8 || config.planesOf(code.bits) < config.planesOf(8));
  result.lhs = lhs.type;
  result.rhs = rhs.type;
  operands.append({lhs, rhs});
  if (bias.value) {
    result.bias = bias.type;
    operands.push_back(bias);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Patches
//===----------------------------------------------------------------------===//

/// The shape of the map that `op` cuts, with its border.
static SmallVector<int64_t> borderedShape(integer::ExtractPatchesOp op) {
  SmallVector<int64_t> map(shapeOf(op.getInput()));
  const vit::Windows windows = op.getWindows();
  map[1] += windows.pads[0] + windows.pads[2];
  map[2] += windows.pads[1] + windows.pads[3];
  return map;
}

std::optional<Product> OperandBuilder::readingMap(const Product &product, integer::MatmulOp op) {
  auto patches = op.getLhs().getDefiningOp<integer::ExtractPatchesOp>();
  if (!patches || !isShared(op) || product.transposeRhs)
    return std::nullopt;
  Product result = product;
  result.patches = true;
  result.lhs = patchesView(borderedShape(patches), patches.getWindows(), product.lhs.getElementType());
  return result;
}

int64_t OperandBuilder::borderBytes(integer::MatmulOp op) {
  auto patches = op.getLhs().getDefiningOp<integer::ExtractPatchesOp>();
  return patches.getWindows().isPadded() ? computeProduct(borderedShape(patches)) : 0;
}

Value OperandBuilder::mapOf(integer::MatmulOp op) {
  auto patches = op.getLhs().getDefiningOp<integer::ExtractPatchesOp>();
  const bool lessHalf = entersSigned(config, op);
  Value map = lessHalf ? toSigned(patches.getInput()) : patches.getInput();
  return patches.getWindows().isPadded() ? bordered(patches, map, lessHalf) : map;
}

/// `map` with the border that windows see: one code, or one for each channel.
Value OperandBuilder::bordered(integer::ExtractPatchesOp patches, Value map, bool lessHalf) {
  Location loc = patches.getLoc();
  const vit::Windows windows = patches.getWindows();
  auto type = cast<RankedTensorType>(map.getType());
  SmallVector<int64_t> codes;
  for (int64_t channel = 0; channel < type.getShape()[3]; ++channel) {
    const int64_t code = patches.paddingOf(channel);
    codes.push_back(lessHalf ? numerics::readCode(code, 8, /*isUnsigned=*/true) - 128 : code);
  }
  added.push_back({loc, integer::PadOp::getOperationName(), "the border of the map whose patches the array reads"});
  SmallVector<int64_t> whole = borderedShape(patches);
  if (llvm::all_equal(codes))
    return integer::PadOp::create(b, loc, type.clone(whole), map, {0, windows.pads[0], windows.pads[1], 0},
                                  {0, windows.pads[2], windows.pads[3], 0}, codes.front());
  added.back().op = integer::ConcatOp::getOperationName();
  const unsigned bits = type.getElementTypeBitWidth();
  // Left and right of the map, then above and below.
  for (int axis : {2, 1}) {
    SmallVector<int64_t> shape(shapeOf(map));
    auto side = [&](int64_t thickness) {
      shape[axis] = thickness;
      SmallVector<int64_t> values;
      for (int64_t i = 0, count = computeProduct(shape); i < count; ++i)
        values.push_back(numerics::readCode(codes[i % shape[3]], bits, /*isUnsigned=*/false));
      return createIntConstant(b, loc, type.clone(shape), values, "border");
    };
    SmallVector<Value> parts = {map};
    if (const int64_t low = windows.pads[axis - 1])
      parts.insert(parts.begin(), side(low));
    if (const int64_t high = windows.pads[axis + 1])
      parts.push_back(side(high));
    shape[axis] = whole[axis];
    if (parts.size() > 1)
      map = integer::ConcatOp::create(b, loc, type.clone(shape), parts, axis);
  }
  return map;
}
