//===- ImportQuantized.cpp - Operators of quantized models -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Codes of the image's data are a vit.quantize and, at once, the vit.dequantize behind it:
// an ONNX value of integers is imported as the reals that it stands for, and remembers its
// type. So every other operator meets reals, and a DequantizeLinear costs nothing.
// Operators on codes (QLinear...) are their real function between such casts.

#include "ConstantCodes.h"
#include "Importer.h"

#include "vitq/Numerics/Quantize.h"
#include "vitq/Support/Constants.h"

#include <cassert>
#include <cmath>

using namespace mlir;
using namespace vitq;
using namespace vitq::frontend;

//===----------------------------------------------------------------------===//
// Grids
//===----------------------------------------------------------------------===//

Type vitq::frontend::quantizedType(MLIRContext *context, const Grid &grid) {
  const unsigned flags = grid.isSigned ? quant::QuantizationFlags::Signed : 0;
  // A code below 8 bits takes a byte (weights), unless it is as wide as its type.
  Type storage = IntegerType::get(context, std::max(grid.bits, 8u)), expressed = Float32Type::get(context);
  if (grid.isPerTensor())
    return quant::UniformQuantizedType::get(flags, storage, expressed, grid.scales.front(), grid.zeroPoints.front(),
                                            grid.min(), grid.max());
  return quant::UniformQuantizedPerAxisType::get(flags, storage, expressed, grid.scales, grid.zeroPoints,
                                                 static_cast<int32_t>(grid.axis), grid.min(), grid.max());
}

bool vitq::frontend::areNumbers(Type codes) {
  auto type = dyn_cast_or_null<quant::UniformQuantizedType>(codes);
  return type && !type.isSigned() && type.getScale() == 1.0 && type.getZeroPoint() == 0;
}

/// Bits and sign of codes of an ONNX type.
bool vitq::frontend::setCode(Grid &grid, DType type) {
  switch (type) {
  case DType::I4:
  case DType::U4:
    grid.bits = 4;
    break;
  case DType::I8:
  case DType::U8:
    grid.bits = 8;
    break;
  case DType::I16:
  case DType::U16:
    grid.bits = 16;
    break;
  case DType::I32:
    grid.bits = 32;
    break;
  default:
    return false;
  }
  grid.isSigned = !isUnsigned(type);
  return true;
}

/// The ONNX type of codes.
static DType typeOf(unsigned bits, bool isSigned) {
  if (bits > 8)
    return isSigned ? DType::I16 : DType::U16;
  if (bits > 4)
    return isSigned ? DType::I8 : DType::U8;
  return isSigned ? DType::I4 : DType::U4;
}

/// Scales of a quantization: positive, normal as 32-bit floats.
static LogicalResult readScales(NodeImporter &n, size_t input, Grid &grid) {
  const ConstantPtr &scales = n.input(input).constant;
  if (!scales)
    return n.error() << "the scale is no constant; export the model with static quantization";
  if (!isFloat(scales->dtype) || scales->size() == 0)
    return n.error() << "the scale must be floats";
  grid.scales.clear();
  for (int64_t i = 0, e = scales->size(); i < e; ++i) {
    const double scale = scales->getDouble(i);
    if (!std::isfinite(scale) || scale < 0x1p-126)
      return n.error() << "scale " << scale << " is not positive, or too small for a 32-bit float";
    grid.scales.push_back(scale);
  }
  return success();
}

