//===- QuantizeDetail.cpp - What the quantization passes share -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "QuantizeDetail.h"

#include "vitq/Analysis/QuantizationHints.h"
#include "vitq/Analysis/Scores.h"
#include "vitq/Calibration/Calibration.h"
#include "vitq/Numerics/Hadamard.h"
#include "vitq/Numerics/LayerNorm.h"
#include "vitq/Numerics/Quantize.h"
#include "vitq/Numerics/Softmax.h"
#include "vitq/Support/Constants.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;
using namespace ::vitq::quantize;

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

Value quantize::root(Value value) {
  for (Operation *op = value.getDefiningOp(); isMove(op) && op->getNumOperands() == 1; op = value.getDefiningOp())
    value = op->getOperand(0);
  return value;
}

Value quantize::realSource(Value value) {
  for (;;) {
    value = root(value);
    Operation *op = value.getDefiningOp();
    if (!isa_and_nonnull<QuantizeOp, DequantizeOp, quant::StorageCastOp>(op))
      return value;
    value = op->getOperand(0);
  }
}

Type quantize::codedType(Value value) {
  Operation *op = root(value).getDefiningOp();
  if (auto dequantize = dyn_cast_or_null<DequantizeOp>(op))
    return getQuantizedType(dequantize.getInput());
  if (!isMove(op))
    return {};
  Type type = codedType(op->getOperand(0));
  return isa_and_nonnull<quant::UniformQuantizedType>(type) &&
                 llvm::all_of(op->getOperands(), [&](Value part) { return codedType(part) == type; })
             ? type
             : Type();
}

bool quantize::isCoded(Value value) { return codedType(value) != nullptr; }

bool quantize::isCodedConstant(Value value) {
  auto dequantize = value.getDefiningOp<DequantizeOp>();
  auto cast = dequantize ? dequantize.getInput().getDefiningOp<quant::StorageCastOp>() : quant::StorageCastOp();
  return cast && isConstant(cast.getInput());
}

bool quantize::isContraction(Value value) {
  auto op = value.getDefiningOp<QuantizableOp>();
  return op && op.getResultCode(0).kind == CodeKind::Accumulator;
}

NormalizePixelsOp quantize::pixelsOf(Operation *op) {
  auto weighted = dyn_cast<WeightedOp>(op);
  if (!weighted || !weighted.canReadPixels())
    return {};
  Value image = op->getOperand(0);
  // A map has its channels last.
  if (op->hasTrait<MapOp>())
    image = planesOf(image);
  auto pixels = image ? image.getDefiningOp<NormalizePixelsOp>() : NormalizePixelsOp();
  const bool folds = pixels && (isConstant(op->getOperand(1)) || llvm::all_equal(pixels.getStd()));
  return folds ? pixels : NormalizePixelsOp();
}

bool quantize::isFirstOrLast(Operation *op) {
  // Before vit-take-pixels it reads the argument itself.
  if (pixelsOf(op) || isa<BlockArgument>(root(op->getOperand(0))))
    return true;
  Value value = op->getResult(0);
  while (value.hasOneUse() && isMove(*value.user_begin()))
    value = value.user_begin()->getResult(0);
  return llvm::any_of(value.getUsers(), [](Operation *user) { return user->hasTrait<OpTrait::IsTerminator>(); });
}

std::optional<TensorRole> quantize::roleOf(QuantizableOp op, OpOperand &use) {
  const CodeSpec code = op.getOperandCode(use.getOperandNumber());
  if (code.kind != CodeKind::Code)
    return std::nullopt;
  Operation *source = root(use.get()).getDefiningOp();
  if (code.tensor == TensorKind::Linear) {
    if (isa_and_nonnull<UnaryFunction>(source))
      return TensorRole::Hidden;
    return isa_and_nonnull<LayerNormOp>(source) ? TensorRole::Norm : TensorRole::Attention;
  }
  if (code.tensor != TensorKind::Attention)
    return std::nullopt;
  const bool isScores = isSoftmaxArgument(op->getResult(0));
  if (use.getOperandNumber() == 0)
    return isScores ? TensorRole::Query : TensorRole::Probabilities;
  return isScores ? TensorRole::Key : TensorRole::Value;
}

