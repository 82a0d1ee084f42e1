//===- QuantizedEngine.cpp - vit ops on quantized tensors -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Engine.h"
#include "Moves.h"
#include "QuantizedType.h"
#include "RowMatmul.h"

#include "dialects/vit/Vit.h"
#include "vitq/Numerics/Quantize.h"

#include "mlir/Dialect/Quant/IR/Quant.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::interp;
using numerics::Rounding;

namespace {

class QuantizedEngine final : public Engine {
public:
  explicit QuantizedEngine(bool useDouble)
      : floatKind(useDouble ? ElementKind::F64 : ElementKind::F32), real(createFloatEngine(/*useDouble=*/true)) {}

  Kernel compile(Operation *op) const override;

private:
  Kernel compileReal(Operation *op) const;
  Kernel makeQuantize(vit::QuantizeOp op) const;
  Kernel makeContraction(Operation *op) const;
  Kernel makeConvolution(vit::Conv2dOp op) const;
  Kernel makeNumerator(vit::SoftmaxNumeratorOp op) const;
  Kernel makeAdd(vit::AddOp op) const;

  ElementKind floatKind;
  std::unique_ptr<Engine> real;
};

} // namespace

static RankedTensorType tensorType(Value value) { return cast<RankedTensorType>(value.getType()); }

static bool isQuantized(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && isa<quant::QuantizedType>(type.getElementType());
}

//===----------------------------------------------------------------------===//
// Codes and reals
//===----------------------------------------------------------------------===//

std::optional<QuantizedType> QuantizedType::get(RankedTensorType type) {
  auto base = dyn_cast<quant::QuantizedType>(type.getElementType());
  QuantizedType result;
  if (auto uniform = dyn_cast_or_null<quant::UniformQuantizedType>(base)) {
    result.scales = {uniform.getScale()};
    result.zeroPoints = {uniform.getZeroPoint()};
  } else if (auto perAxis = dyn_cast_or_null<quant::UniformQuantizedPerAxisType>(base)) {
    result.scales.assign(perAxis.getScales().begin(), perAxis.getScales().end());
    result.zeroPoints.assign(perAxis.getZeroPoints().begin(), perAxis.getZeroPoints().end());
    result.inner = productOf(type.getShape().drop_front(perAxis.getQuantizedDimension() + 1));
  } else {
    return std::nullopt;
  }
  result.min = base.getStorageTypeMin();
  result.max = base.getStorageTypeMax();
  return result;
}

Tensor QuantizedType::dequantize(const Tensor &codes) const {
  Tensor result = Tensor::allocate(ElementKind::F64, codes.shape());
  double *to = result.mutableData<double>();
  const int32_t *from = codes.data<int32_t>();
  for (int64_t i = 0, e = codes.numElements(); i < e; ++i) {
    size_t channel = channelOf(i);
    to[i] = numerics::dequantize(from[i], scales[channel], zeroPoints[channel]);
  }
  return result;
}

Tensor QuantizedType::quantize(const Tensor &reals, Rounding rounding) const {
  Tensor values = convertFloat(reals, ElementKind::F64);
  Tensor result = Tensor::allocate(ElementKind::I32, values.shape());
  int32_t *to = result.mutableData<int32_t>();
  const double *from = values.data<double>();
  for (int64_t i = 0, e = values.numElements(); i < e; ++i) {
    size_t channel = channelOf(i);
    to[i] =
        static_cast<int32_t>(numerics::quantizeReal(from[i], scales[channel], zeroPoints[channel], min, max, rounding));
  }
  return result;
}

Tensor QuantizedType::centered(const Tensor &codes) const {
  if (llvm::all_of(zeroPoints, [](int64_t z) { return z == 0; }))
    return codes;
  Tensor result = Tensor::allocate(ElementKind::I32, codes.shape());
  for (auto [i, code] : llvm::enumerate(codes.values<int32_t>()))
    result.mutableData<int32_t>()[i] = static_cast<int32_t>(code - zeroPoints[channelOf(i)]);
  return result;
}

//===----------------------------------------------------------------------===//
// The general rule: dequantize, real function, quantize
//===----------------------------------------------------------------------===//

/// Quantized types of values; one that is not quantized has none.
static SmallVector<std::optional<QuantizedType>> typesOf(ValueRange values) {
  return llvm::map_to_vector(values, [](Value value) { return QuantizedType::get(tensorType(value)); });
}

/// How codes of the result are rounded.
static Rounding roundingOf(Operation *op) {
  auto rounding = op->getAttrOfType<vit::RoundingAttr>("rounding");
  return rounding && rounding.getValue() == vit::Rounding::HalfEven ? Rounding::HalfEven : Rounding::HalfUp;
}