/// The grid that inputs `scale` and `zero` give, for codes of `shape`. `type` is the code's
/// type where there is no zero point; `given` that of the codes, where known. With `sharesZero` one zero point may be
/// that of all scales.
static FailureOr<Grid> readGrid(NodeImporter &n, size_t scale, size_t zero, ArrayRef<int64_t> shape, int64_t axis,
                                DType type, std::optional<DType> given = std::nullopt, bool sharesZero = false) {
  Grid grid;
  if (failed(readScales(n, scale, grid)))
    return failure();
  const size_t count = grid.scales.size();
  grid.zeroPoints.assign(count, 0);
  if (n.has(zero)) {
    const ConstantPtr &zeros = n.input(zero).constant;
    const bool isShared = sharesZero && zeros && zeros->size() == 1;
    if (!zeros || isFloat(zeros->dtype) || (static_cast<size_t>(zeros->size()) != count && !isShared))
      return n.error() << "the zero point must be one constant integer for each scale";
    type = zeros->dtype;
    for (size_t i = 0; i < count; ++i)
      grid.zeroPoints[i] = zeros->getInt(isShared ? 0 : i);
  }
  if (given && *given != type && n.has(zero))
    return n.error() << "the zero point is " << stringify(type) << ", the codes are " << stringify(*given);
  if (!setCode(grid, given.value_or(type)))
    return n.error() << "codes of type " << stringify(given.value_or(type)) << " are not supported";
  if (grid.bits == 32 && llvm::any_of(grid.zeroPoints, [](int64_t z) { return z != 0; }))
    return n.error() << "codes of 32 bits must have zero point 0";
  if (n.input(scale).rank() > 1)
    return n.error() << "has scales in blocks, which are not supported; quantize per tensor or per channel";
  if (count == 1 && (n.input(scale).rank() == 0 || shape.empty() || axis < 0 ||
                     axis >= static_cast<int64_t>(shape.size()) || shape[axis] != 1))
    return grid;
  // A vector has one axis, whatever the attribute (or its default) says.
  FailureOr<int64_t> normal = shape.size() == 1 ? FailureOr<int64_t>(0) : n.axis(axis, shape.size());
  if (failed(normal))
    return failure();
  if (shape[*normal] != static_cast<int64_t>(count))
    return n.error() << "has " << count << " scales for an axis of " << shape[*normal];
  grid.axis = *normal;
  return grid;
}

//===----------------------------------------------------------------------===//
// Casts
//===----------------------------------------------------------------------===//

/// Reals as codes.
static MaybeImported quantized(NodeImporter &n, const Imported &input, const Grid &grid) {
  if (grid.bits > 16)
    return n.error() << "codes of " << grid.bits << " bits are for biases only";
  if (const ConstantPtr &reals = input.constant) {
    if (!isFloat(reals->dtype))
      return n.error() << "expects floats";
    ConstantCodes codes{grid, Tensor::allocate(grid.bits > 8 ? ElementKind::I16 : ElementKind::I8, reals->shape())};
    for (int64_t i = 0, e = reals->size(); i < e; ++i) {
      const size_t channel = codes.channelOf(i);
      // As onnxruntime does: the quotient has 32 bits.
      const float quotient = static_cast<float>(reals->getDouble(i)) / static_cast<float>(grid.scales[channel]);
      codes.codes.setInt(i, numerics::quantizeReal(quotient, 1.0, grid.zeroPoints[channel], grid.min(), grid.max(),
                                                   numerics::Rounding::HalfEven));
    }
    auto result = std::make_shared<OnnxConstant>(typeOf(grid.bits, grid.isSigned), codes.codes.shape(), n.outputName());
    for (int64_t i = 0, e = result->size(); i < e; ++i)
      result->setInt(i, codes.at(i));
    return Imported(ConstantPtr(result));
  }
  if (!input.isFloat() || !input.value)
    return n.error() << "expects floats";
  Type element = quantizedType(n.builder.getContext(), grid);
  auto type = cast<RankedTensorType>(input.value.getType());
  Value codes = vit::QuantizeOp::create(n.builder, n.loc, RankedTensorType::get(type.getShape(), element), input.value,
                                        vit::Rounding::HalfEven);
  Imported result(Value(vit::DequantizeOp::create(n.builder, n.loc, type, codes)));
  result.codes = element;
  return result;
}

