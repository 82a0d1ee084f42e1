//===- Nonlinear.cpp - Softmax, layer_norm and functions of one variable -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Recording.h"

#include "vitq/Numerics/Gelu.h"
#include "vitq/Numerics/Interpolation.h"
#include "vitq/Numerics/LayerNorm.h"
#include "vitq/Numerics/Softmax.h"
#include "vitq/Numerics/Table.h"
#include "vitq/Support/Constants.h"

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::lowering;
namespace vint = ::vitq::integer;

namespace {

/// Step of the 8-bit difference to the row maximum (PTQ.md 4.5): ln2/16. The shift
/// exponential takes 1/24, the nearest step whose reciprocal is an integer, as its
/// x0 = floor(-1/step) would otherwise bend every exponent by 4 %.
constexpr double kTableStep = 0.6931471805599453 / 16;
constexpr double kShiftStep = 1.0 / 24;

bool usesShift(std::optional<vit::Algorithm> algorithm) {
  return algorithm == vit::Algorithm::Shift || algorithm == vit::Algorithm::IVit;
}

/// `value` as 32 bits, unchanged in meaning.
Value widen(Operation *op, ConversionPatternRewriter &rewriter, Value value, const UniformParameters &parameters) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getElementType().isInteger(32))
    return value;
  auto one = vint::DyadicAttr::get(op->getContext(), {1 << 30}, {30});
  return vint::RequantOp::create(rewriter, op->getLoc(), RankedTensorType::get(type.getShape(), rewriter.getI32Type()),
                                 value, one, vint::Rounding::HalfUp, -1, !parameters.isSigned, parameters.zeroPoint(),
                                 false, 0, IntegerAttr(), IntegerAttr());
}

struct LowerSoftmax : Lowering<vit::SoftmaxNumeratorOp> {
  using Lowering::Lowering;
  LogicalResult matchAndRewrite(vit::SoftmaxNumeratorOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    FailureOr<UniformParameters> scores = parametersOf(op, op.getInput()),
                                 codes = perTensorParametersOf(op, op.getNumerator());
    if (failed(scores) || failed(codes))
      return failure();
    if (codes->isSigned || codes->width != 8 || (scores->axis >= 0 && scores->axis != 1) ||
        !llvm::all_equal(scores->zeroPoints))
      return op.emitError(
          "softmax needs unsigned 8-bit codes, and scores with one scale, or one for each head (axis 1)");
    bool shift = usesShift(op.getAlgorithm());
    SmallVector<double> factors;
    for (double scale : scores->scales)
      factors.push_back(scale / (shift ? kShiftStep : kTableStep));
    FailureOr<vint::DyadicAttr> by = makeDyadic(op, factors, context);
    if (failed(by))
      return failure();
    Value input = widen(op, rewriter, adaptor.getInput(), *scores), table;
    IntegerAttr step, fraction, codeShift;
    if (shift) {
      numerics::SoftmaxShift constants = numerics::softmaxShiftConstants(kShiftStep);
      step = rewriter.getI64IntegerAttr(constants.x0);
      fraction = rewriter.getI64IntegerAttr(constants.n);
      codeShift = rewriter.getI64IntegerAttr(constants.t);
    } else {
      std::array<uint8_t, 256> entries = numerics::softmaxExpTable(kTableStep);
      table = createIntConstant(rewriter, op.getLoc(), RankedTensorType::get({256}, rewriter.getI8Type()),
                                SmallVector<int64_t>(entries.begin(), entries.end()), "exp_table");
    }
    auto softmax = vint::SoftmaxOp::create(
        rewriter, op.getLoc(), convert(op.getNumerator().getType()), convert(op.getSum().getType()), input, table,
        shift ? vint::SoftmaxAlgorithm::Shift : vint::SoftmaxAlgorithm::Table, *by, step, fraction, codeShift);
    recordScale(softmax, op);
    rewriter.replaceOp(op, softmax);
    return success();
  }
};