Kernel QuantizedEngine::compileReal(Operation *op) const {
  Rounding rounding = roundingOf(op);
  Kernel function = real->compile(op);
  if (!function)
    return {};
  auto operandTypes = typesOf(op->getOperands()), resultTypes = typesOf(op->getResults());
  ElementKind kind = floatKind;
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) -> LogicalResult {
    SmallVector<Tensor, 4> reals;
    for (auto [tensor, type] : llvm::zip_equal(in, operandTypes))
      reals.push_back(type ? type->dequantize(tensor) : convertFloat(tensor, ElementKind::F64));
    if (failed(function(reals, out)))
      return failure();
    for (auto [tensor, type] : llvm::zip_equal(out, resultTypes))
      tensor = type ? type->quantize(tensor, rounding) : convertFloat(tensor, kind);
    return success();
  };
}

//===----------------------------------------------------------------------===//
// Ops with their own rule
//===----------------------------------------------------------------------===//

Kernel QuantizedEngine::makeQuantize(vit::QuantizeOp op) const {
  QuantizedType type = *QuantizedType::get(tensorType(op.getResult()));
  Rounding rounding = op.getRounding() == vit::Rounding::HalfUp ? Rounding::HalfUp : Rounding::HalfEven;
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = type.quantize(in[0], rounding);
    return success();
  };
}

static Kernel makeDequantize(vit::DequantizeOp op, ElementKind kind) {
  QuantizedType type = *QuantizedType::get(tensorType(op.getInput()));
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = convertFloat(type.dequantize(in[0]), kind);
    return success();
  };
}

namespace {
/// A contraction as batches of row products.
struct Contraction {
  int64_t batches = 1, m = 1, n = 1, k = 1;
  /// The axes of rhs that make its rows contiguous, empty if they are.
  SmallVector<int64_t> rhsPermutation;
  /// The patch of a patch embedding.
  SmallVector<int64_t, 2> patch;
  bool channelsLast = false;
};
} // namespace

static Contraction describe(Operation *op) {
  Contraction c;
  ArrayRef<int64_t> lhs = shapeOfValue(op->getOperand(0)), rhs = shapeOfValue(op->getOperand(1));
  ArrayRef<int64_t> result = shapeOfValue(op->getResult(0));
  c.n = result.back();
  c.k = lhs.back();
  if (auto matmul = dyn_cast<vit::MatmulOp>(op)) {
    c.m = result[result.size() - 2];
    c.batches = productOf(result.drop_back(2));
    if (!matmul.getTransposeRhs()) {
      c.rhsPermutation = llvm::to_vector(llvm::seq<int64_t>(0, rhs.size()));
      std::swap(c.rhsPermutation.back(), c.rhsPermutation[rhs.size() - 2]);
    }
    return c;
  }
  c.m = productOf(result.drop_back());
  if (auto embed = dyn_cast<vit::PatchEmbedOp>(op)) {
    c.patch = {rhs[2], rhs[3]};
    c.k = productOf(rhs.drop_front());
    c.channelsLast = embed.getChannelsLast();
  }
  return c;
}

Kernel QuantizedEngine::makeContraction(Operation *op) const {
  Contraction c = describe(op);
  auto types = typesOf(op->getOperands());
  if (!types[0] || !types[1] || !isQuantized(op->getResult(0)))
    return {};
  ArrayRef<int64_t> shape = shapeOfValue(op->getResult(0));
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) -> LogicalResult {
    Tensor lhs = types[0]->centered(in[0]), rhs = types[1]->centered(in[1]), bias;
    if (!c.patch.empty())
      lhs = patchRows(lhs, c.patch[0], c.patch[1], c.channelsLast, /*channelOrder=*/true);
    if (!c.rhsPermutation.empty())
      rhs = transposed(rhs, c.rhsPermutation);
    if (in.size() > 2)
      bias = types[2] ? types[2]->centered(in[2]) : in[2];
    out[0] = Tensor::allocate(ElementKind::I32, shape);
    bool fits = true;
    for (int64_t b = 0; b < c.batches; ++b)
      fits &= multiplyExactly({lhs.data<int32_t>() + b * c.m * c.k, size_t(c.m * c.k)},
                              {rhs.data<int32_t>() + b * c.n * c.k, size_t(c.n * c.k)},
                              bias.empty() ? ArrayRef<int32_t>() : bias.values<int32_t>(),
                              out[0].mutableData<int32_t>() + b * c.m * c.n, c.m, c.n, c.k);
    if (!fits)
      return op->emitOpError("has an accumulator that does not fit 32 bits for this input");
    return success();
  };
}