/// The reals of codes on `grid`.
MaybeImported vitq::frontend::dequantized(NodeImporter &n, const Imported &input, const Grid &grid) {
  if (const ConstantPtr &codes = input.constant) {
    assert(!isFloat(codes->dtype) && codes->dtype != DType::Bool && "setCode has refused them");
    return Imported(
        dequantizedConstant(std::make_shared<ConstantCodes>(ConstantCodes{grid, codes->elements}), codes->name));
  }
  if (!input.codes)
    return n.error() << "expects codes";
  Type element = quantizedType(n.builder.getContext(), grid);
  if (element == input.codes)
    return Imported(input.value);
  // The same codes, read as others.
  auto from = cast<quant::QuantizedType>(input.codes);
  assert(from.getStorageType() == cast<quant::QuantizedType>(element).getStorageType() &&
         from.isSigned() == cast<quant::QuantizedType>(element).isSigned() && "readGrid has compared the types");
  auto dequantize = input.value.getDefiningOp<vit::DequantizeOp>();
  if (!dequantize && areNumbers(input.codes) && grid.isPerTensor()) {
    FailureOr<Value> zero = n.materialize(NodeImporter::scalar(-static_cast<double>(grid.zeroPoints.front()))),
                     scale = n.materialize(NodeImporter::scalar(grid.scales.front()));
    if (failed(zero) || failed(scale))
      return failure();
    MaybeImported around = n.create<vit::AddOp>({input.value, *zero});
    return failed(around) ? around : n.create<vit::MulOp>({around->value, *scale});
  }
  if (!dequantize)
    return n.error() << "reads moved codes with another scale than they were made with; that is not supported";
  auto type = cast<RankedTensorType>(input.value.getType());
  Value integers = quant::StorageCastOp::create(
      n.builder, n.loc, RankedTensorType::get(type.getShape(), from.getStorageType()), dequantize.getInput());
  Value codes =
      quant::StorageCastOp::create(n.builder, n.loc, RankedTensorType::get(type.getShape(), element), integers);
  return Imported(Value(vit::DequantizeOp::create(n.builder, n.loc, type, codes)));
}

/// The ONNX type of codes.
static std::optional<DType> typeOfCodes(Type codes) {
  auto type = dyn_cast_or_null<quant::QuantizedType>(codes);
  if (!type)
    return std::nullopt;
  const int64_t span = type.getStorageTypeMax() - type.getStorageTypeMin();
  return typeOf(span < 16 ? 4 : span < 256 ? 8 : 16, type.isSigned());
}

MaybeImported vitq::frontend::constantAsCodes(NodeImporter &n, const Imported &constant, Type codes) {
  auto type = dyn_cast<quant::UniformQuantizedType>(codes);
  if (!type || constant.constant->dtype != typeOfCodes(codes))
    return constant;
  Grid grid;
  grid.scales = {type.getScale()};
  grid.zeroPoints = {type.getZeroPoint()};
  setCode(grid, constant.constant->dtype);
  return dequantized(n, constant, grid);
}

MaybeImported vitq::frontend::realInput(NodeImporter &n, size_t i, size_t scale, size_t zero, int64_t axis,
                                        bool sharesZero) {
  const Imported &input = n.input(i);
  const std::optional<DType> type = input.constant ? input.constant->dtype : typeOfCodes(input.codes);
  FailureOr<Grid> grid = readGrid(n, scale, zero, input.shape(), axis, DType::U8, type, sharesZero);
  return failed(grid) ? MaybeImported(failure()) : dequantized(n, input, *grid);
}

/// The codes of `real` that are the node's result.
static LogicalResult setCodes(NodeImporter &n, MaybeImported real, size_t scale, size_t zero) {
  if (failed(real))
    return failure();
  FailureOr<Grid> grid = readGrid(n, scale, zero, real->shape(), 1, DType::U8);
  return failed(grid) ? failure() : n.setOutput(quantized(n, *real, *grid));
}