/// The codes' scale cancels: x/sum is in units of x's scale over the codes' scale.
struct LowerDivideRows : Lowering<vit::DivideRowsOp> {
  using Lowering::Lowering;
  LogicalResult matchAndRewrite(vit::DivideRowsOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    FailureOr<UniformParameters> input = parametersOf(op, op.getInput()),
                                 sums = perTensorParametersOf(op, op.getDivisor()),
                                 result = perTensorParametersOf(op, op.getResult());
    if (failed(input) || failed(sums) || failed(result))
      return failure();
    if (sums->width != 32 || sums->zeroPoint() != 0 || !llvm::all_equal(input->zeroPoints))
      return op.emitError("rows are divided by 32-bit sums with zero point 0");
    SmallVector<double> factors;
    for (double scale : input->scales)
      factors.push_back(scale / sums->scale() / result->scale() / (1 << 24));
    FailureOr<vint::DyadicAttr> by = makeDyadic(op, factors, context);
    if (failed(by))
      return failure();
    auto division = rewriter.replaceOpWithNewOp<vint::DivideRowsOp>(
        op, convert(op.getType()), widen(op, rewriter, adaptor.getInput(), *input), adaptor.getDivisor(), *by,
        vint::Rounding::HalfUp, input->axis, !result->isSigned, result->zeroPoint());
    recordScale(division, op);
    return success();
  }
};

/// Scales of a result: one, or one for each index of the last axis.
FailureOr<UniformParameters> channelParametersOf(Operation *op, Value value) {
  FailureOr<UniformParameters> parameters = parametersOf(op, value);
  if (failed(parameters))
    return failure();
  if (parameters->axis >= 0 && parameters->axis != static_cast<int64_t>(vit::shapeOf(value).size()) - 1)
    return op->emitError("the result of '") << nodeName(op->getLoc()) << "' may vary in scale along the last axis only";
  if (!llvm::all_equal(parameters->zeroPoints))
    return op->emitError("the result of '") << nodeName(op->getLoc()) << "' must have one zero point";
  return parameters;
}

struct LowerLayerNorm : Lowering<vit::LayerNormOp> {
  using Lowering::Lowering;
  LogicalResult matchAndRewrite(vit::LayerNormOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    FailureOr<UniformParameters> input = perTensorParametersOf(op, op.getInput()),
                                 result = channelParametersOf(op, op.getResult());
    if (failed(input) || failed(result))
      return failure();
    std::optional<std::vector<double>> gamma = getFloatConstant(op.getGamma()), beta = getFloatConstant(op.getBeta());
    if (!gamma || !beta)
      return op.emitError("gamma and beta of '") << nodeName(op.getLoc()) << "' must be constants";
    if (input->width > 16)
      return op.emitError("layer_norm needs an input of at most 16 bits");
    double scale = result->scale();
    if (result->axis >= 0) {
      // Results in units of their own scale, from a layer_norm of other gamma and beta.
      for (auto [c, own] : llvm::enumerate(result->scales)) {
        (*gamma)[c] /= own;
        (*beta)[c] /= own;
      }
      scale = 1.0;
    }
    bool shift = usesShift(op.getAlgorithm());
    FailureOr<Constants> constants =
        shift ? shiftConstants(op, *gamma, *beta, scale) : exactConstants(op, *gamma, *beta, scale);
    if (failed(constants))
      return failure();
    int64_t channels = gamma->size();
    int64_t eps = shift ? 1 : numerics::layerNormEpsilon(op.getEps().convertToDouble(), channels, input->scale());
    // The exact algorithm has one rounding of its own.
    vint::Rounding rounding = shift ? convertRounding(op.getRounding()) : vint::Rounding::HalfUp;
    auto norm = rewriter.replaceOpWithNewOp<vint::LayerNormOp>(
        op, convert(op.getType()), adaptor.getInput(),
        vint::NormAlgorithmAttr::get(op.getContext(), shift ? vint::NormAlgorithm::Shift : vint::NormAlgorithm::Exact),
        vint::DyadicAttr::get(op.getContext(), constants->multipliers, constants->shifts),
        rewriter.getDenseI64ArrayAttr(constants->offsets),
        shift ? rewriter.getDenseI64ArrayAttr(constants->postOffsets) : DenseI64ArrayAttr(),
        rewriter.getI64IntegerAttr(eps), unitIf(rewriter, !input->isSigned), unitIf(rewriter, !result->isSigned),
        rewriter.getI64IntegerAttr(result->zeroPoint()), vint::RoundingAttr::get(op.getContext(), rounding));
    recordScale(norm, op);
    return success();
  }

private:
  struct Constants {
    SmallVector<int32_t> multipliers, shifts;
    SmallVector<int64_t> offsets, postOffsets;
  };