/// The sum is that of the codes.
/// Group by group, on codes less their zero point; outside of the map stands 0, or the code of the padding.
Kernel QuantizedEngine::makeConvolution(vit::Conv2dOp op) const {
  auto types = typesOf(op->getOperands());
  if (!types[0] || !types[1] || !isQuantized(op.getResult()))
    return {};
  ArrayRef<int64_t> shape = shapeOfValue(op.getResult()), weight = shapeOfValue(op.getWeight());
  const vit::Windows windows = op.getWindows();
  const auto groups = static_cast<int64_t>(op.getGroups());
  const int64_t outputs = weight[0] / groups, channels = weight[1], depth = productOf(weight.drop_front());
  SmallVector<int64_t> outside(channels * groups, 0);
  if (auto padding = op.getPadding())
    for (auto [c, value] : llvm::enumerate(*padding)) {
      const size_t channel = types[0]->scales.size() == 1 ? 0 : c;
      outside[c] = numerics::quantizeReal(value, types[0]->scales[channel], types[0]->zeroPoints[channel],
                                          types[0]->min, types[0]->max, Rounding::HalfUp) -
                   types[0]->zeroPoints[channel];
    }
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) -> LogicalResult {
    vit::Conv2dOp conv = op;
    Tensor map = types[0]->centered(in[0]), kernel = types[1]->centered(in[1]), bias;
    if (in.size() > 2)
      bias = types[2] ? types[2]->centered(in[2]) : in[2];
    out[0] = Tensor::allocate(ElementKind::I32, shape);
    bool fits = true;
    for (int64_t group = 0; group < groups; ++group) {
      Tensor rows = windowRows(map, windows, group * channels, channels, /*channelOrder=*/true,
                               [&](int64_t c) { return outside[c]; });
      const int64_t count = rows.shape()[0];
      std::vector<int32_t> sums(count * outputs);
      fits &= multiplyExactly(
          rows.values<int32_t>(), {kernel.data<int32_t>() + group * outputs * depth, size_t(outputs * depth)},
          bias.empty() ? ArrayRef<int32_t>() : ArrayRef<int32_t>(bias.data<int32_t>() + group * outputs, outputs),
          sums.data(), count, outputs, depth);
      int32_t *to = out[0].mutableData<int32_t>() + group * outputs;
      for (int64_t i = 0; i < count; ++i, to += shape[3])
        llvm::copy(ArrayRef(sums).slice(i * outputs, outputs), to);
    }
    if (!fits)
      return conv.emitOpError("has an accumulator that does not fit 32 bits for this input");
    return success();
  };
}

Kernel QuantizedEngine::makeNumerator(vit::SoftmaxNumeratorOp op) const {
  Kernel function = real->compile(op);
  std::optional<QuantizedType> input = QuantizedType::get(tensorType(op.getInput()));
  std::optional<QuantizedType> numerator = QuantizedType::get(tensorType(op.getNumerator()));
  if (!numerator || !isQuantized(op.getSum()))
    return compileReal(op);
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) -> LogicalResult {
    Tensor reals = input ? input->dequantize(in[0]) : convertFloat(in[0], ElementKind::F64);
    if (failed(function({reals}, out)))
      return failure();
    out[0] = numerator->quantize(out[0], Rounding::HalfUp);
    Tensor sums = Tensor::allocate(ElementKind::I32, out[1].shape());
    int64_t n = out[0].shape().back();
    for (int64_t row = 0, e = sums.numElements(); row < e; ++row) {
      int64_t sum = 0;
      for (int32_t code : out[0].values<int32_t>().slice(row * n, n))
        sum += code;
      sums.mutableData<int32_t>()[row] = static_cast<int32_t>(numerics::saturateInt32(sum));
    }
    out[1] = sums;
    return success();
  };
}

/// Each operand is brought to the result's scale and rounded by itself.
Kernel QuantizedEngine::makeAdd(vit::AddOp op) const {
  std::optional<QuantizedType> type = QuantizedType::get(tensorType(op.getResult()));
  if (!type)
    return compileReal(op);
  auto types = typesOf(op->getOperands());
  ArrayRef<int64_t> shape = shapeOfValue(op.getResult());
  Rounding rounding = roundingOf(op);
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    Tensor reals[2];
    for (size_t i = 0; i < 2; ++i)
      reals[i] = broadcastTo(types[i] ? types[i]->dequantize(in[i]) : convertFloat(in[i], ElementKind::F64), shape);
    out[0] = Tensor::allocate(ElementKind::I32, shape);
    constexpr int64_t limit = int64_t(1) << 40;
    for (int64_t i = 0, e = out[0].numElements(); i < e; ++i) {
      size_t channel = type->channelOf(i);
      int64_t sum = type->zeroPoints[channel];
      for (const Tensor &operand : reals)
        sum += numerics::quantizeReal(operand.data<double>()[i], type->scales[channel], 0, -limit, limit, rounding);
      out[0].mutableData<int32_t>()[i] = static_cast<int32_t>(std::clamp(sum, type->min, type->max));
    }
    return success();
  };
}