static LogicalResult importQuantizeLinear(NodeImporter &n) {
  const int64_t wanted = n.intAttr("output_dtype", 0);
  std::optional<DType> type = wanted ? fromOnnxType(wanted) : DType::U8;
  if (!type || !isInteger(*type))
    return n.error() << "output_dtype " << wanted << " is not supported";
  FailureOr<Grid> grid = readGrid(n, 1, 2, n.input(0).shape(), n.intAttr("axis", 1), *type);
  return failed(grid) ? failure() : n.setOutput(quantized(n, n.input(0), *grid));
}

static LogicalResult importDequantizeLinear(NodeImporter &n) {
  return n.setOutput(realInput(n, 0, 1, 2, n.intAttr("axis", 1)));
}

FailureOr<Value> NodeImporter::materializeWeight(const Imported &weight, Value &rest) {
  rest = {};
  const ConstantPtr &tensor = weight.constant;
  if (!tensor || !tensor->codes || tensor->size() == 0)
    return materialize(weight);
  const Grid &grid = tensor->codes->grid;
  if (grid.bits > 8 || grid.axis > 0) {
    emitRemark(loc) << node.opType << ": the codes of weight '" << tensor->name << "' are not kept: "
                    << (grid.bits > 8 ? "they have more than 8 bits" : "their scales vary along the contracted axis")
                    << "; it gets codes of its own";
    return materialize(weight);
  }
  const CenteredCodes own = centered(*tensor->codes);
  Location constantLoc = tensor->name.empty() ? loc : NameLoc::get(builder.getStringAttr(tensor->name));
  auto make = [&](const Tensor &codes, unsigned bits, std::vector<double> scales, StringRef name) -> Value {
    Grid symmetric{std::move(scales), std::vector<int64_t>(own.scales.size(), 0), grid.axis, bits, /*isSigned=*/true};
    Type element = quantizedType(builder.getContext(), symmetric);
    auto storage = RankedTensorType::get(tensor->shape(), cast<quant::QuantizedType>(element).getStorageType());
    Value integers = createConstant(builder, constantLoc, storage, codes, name);
    Value cast =
        quant::StorageCastOp::create(builder, constantLoc, RankedTensorType::get(tensor->shape(), element), integers);
    return vit::DequantizeOp::create(builder, constantLoc, RankedTensorType::get(tensor->shape(), builder.getF32Type()),
                                     cast);
  };
  if (llvm::any_of(own.shifts, [](int64_t shift) { return shift != 0; })) {
    // Rows of one code: the zero point's share of each product.
    Tensor ones = Tensor::allocate(ElementKind::I8, tensor->shape());
    std::vector<double> scales;
    for (auto [scale, shift] : llvm::zip_equal(own.scales, own.shifts))
      scales.push_back(scale * std::max<double>(1, std::abs(static_cast<double>(shift))));
    for (int64_t i = 0, e = ones.numElements(); i < e; ++i) {
      const int64_t shift = own.shifts[tensor->codes->channelOf(i)];
      ones.setInt(i, (shift > 0) - (shift < 0));
    }
    rest = make(ones, 8, std::move(scales), tensor->name + ".zero_point");
  }
  return make(own.codes, own.bits, own.scales, tensor->name);
}

//===----------------------------------------------------------------------===//
// Products of codes
//===----------------------------------------------------------------------===//

/// A bias of 32-bit codes whose scales are those of input times weight.
static MaybeImported biasInput(NodeImporter &n, size_t i, const ConstantPtr &input, const Imported &weight) {
  const ConstantPtr &bias = n.input(i).constant;
  if (!bias || bias->dtype != DType::I32 || bias->shape().size() != 1)
    return n.error() << "the bias must be a constant vector of int32";
  const std::vector<double> &scales = weight.constant->codes->grid.scales;
  if (scales.size() != 1 && scales.size() != static_cast<size_t>(bias->size()))
    return n.error() << "the bias must have an element for each scale of the weight";
  auto reals = std::make_shared<OnnxConstant>(DType::F32, bias->shape(), bias->name);
  for (int64_t c = 0, e = bias->size(); c < e; ++c)
    reals->setDouble(c,
                     static_cast<double>(bias->getInt(c)) * input->getDouble(0) * scales[scales.size() == 1 ? 0 : c]);
  return Imported(ConstantPtr(reals));
}