  static InFlightDiagnostic tooWide(vit::LayerNormOp op) {
    return op.emitError("gamma or beta of '")
           << nodeName(op.getLoc()) << "' is too large for its calibrated output range; recalibrate";
  }

  static FailureOr<Constants> exactConstants(vit::LayerNormOp op, const std::vector<double> &gamma,
                                             const std::vector<double> &beta, double scale) {
    std::optional<numerics::LayerNormAffine> affine = numerics::layerNormAffine(gamma, beta, scale);
    if (!affine)
      return tooWide(op);
    return Constants{SmallVector<int32_t>(affine->a.begin(), affine->a.end()),
                     SmallVector<int32_t>(affine->a.size(), static_cast<int32_t>(affine->shift)),
                     SmallVector<int64_t>(affine->b.begin(), affine->b.end()),
                     {}};
  }

  static FailureOr<Constants> shiftConstants(vit::LayerNormOp op, const std::vector<double> &gamma,
                                             const std::vector<double> &beta, double scale) {
    std::optional<numerics::LayerNormIvitConstants> ivit = numerics::layerNormIvitConstants(gamma, beta, scale);
    if (!ivit)
      return tooWide(op);
    Constants constants;
    for (const numerics::Dyadic &ratio : ivit->ratio) {
      constants.multipliers.push_back(ratio.multiplier);
      constants.shifts.push_back(ratio.shift);
    }
    constants.offsets.assign(ivit->bias.begin(), ivit->bias.end());
    constants.postOffsets.assign(ivit->offset.begin(), ivit->offset.end());
    return constants;
  }
};

/// A rectifier is a requantization that clamps at the zero point.
struct LowerRelu : Lowering<vit::ReluOp> {
  using Lowering::Lowering;
  LogicalResult matchAndRewrite(vit::ReluOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    FailureOr<UniformParameters> input = parametersOf(op, op.getInput()),
                                 result = perTensorParametersOf(op, op.getResult());
    if (failed(input) || failed(result))
      return failure();
    SmallVector<double> factors;
    for (double scale : input->scales)
      factors.push_back(scale / result->scale());
    FailureOr<vint::DyadicAttr> by = makeDyadic(op, factors, context);
    if (failed(by))
      return failure();
    if (!llvm::all_equal(input->zeroPoints))
      return op.emitError("a rectifier needs one input zero point");
    auto requant = rewriter.replaceOpWithNewOp<vint::RequantOp>(
        op, convert(op.getType()), adaptor.getInput(), *by, vint::Rounding::HalfUp, input->axis, !input->isSigned,
        input->zeroPoint(), !result->isSigned, result->zeroPoint(), rewriter.getI64IntegerAttr(result->zeroPoint()),
        rewriter.getI64IntegerAttr(result->max));
    recordScale(requant, op);
    return success();
  }
};

/// Tables of a function, one for each scale of the result, and which channel has
/// which (null when there is one).
struct Tables {
  Value table, index;
};