bool quantize::isAccumulatorSum(Value value) {
  auto isSum = [](Operation *op) { return isa_and_nonnull<QuantizableOp>(op) && isResidual(op); };
  Operation *op = value.getDefiningOp();
  return isSum(op) && value.hasOneUse() && isSum(*value.user_begin()) &&
         llvm::all_of(op->getOperands(),
                      [&](Value term) { return term.getDefiningOp<LinearOp>() && shapeOf(term) == shapeOf(value); });
}

FailureOr<Range> quantize::calibratedRange(Value value) {
  if (std::optional<Range> range = getCalibratedRange(value))
    return *range;
  return emitError(value.getLoc(), "value has no calibrated range; run vit-calibrate on images first, or load "
                                   "ranges that were saved for this model");
}

std::optional<double> quantize::rowsSeen(Operation *op) {
  auto images = op->getParentOfType<ModuleOp>()->getAttrOfType<IntegerAttr>(calibration::kImagesAttr);
  ArrayRef<int64_t> shape = shapeOf(op->getResult(0));
  if (!images || shape.size() < 2 || shape.front() < 1)
    return std::nullopt;
  return static_cast<double>(images.getInt()) * static_cast<double>(computeProduct(shape.drop_front().drop_back()));
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

/// Functions whose results lie mostly on one side of zero, and their arguments.
static bool isLopsided(Value value) {
  if (isa_and_nonnull<UnaryFunction>(value.getDefiningOp()))
    return true;
  return llvm::any_of(value.getUsers(), [](Operation *user) { return isa<UnaryFunction>(user); });
}

/// Unsigned codes of `bits` of which as many stand for negative values as for positive ones.
static numerics::Code middleCode(int64_t bits) {
  numerics::Code code{static_cast<unsigned>(bits), /*isUnsigned=*/true, /*zero=*/0};
  code.zero = code.count() / 2;
  return code;
}

/// Scale and zero point of unsigned codes.
static numerics::ScaleZeroPoint unsignedCode(Value value, Range range) {
  auto [min, max] = range;
  const auto bits = static_cast<int>(getCodeBits(value));
  double absMax = std::max(std::abs(min), std::abs(max));
  // A zero point in the middle keeps slack on the shorter side for unseen values; a range
  // that wastes a quarter of the codes that way gets its own zero point. Few codes are for what was seen.
  if (isLopsided(value) || max - min < 1.5 * absMax || bits < kDefaultCodeBits)
    return numerics::asymmetricScale(min, max, bits);
  return {numerics::symmetricScale(absMax, bits), middleCode(bits).zero};
}

/// What layer_norms that read `value` (or a part of it) need for the scale of codes of
/// `bits`.
static double smallestScale(Value value, int bits) {
  double scale = 0;
  for (Operation *user : value.getUsers()) {
    if (isMove(user))
      scale = std::max(scale, smallestScale(user->getResult(0), bits));
    else if (auto norm = dyn_cast<LayerNormOp>(user); norm && norm.getInput() == value)
      scale =
          std::max(scale, numerics::layerNormSmallestScale(norm.getEps().convertToDouble(), shapeOf(value).back(), bits,
                                                           /*centered=*/!norm.getRms()));
  }
  return scale;
}

/// Of what a transform spreads: the scale with which its sums fit 16 bits, rounded as the numbers are; 0 for other
/// values.
static double scaleOfSpread(Value value, Range range) {
  double scale = 0;
  for (Operation *user : value.getUsers())
    if (auto spread = dyn_cast<HadamardOp>(user)) {
      const auto block = static_cast<int64_t>(spread.getBlock());
      const std::optional<ArrayRef<float>> centers = spread.getCenters();
      const std::optional<ArrayRef<int8_t>> shifts = spread.getShifts();
      double factors = 0;
      auto center = [&](int64_t c) { return centers ? static_cast<double>((*centers)[c]) : 0.0; };
      auto factor = [&](int64_t c) { return shifts ? static_cast<double>(1 << (*shifts)[c]) : 1.0; };
      for (int64_t c = 0; c < shapeOf(value).back(); ++c)
        factors = std::max(factors, factor(c));
      const double reach =
          numerics::twiceHadamardReach(range.first, range.second, shapeOf(value).back(), block, center, factor) / 2;
      // Codes, zero points and the ends of the range are rounded.
      scale = std::max(scale, reach / (INT16_MAX - 2 * factors * static_cast<double>(block)));
    }
  return scale;
}

/// Of codes of a transform's sums: the next larger scale to which that of the sums is a multiple of 2^-15, with which
/// lanes of 16 bits multiply (docs/Numerics.md, Hadamard). Where it would be much larger, and of other values, `scale`.
static double scaleBehindSums(Value value, double scale) {
  constexpr double kLeastMultiple = 64;
  auto spread = value.getDefiningOp<HadamardOp>();
  auto codes = dyn_cast_or_null<quant::UniformQuantizedType>(spread ? codedType(spread.getInput()) : Type());
  if (!codes)
    return scale;
  const double sums = codes.getScale() / std::sqrt(static_cast<double>(spread.getBlock()));
  const double multiple = std::floor(std::ldexp(sums / scale, 15));
  return multiple >= kLeastMultiple && multiple < 0x1p15 ? std::ldexp(sums, 15) / multiple : scale;
}

quant::QuantizedType quantize::typeFor(Value value, Range range, Kind kind, double headroom) {
  MLIRContext *context = value.getContext();
  const auto bits = static_cast<unsigned>(getCodeBits(value));
  double absMax = std::max(std::abs(range.first), std::abs(range.second));
  if (kind == Kind::Probability)
    return getPerTensorType(context, 16, true, 0x1p-15, 0);
  const double spread = scaleOfSpread(value, range);
  if (kind == Kind::Signed16 && spread != 0 && getStreamBits(value) < 16)
    return getPerTensorType(context, 16, true, spread, 0);
  if (kind == Kind::Signed16)
    return getPerTensorType(context, 16, true,
                            std::max(numerics::symmetricScale(absMax, static_cast<int>(getStreamBits(value)), headroom),
                                     smallestScale(value, 16)),
                            0);
  if (kind == Kind::Signed8) {
    double smallest = isSoftmaxArgument(value) ? numerics::shiftmaxSmallestScale(shapeOf(value).back()) : 0;
    return getPerTensorType(context, bits, true,
                            scaleBehindSums(value, std::max({numerics::symmetricScale(absMax, bits), smallest,
                                                             smallestScale(value, bits)})),
                            0);
  }
  numerics::ScaleZeroPoint code = unsignedCode(value, range);
  if (spread > code.scale)
    code = {spread, static_cast<int64_t>(std::rint(-std::min(range.first, 0.0) / spread))};
  return getPerTensorType(context, bits, false, scaleBehindSums(value, code.scale), code.zeroPoint);
}

/// The zero point that channels with scales of their own share: what one of them alone
/// would have, or the middle, unless that costs the others much more than the best does.
static int64_t zeroPointOf(Value value, const std::vector<numerics::RealInterval> &channels) {
  const numerics::Code middle = middleCode(getCodeBits(value));
  const numerics::Interval codes = middle.range();
  auto width = [](numerics::RealInterval range) { return range.max - range.min; };
  numerics::RealInterval narrowest = *llvm::min_element(channels, [&](auto a, auto b) { return width(a) < width(b); });
  double least = 0;
  int64_t best = numerics::sharedZeroPoint(channels, codes, &least);
  // Squares of steps: a quarter of the codes wasted for slack, as in unsignedCode, or
  // half a bit where a zero point in the middle gives no slack.
  bool lopsided = isLopsided(value);
  int64_t usual = lopsided ? unsignedCode(value, {narrowest.min, narrowest.max}).zeroPoint : middle.zero;
  double allowed = lopsided ? 1.25 : 16.0 / 9.0;
  return numerics::zeroPointCost(channels, usual, codes) <= allowed * least ? usual : best;
}

quant::QuantizedType quantize::typeFor(Value value, const ChannelRanges &ranges, Kind kind) {
  bool isSigned = kind == Kind::Signed8;
  const auto bits = static_cast<unsigned>(getCodeBits(value));
  const numerics::Code middle = middleCode(bits);
  std::vector<numerics::RealInterval> channels;
  for (auto [min, max] : llvm::zip_equal(ranges.min, ranges.max))
    channels.push_back({min, max});
  int64_t zeroPoint = isSigned ? 0 : zeroPointOf(value, channels);
  // The scale of a channel that is 0 throughout, or as good as that, means nothing. Where
  // scales become factors of weights, a large one would leave the other weights few codes.
  auto reach = [](numerics::RealInterval range) { return std::max(std::abs(range.min), std::abs(range.max)); };
  SmallVector<double> scales;
  double smallest = INFINITY, farthest = 0;
  for (numerics::RealInterval range : channels) {
    farthest = std::max(farthest, reach(range));
    if (isSigned || zeroPoint == middle.zero)
      scales.push_back(numerics::symmetricScale(reach(range), static_cast<int>(bits)));
    else
      scales.push_back(numerics::scaleAround(range, zeroPoint, middle.range()));
    if (reach(range) > numerics::kTinyRange)
      smallest = std::min(smallest, scales.back());
  }
  if (!std::isfinite(smallest))
    smallest = numerics::symmetricScale(farthest, static_cast<int>(bits));
  for (auto [scale, range] : llvm::zip_equal(scales, channels))
    if (reach(range) <= numerics::kTinyRange)
      scale = smallest;
  SmallVector<int64_t> zeroPoints(channels.size(), zeroPoint);
  auto axis = static_cast<int32_t>(shapeOf(value).size() - 1);
  MLIRContext *context = value.getContext();
  return quant::UniformQuantizedPerAxisType::get(
      isSigned ? quant::QuantizationFlags::Signed : 0, IntegerType::get(context, bits), Float32Type::get(context),
      scales, zeroPoints, axis, quant::QuantizedType::getDefaultMinimumForInteger(isSigned, bits),
      quant::QuantizedType::getDefaultMaximumForInteger(isSigned, bits));
}

//===----------------------------------------------------------------------===//
// Casts
//===----------------------------------------------------------------------===//

Rounding quantize::roundingOf(Value value, QuantizedLayout layout) {
  auto op = value.getDefiningOp<QuantizableOp>();
  return op && op.getResultRounding() == ResultRounding::HalfUp ? Rounding::HalfUp : roundingOf(layout);
}

Value quantize::castPair(RewriterBase &rewriter, Location loc, Value value, quant::QuantizedType type,
                         QuantizedLayout layout) {
  Value quantized = QuantizeOp::create(rewriter, loc, withElementType(value.getType(), type), value,
                                       quantize::roundingOf(value, layout));
  return DequantizeOp::create(rewriter, loc, value.getType(), quantized);
}

Value quantize::dequantizedConstant(RewriterBase &rewriter, Location loc, Value constant, const Tensor &codes,
                                    quant::QuantizedType type) {
  auto storage = withElementType(constant.getType(), type.getStorageType());
  auto integers = createConstant(rewriter, loc, storage, codes, getBlobName(constant));
  Value cast = quant::StorageCastOp::create(rewriter, loc, withElementType(constant.getType(), type), integers);
  return DequantizeOp::create(rewriter, loc, constant.getType(), cast);
}

FailureOr<Value> quantize::quantizeConstant(RewriterBase &rewriter, Location loc, Value constant,
                                            quant::UniformQuantizedType type) {
  FailureOr<std::vector<double>> values = getFloatConstant(constant, [&] { return emitError(loc, "operand "); });
  if (failed(values))
    return failure();
  Tensor codes = Tensor::allocate(*storageKindOf(type.getStorageType()), shapeOf(constant));
  for (auto [i, value] : llvm::enumerate(*values))
    codes.setInt(i, numerics::quantizeReal(value, type.getScale(), type.getZeroPoint(), type.getStorageTypeMin(),
                                           type.getStorageTypeMax(), numerics::Rounding::HalfUp));
  return dequantizedConstant(rewriter, loc, constant, codes, type);
}

/// What codes of `width` bits of `value` are made from.
static FailureOr<Value> sourceOfCodes(RewriterBase &rewriter, Value value, unsigned width, QuantizedLayout layout,
                                      double headroom) {
  auto op = value.getDefiningOp<QuantizableOp>();
  if (!op || isContraction(value))
    return value;
  for (Operation *user : op->getUsers())
    if (auto quantize = dyn_cast<QuantizeOp>(user))
      for (Operation *reader : quantize->getUsers())
        if (auto real = dyn_cast<DequantizeOp>(reader))
          return real.getResult();
  if (width <= 16 || op.hasWideResult())
    return value;
  bool probability = op.getResultCode(0).kind == CodeKind::Probability;
  FailureOr<Range> range = probability ? FailureOr<Range>(Range(0, 1)) : calibratedRange(value);
  if (failed(range))
    return failure();
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPointAfterValue(value);
  return castPair(rewriter, value.getLoc(), value,
                  typeFor(value, *range, probability ? Kind::Probability : Kind::Signed16, headroom), layout);
}

/// Whether `value` holds only some elements of codes of one scale: those alone get other
/// codes, where they are, and the moves that lead to them are shared.
static bool isPartOfCodes(Value value) {
  Value source = root(value);
  auto real = source.getDefiningOp<DequantizeOp>();
  auto elements = [](Value v) { return cast<ShapedType>(v.getType()).getNumElements(); };
  return real && isa<quant::UniformQuantizedType>(getQuantizedType(real.getInput())) &&
         elements(value) < elements(source);
}

FailureOr<Value> quantize::codesOf(RewriterBase &rewriter, Value value, quant::UniformQuantizedType type,
                                   QuantizedLayout layout, double headroom) {
  Operation *op = value.getDefiningOp();
  if (isConstant(value)) {
    FailureOr<Value> real = quantizeConstant(rewriter, value.getLoc(), value, type);
    if (failed(real))
      return failure();
    return real->getDefiningOp<DequantizeOp>().getInput();
  }
  if (isPartOfCodes(value))
    return QuantizeOp::create(rewriter, value.getLoc(), withElementType(value.getType(), type), value,
                              quantize::roundingOf(value, layout))
        .getResult();
  if (isMove(op)) {
    SmallVector<Value> operands;
    for (Value operand : op->getOperands()) {
      FailureOr<Value> codes = codesOf(rewriter, operand, type, layout, headroom);
      if (failed(codes))
        return failure();
      operands.push_back(*codes);
    }
    Type moved = withElementType(value.getType(), type);
    return rewriter.create(op->getLoc(), op->getName().getIdentifier(), operands, moved, op->getAttrs())->getResult(0);
  }
  FailureOr<Value> real = sourceOfCodes(rewriter, value, type.getStorageTypeIntegralWidth(), layout, headroom);
  if (failed(real))
    return failure();
  return QuantizeOp::create(rewriter, value.getLoc(), withElementType(value.getType(), type), *real,
                            quantize::roundingOf(*real, layout))
      .getResult();
}

void quantize::eraseUnread(Operation *op) {
  if (!isMove(op) || !op->use_empty())
    return;
  SmallVector<Value> operands(op->getOperands());
  op->erase();
  for (Value operand : operands)
    eraseUnread(operand.getDefiningOp());
}