void vitq::frontend::remarkBiasScale(NodeImporter &n, const Imported &input, const ConstantPtr &weight,
                                     const ConstantPtr &bias) {
  Value source = input.value;
  while (source && vit::isMove(source.getDefiningOp()))
    source = source.getDefiningOp()->getOperand(0);
  auto read = source ? source.getDefiningOp<vit::DequantizeOp>() : vit::DequantizeOp();
  auto type = read ? dyn_cast<quant::UniformQuantizedType>(cast<ShapedType>(read.getInput().getType()).getElementType())
                   : quant::UniformQuantizedType();
  if (!type || !weight || !weight->codes || !bias || !bias->codes || bias->codes->grid.bits != 32)
    return;
  const std::vector<double> &ofWeight = weight->codes->grid.scales, &ofBias = bias->codes->grid.scales;
  for (size_t i = 0, e = std::max(ofWeight.size(), ofBias.size()); i < e; ++i) {
    const double wanted = type.getScale() * ofWeight[i % ofWeight.size()], have = ofBias[i % ofBias.size()];
    if (std::abs(have - wanted) <= 1e-3 * wanted)
      continue;
    emitRemark(n.loc) << n.node.opType << ": the bias '" << bias->name << "' has the scale " << have
                      << " where input and weight give " << wanted << "; it is brought to that";
    return;
  }
}

static LogicalResult importQLinearMatMul(NodeImporter &n) {
  MaybeImported lhs = realInput(n, 0, 1, 2, n.input(0).rank() - 2), rhs = realInput(n, 3, 4, 5, n.input(3).rank() - 1);
  if (failed(lhs) || failed(rhs))
    return failure();
  return setCodes(n, makeMatMul(n, *lhs, *rhs), 6, 7);
}

static LogicalResult importQLinearConv(NodeImporter &n) {
  MaybeImported input = realInput(n, 0, 1, 2), weight = realInput(n, 3, 4, 5, 0), bias = Imported();
  if (failed(input) || failed(weight))
    return failure();
  if (n.has(8)) {
    if (!weight->constant || !n.input(1).constant)
      return n.error() << "the weight must be a constant";
    bias = biasInput(n, 8, n.input(1).constant, *weight);
  }
  return failed(bias) ? failure() : setCodes(n, importConvolution(n, *input, *weight, *bias), 6, 7);
}

/// com.microsoft: Gemm on codes, with a result of codes or floats.
static LogicalResult importQGemm(NodeImporter &n) {
  const bool transA = n.intAttr("transA", 0) != 0, transB = n.intAttr("transB", 0) != 0;
  if (n.input(0).rank() != 2 || n.input(3).rank() != 2)
    return n.error() << "expects matrices";
  MaybeImported input = realInput(n, 0, 1, 2), weight = realInput(n, 3, 4, 5, transB ? 0 : 1);
  if (failed(input) || failed(weight))
    return failure();
  if (!weight->constant)
    return n.error() << "the second matrix must be a constant";
  MaybeImported bias = Imported();
  if (n.has(6)) {
    bias = biasInput(n, 6, n.input(1).constant, *weight);
    if (failed(bias))
      return failure();
  }
  if (transA)
    input = n.transpose(*input, {1, 0});
  if (!transB)
    weight = n.transpose(*weight, {1, 0});
  if (failed(input) || failed(weight))
    return failure();
  if (n.floatAttr("alpha", 1.0) != 1.0)
    return n.error() << "alpha must be 1";
  if (bias->constant && bias->shape()[0] != weight->shape()[0])
    return n.error() << "the bias must have one element for each column";
  MaybeImported result = makeLinear(n, *input, weight->constant, bias->constant);
  return n.has(7) ? setCodes(n, result, 7, 8) : n.setOutput(result);
}