template <typename MakeEntries>
Tables makeTables(Operation *op, const UniformParameters &to, Type element, ConversionPatternRewriter &rewriter,
                  MakeEntries makeEntries) {
  SmallVector<double> scales(to.scales);
  llvm::sort(scales);
  scales.erase(llvm::unique(scales), scales.end());
  SmallVector<int64_t> entries, index;
  for (double scale : scales) {
    numerics::Table256 table = makeEntries(scale);
    entries.append(table.begin(), table.end());
  }
  if (to.axis < 0)
    return {createIntConstant(rewriter, op->getLoc(), RankedTensorType::get({256}, element), entries, "table"), {}};
  for (double scale : to.scales)
    index.push_back(std::distance(scales.begin(), llvm::lower_bound(scales, scale)));
  auto count = static_cast<int64_t>(scales.size());
  return {createIntConstant(rewriter, op->getLoc(), RankedTensorType::get({count, 256}, element), entries, "tables"),
          createIntConstant(rewriter, op->getLoc(),
                            RankedTensorType::get({static_cast<int64_t>(index.size())}, rewriter.getI8Type()), index,
                            "table_index")};
}

LogicalResult lowerToTable(vit::UnaryFunction op, Value input, RankedTensorType type,
                           ConversionPatternRewriter &rewriter) {
  FailureOr<UniformParameters> from = perTensorParametersOf(op, op->getOperand(0)),
                               to = channelParametersOf(op, op->getResult(0));
  if (failed(from) || failed(to))
    return failure();
  if (from->width != 8 || to->width > 16)
    return op->emitError("a table needs an 8-bit input and a result of at most 16 bits, got ")
           << from->width << " and " << to->width << " bits";
  Tables tables = makeTables(op, *to, type.getElementType(), rewriter, [&](double scale) {
    return numerics::buildTable([&](double x) { return op.evaluate(x); }, from->scale(), from->zeroPoint(),
                                from->isSigned, scale, to->zeroPoint(), static_cast<int>(to->width), to->isSigned);
  });
  auto lookup = vint::TableOp::create(rewriter, op->getLoc(), type, input, tables.table, tables.index,
                                      unitIf(rewriter, !from->isSigned));
  recordScale(lookup, op);
  rewriter.replaceOp(op, lookup);
  return success();
}

/// 16-bit codes: a table with interpolation where the function bends, the identity
/// beyond (PTQ.md 4.6).
LogicalResult lowerToInterpolation(vit::UnaryFunction op, Value input, RankedTensorType type,
                                   ConversionPatternRewriter &rewriter, const Context &context) {
  FailureOr<UniformParameters> from = perTensorParametersOf(op, op->getOperand(0)),
                               to = perTensorParametersOf(op, op->getResult(0));
  if (failed(from) || failed(to))
    return failure();
  if (!isa<vit::GeluOp, vit::SiluOp>(op) || from->width != 16 || to->width != 16 || !from->isSigned || !to->isSigned ||
      from->zeroPoint() != 0 || to->zeroPoint() != 0)
    return op->emitError("a function of 16-bit codes must be GELU or SiLU, and its argument and result signed 16 bits "
                         "with zero point 0");
  // The identity starts where the function is within half a code of it, at 8 or further.
  double bend = 8;
  while (bend < 64 && std::abs(op.evaluate(bend) - bend) > to->scale() / 2)
    bend *= 2;
  unsigned shift = 0;
  while (shift < 6 && static_cast<double>(numerics::kInterpolationIntervals << shift) * from->scale() < 2 * bend)
    ++shift;
  int64_t start = -((numerics::kInterpolationIntervals / 2) << shift);
  numerics::InterpolationTable entries = numerics::buildInterpolationTable([&](double x) { return op.evaluate(x); },
                                                                           from->scale(), to->scale(), start, shift);
  FailureOr<vint::DyadicAttr> tail = makeDyadic(op, {from->scale() / to->scale()}, context);
  if (failed(tail))
    return failure();
  Value table = createIntConstant(rewriter, op->getLoc(),
                                  RankedTensorType::get({static_cast<int64_t>(entries.size())}, type.getElementType()),
                                  SmallVector<int64_t>(entries.begin(), entries.end()), "table");
  auto lookup = vint::InterpolateOp::create(rewriter, op->getLoc(), type, input, table, start, shift, *tail);
  recordScale(lookup, op);
  rewriter.replaceOp(op, lookup);
  return success();
}