//===----------------------------------------------------------------------===//
// Storage casts
//===----------------------------------------------------------------------===//

/// Integers to codes and back: a change of width.
static Kernel makeStorageCast(quant::StorageCastOp op) {
  auto inputType = dyn_cast<RankedTensorType>(op.getInput().getType());
  auto resultType = dyn_cast<RankedTensorType>(op.getResult().getType());
  if (!inputType || !resultType)
    return {};
  if (isQuantized(op.getInput())) {
    unsigned width = resultType.getElementTypeBitWidth();
    if (width != 8 && width != 16 && width != 32)
      return {};
    ElementKind kind = width == 8 ? ElementKind::I8 : width == 16 ? ElementKind::I16 : ElementKind::I32;
    return [kind](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
      out[0] = narrowCodes(in[0], kind);
      return success();
    };
  }
  bool isSigned = cast<quant::QuantizedType>(resultType.getElementType()).isSigned();
  return [isSigned](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = widenCodes(in[0], isSigned);
    return success();
  };
}

Tensor interp::widenCodes(const Tensor &input, bool isSigned) {
  if (input.kind() == ElementKind::I32)
    return input;
  Tensor codes = Tensor::allocate(ElementKind::I32, input.shape());
  auto copy = [&](auto zero) { llvm::copy(input.values<decltype(zero)>(), codes.mutableData<int32_t>()); };
  if (input.kind() == ElementKind::I8)
    isSigned ? copy(int8_t(0)) : copy(uint8_t(0));
  else
    isSigned ? copy(int16_t(0)) : copy(uint16_t(0));
  return codes;
}

Tensor interp::narrowCodes(const Tensor &codes, ElementKind kind) {
  if (kind == ElementKind::I32)
    return codes;
  Tensor result = Tensor::allocate(kind, codes.shape());
  auto copy = [&](auto zero) {
    using T = decltype(zero);
    llvm::transform(codes.values<int32_t>(), result.mutableData<T>(),
                    [](int32_t code) { return static_cast<T>(code); });
  };
  kind == ElementKind::I8 ? copy(int8_t(0)) : copy(int16_t(0));
  return result;
}

//===----------------------------------------------------------------------===//
// Dispatch
//===----------------------------------------------------------------------===//

/// Moves of codes of one per-tensor type stay among the codes.
static Kernel compileCodeMove(Operation *op) {
  if (op->getNumResults() != 1)
    return {};
  auto type = dyn_cast<quant::UniformQuantizedType>(tensorType(op->getResult(0)).getElementType());
  if (!type || !llvm::all_of(op->getOperands(), [&](Value v) { return tensorType(v).getElementType() == type; }))
    return {};
  return compileMove(op, type.getZeroPoint());
}

/// Whether every value has a type this engine can hold.
static bool isSupported(Operation *op) {
  auto known = [](Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return type && type.hasStaticShape() && (!isQuantized(value) || QuantizedType::get(type));
  };
  return llvm::all_of(op->getOperands(), known) && llvm::all_of(op->getResults(), known);
}

Kernel QuantizedEngine::compile(Operation *op) const {
  bool any = llvm::any_of(op->getOperands(), isQuantized) || llvm::any_of(op->getResults(), isQuantized);
  if (!any || !isSupported(op))
    return {};
  if (auto cast = dyn_cast<quant::StorageCastOp>(op))
    return makeStorageCast(cast);
  if (!isa_and_nonnull<vit::VitDialect>(op->getDialect()))
    return {};
  if (Kernel move = compileCodeMove(op))
    return move;
  return TypeSwitch<Operation *, Kernel>(op)
      .Case([&](vit::QuantizeOp op) { return makeQuantize(op); })
      .Case([&](vit::DequantizeOp op) { return makeDequantize(op, floatKind); })
      .Case<vit::LinearOp, vit::MatmulOp, vit::PatchEmbedOp>([&](auto op) { return makeContraction(op); })
      .Case([&](vit::Conv2dOp op) { return makeConvolution(op); })
      .Case([&](vit::SoftmaxNumeratorOp op) { return makeNumerator(op); })
      .Case([&](vit::AddOp op) { return makeAdd(op); })
      .Default([&](Operation *op) { return compileReal(op); });
}

std::unique_ptr<Engine> interp::createQuantizedEngine(bool useDouble) {
  return std::make_unique<QuantizedEngine>(useDouble);
}