//===----------------------------------------------------------------------===//
// Other operators on codes
//===----------------------------------------------------------------------===//

/// A function of one operand: X, its scale and zero point, scale and zero point of the result.
template <MaybeImported (*Function)(NodeImporter &, const Imported &)>
static LogicalResult importOnCodes(NodeImporter &n) {
  MaybeImported input = realInput(n, 0, 1, 2);
  if (failed(input))
    return failure();
  if (input->constant)
    return n.error() << "is not supported on constants";
  return setCodes(n, Function(n, *input), 3, 4);
}

template <typename OpTy>
static LogicalResult importBinaryOnCodes(NodeImporter &n) {
  MaybeImported lhs = realInput(n, 0, 1, 2), rhs = realInput(n, 3, 4, 5);
  if (failed(lhs) || failed(rhs) || failed(broadcastShapes(n, lhs->shape(), rhs->shape())))
    return failure();
  FailureOr<Value> a = n.materialize(*lhs), b = n.materialize(*rhs);
  if (failed(a) || failed(b))
    return failure();
  return setCodes(n, n.create<OpTy>({*a, *b}), 6, 7);
}

static MaybeImported sigmoidOf(NodeImporter &n, const Imported &input) { return n.create<vit::SigmoidOp>(input.value); }

/// a x + (1 - a) relu(x)
static MaybeImported leakyReluOf(NodeImporter &n, const Imported &input) {
  const double slope = n.floatAttr("alpha", 0.01);
  if (!(slope >= 0 && slope <= 1))
    return n.error() << "alpha " << slope << " is outside 0 to 1";
  FailureOr<Value> below = n.materialize(NodeImporter::scalar(slope)),
                   above = n.materialize(NodeImporter::scalar(1 - slope));
  MaybeImported positive = n.create<vit::ReluOp>(input.value);
  if (failed(below) || failed(above) || failed(positive))
    return failure();
  MaybeImported lhs = n.create<vit::MulOp>({input.value, *below}),
                rhs = n.create<vit::MulOp>({positive->value, *above});
  if (failed(lhs) || failed(rhs))
    return failure();
  return n.create<vit::AddOp>({lhs->value, rhs->value});
}

static MaybeImported softmaxOf(NodeImporter &n, const Imported &input) {
  FailureOr<int64_t> axis = n.axis(n.intAttr("axis", -1), input.rank());
  if (failed(axis))
    return failure();
  if (*axis != input.rank() - 1)
    return n.error() << "only softmax over the last axis is supported";
  return n.create<vit::SoftmaxOp>(input.value);
}

static MaybeImported meanOf(NodeImporter &n, const Imported &input, Shape axes, bool keepDims) {
  llvm::sort(axes);
  SmallVector<NamedAttribute> attributes{n.i64s("axes", axes)};
  if (keepDims)
    attributes.push_back(n.builder.getNamedAttr("keep_dims", n.builder.getUnitAttr()));
  return n.create<vit::MeanOp>(input.value, attributes);
}

static MaybeImported globalAverageOf(NodeImporter &n, const Imported &input) {
  if (input.rank() < 3)
    return n.error() << "expects rank 3 or more";
  const bool last = n.intAttr("channels_last", 0) != 0;
  return meanOf(n, input, last ? range(1, input.rank() - 1) : range(2, input.rank()), true);
}

static MaybeImported reduceMeanOf(NodeImporter &n, const Imported &input) {
  Shape axes = n.intsAttr("axes").value_or(range(0, input.rank()));
  llvm::SmallBitVector seen(input.rank());
  for (int64_t &entry : axes) {
    FailureOr<int64_t> normal = n.axis(entry, input.rank());
    if (failed(normal))
      return failure();
    if (seen[*normal])
      return n.error() << "axis " << entry << " is given twice";
    seen.set(*normal);
    entry = *normal;
  }
  return meanOf(n, input, axes, n.intAttr("keepdims", 1) != 0);
}