struct LowerGelu : Lowering<vit::GeluOp> {
  using Lowering::Lowering;
  LogicalResult matchAndRewrite(vit::GeluOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    FailureOr<UniformParameters> input = perTensorParametersOf(op, op.getInput()),
                                 result = channelParametersOf(op, op.getResult());
    if (failed(input) || failed(result))
      return failure();
    if (input->width == 16)
      return lowerToInterpolation(op, adaptor.getInput(), convert(op.getType()), rewriter, context);
    if (!usesShift(op.getAlgorithm()))
      return lowerToTable(op, adaptor.getInput(), convert(op.getType()), rewriter);
    int64_t x0 = numerics::shiftGeluX0(input->scale());
    if (x0 < -65536 || x0 >= 0)
      return op.emitError("ShiftGELU cannot represent the input scale ") << input->scale() << "; use --nonlinear=table";
    // I-ViT published n = 23 and a 31-bit reciprocal (METHODS.md 2.5).
    bool published = op.getAlgorithm() == vit::Algorithm::IVit;
    double amax = static_cast<double>(input->max - input->zeroPoint());
    int64_t fraction = published ? 23 : static_cast<int64_t>(numerics::shiftGeluBits(input->scale(), amax));
    // sigma has 7 fraction bits.
    SmallVector<double> factors;
    for (double scale : result->scales)
      factors.push_back(input->scale() / 128 / scale);
    FailureOr<vint::DyadicAttr> by = makeDyadic(op, factors, context);
    if (failed(by))
      return failure();
    auto create = [&](RankedTensorType type, vint::DyadicAttr multiplier, bool isSigned, int64_t zeroPoint) {
      return vint::GeluOp::create(rewriter, op.getLoc(), type, adaptor.getInput(), x0, fraction, multiplier,
                                  convertRounding(op.getRounding()), !input->isSigned, input->zeroPoint(), !isSigned,
                                  zeroPoint, published ? 31 : 62);
    };
    RankedTensorType type = convert(op.getType());
    Operation *replacement;
    if (result->axis < 0) {
      replacement = create(type, *by, result->isSigned, result->zeroPoint());
    } else {
      // a * sigma fits 16 bits as it is; its channels are brought to their scales then.
      auto one = vint::DyadicAttr::get(op.getContext(), {1 << 30}, {30});
      Value products = create(RankedTensorType::get(type.getShape(), rewriter.getI16Type()), one, true, 0);
      replacement = vint::RequantOp::create(rewriter, op.getLoc(), type, products, *by,
                                            convertRounding(op.getRounding()), result->axis, false, 0,
                                            !result->isSigned, result->zeroPoint(), IntegerAttr(), IntegerAttr());
    }
    recordScale(replacement, op);
    rewriter.replaceOp(op, replacement);
    return success();
  }
};

/// I-ViT's softmax, division included (METHODS.md 2.4).
struct LowerFullSoftmax : Lowering<vit::SoftmaxOp> {
  using Lowering::Lowering;
  LogicalResult matchAndRewrite(vit::SoftmaxOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    FailureOr<UniformParameters> input = perTensorParametersOf(op, op.getInput()),
                                 result = perTensorParametersOf(op, op.getResult());
    if (failed(input) || failed(result))
      return failure();
    if (!input->isSigned || input->zeroPoint() != 0 || input->width != 8 || !result->isSigned ||
        result->zeroPoint() != 0 || result->scale() != std::ldexp(1.0, 1 - static_cast<int>(result->width)) ||
        (result->width != 8 && result->width != 16))
      return op.emitError(
          "Shiftmax needs signed 8-bit scores, and signed results of 8 or 16 bits with zero point 0 and "
          "scale 2^-7 or 2^-15");
    int64_t x0 = numerics::shiftX0(input->scale());
    if (x0 < -(int64_t(1) << 30) || x0 >= 0)
      return op.emitError("Shiftmax cannot represent the scale of the scores, ")
             << input->scale() << "; use --recipe=default";
    // I-ViT published n = 15 and a 31-bit reciprocal (METHODS.md 2.4).
    auto softmax = rewriter.replaceOpWithNewOp<vint::ShiftmaxOp>(op, convert(op.getType()), adaptor.getInput(), x0, 15,
                                                                 31, static_cast<int64_t>(result->width));
    recordScale(softmax, op);
    return success();
  }
};

/// Pixels as signed codes of the normalized image: a table for each channel.
struct LowerNormalizePixels : Lowering<vit::NormalizePixelsOp> {
  using Lowering::Lowering;
  LogicalResult matchAndRewrite(vit::NormalizePixelsOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    FailureOr<UniformParameters> pixels = perTensorParametersOf(op, op.getPixels()),
                                 result = perTensorParametersOf(op, op.getResult());
    if (failed(pixels) || failed(result))
      return failure();
    auto image = cast<RankedTensorType>(adaptor.getPixels().getType());
    Type element = convert(op.getType()).getElementType();
    if (pixels->width != 8 || result->width > 16 || image.getShape().back() > 127)
      return op.emitError("the image must be bytes of at most 127 channels");
    SmallVector<int64_t> entries, index;
    for (auto [c, mean] : llvm::enumerate(op.getMean())) {
      double offset = mean, divisor = op.getStd()[c];
      numerics::Table256 table = numerics::buildTable(
          [=](double p) { return (p - offset) / divisor; }, pixels->scale(), pixels->zeroPoint(), pixels->isSigned,
          result->scale(), result->zeroPoint(), static_cast<int>(result->width), result->isSigned);
      entries.append(table.begin(), table.end());
      index.push_back(static_cast<int64_t>(c));
    }
    int64_t channels = index.size();
    Value tables = createIntConstant(rewriter, op.getLoc(), RankedTensorType::get({channels, 256}, element), entries,
                                     "pixel_tables");
    Value indices = createIntConstant(rewriter, op.getLoc(), RankedTensorType::get({channels}, rewriter.getI8Type()),
                                      index, "pixel_index");
    Value codes = vint::TableOp::create(rewriter, op.getLoc(), RankedTensorType::get(image.getShape(), element),
                                        adaptor.getPixels(), tables, indices, unitIf(rewriter, !pixels->isSigned));
    auto planes = vit::createInferred<vint::TransposeOp>(
        rewriter, op.getLoc(), codes,
        rewriter.getNamedAttr("permutation", rewriter.getDenseI64ArrayAttr({0, 3, 1, 2})));
    recordScale(planes, op);
    rewriter.replaceOp(op, planes);
    return success();
  }
};

template <typename OpTy>
struct LowerFunction : Lowering<OpTy> {
  using Lowering<OpTy>::Lowering;
  LogicalResult matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    RankedTensorType type = this->convert(op.getType());
    if (type.getElementTypeBitWidth() == 16 && std::is_same_v<OpTy, vit::SiluOp>)
      if (quant::QuantizedType input = getQuantizedType(op.getInput());
          input && input.getStorageTypeIntegralWidth() == 16)
        return lowerToInterpolation(op, adaptor.getInput(), type, rewriter, this->context);
    return lowerToTable(op, adaptor.getInput(), type, rewriter);
  }
};

} // namespace

void lowering::populateNonlinearPatterns(RewritePatternSet &patterns, const TypeConverter &converter,
                                         const Context &context) {
  patterns.add<LowerSoftmax, LowerDivideRows, LowerLayerNorm, LowerRelu, LowerGelu, LowerFunction<vit::SigmoidOp>,
               LowerFunction<vit::TanhOp>, LowerFunction<vit::HardSwishOp>, LowerFunction<vit::SiluOp>,
               LowerFullSoftmax, LowerNormalizePixels>(converter, patterns.getContext(), context);
}