/// Scale and zero point of the result, then operands of three inputs each.
static LogicalResult importQLinearConcat(NodeImporter &n) {
  SmallVector<Imported> parts;
  if (n.numInputs() % 3 != 2)
    return n.error() << "expects a scale, a zero point, and three inputs for each operand";
  for (size_t i = 2; i < n.numInputs(); i += 3) {
    MaybeImported part = realInput(n, i, i + 1, i + 2);
    if (failed(part))
      return failure();
    parts.push_back(*part);
  }
  if (!n.node.find("axis"))
    return n.error() << "has no axis";
  FailureOr<int64_t> axis = n.axis(n.intAttr("axis", 0), parts.front().rank());
  return failed(axis) ? failure() : setCodes(n, n.concat(parts, *axis), 0, 1);
}

/// Condition; X and Y with scale and zero point each; scale and zero point of the result.
static LogicalResult importQLinearWhere(NodeImporter &n) {
  MaybeImported lhs = realInput(n, 1, 2, 3), rhs = realInput(n, 4, 5, 6);
  if (failed(lhs) || failed(rhs))
    return failure();
  MaybeImported chosen = chooseBetween(n, n.input(0), *lhs, *rhs);
  return failed(chosen) ? failure() : setCodes(n, chosen, 7, 8);
}

void vitq::frontend::addCodeHandler(HandlerTable &table, StringRef name, LogicalResult (*import)(NodeImporter &),
                                    unsigned min, unsigned max) {
  OperatorHandler &handler = table[name];
  handler.import = import;
  handler.minInputs = min;
  handler.maxInputs = max;
  handler.onCodes = OperatorHandler::OnCodes::Handled;
}

void vitq::frontend::addQuantizedHandlers(HandlerTable &table) {
  auto add = [&](StringRef name, LogicalResult (*import)(NodeImporter &), unsigned min, unsigned max) {
    addCodeHandler(table, name, import, min, max);
  };
  add("QuantizeLinear", importQuantizeLinear, 2, 3);
  add("DequantizeLinear", importDequantizeLinear, 2, 3);
  add("com.microsoft::QuantizeLinear", importQuantizeLinear, 2, 3);
  add("com.microsoft::DequantizeLinear", importDequantizeLinear, 2, 3);
  add("QLinearMatMul", importQLinearMatMul, 8, 8);
  add("QLinearConv", importQLinearConv, 8, 9);
  add("com.microsoft::QGemm", importQGemm, 6, 9);
  add("com.microsoft::QLinearAdd", importBinaryOnCodes<vit::AddOp>, 7, 8);
  add("com.microsoft::QLinearMul", importBinaryOnCodes<vit::MulOp>, 7, 8);
  add("com.microsoft::QLinearSigmoid", importOnCodes<sigmoidOf>, 4, 5);
  add("com.microsoft::QLinearLeakyRelu", importOnCodes<leakyReluOf>, 4, 5);
  add("com.microsoft::QLinearWhere", importQLinearWhere, 9, 9);
  add("com.microsoft::QLinearSoftmax", importOnCodes<softmaxOf>, 5, 5);
  add("com.microsoft::QLinearGlobalAveragePool", importOnCodes<globalAverageOf>, 4, 5);
  add("com.microsoft::QLinearReduceMean", importOnCodes<reduceMeanOf>, 4, 5);
  add("com.microsoft::QLinearConcat", importQLinearConcat, 5, 1u << 16);
  for (const char *move : {"Identity", "Dropout", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Expand",
                           "Tile", "Concat", "Slice", "Split", "Gather", "Shape", "Size"})
    table[move].onCodes = OperatorHandler::OnCodes::Moved;
}
