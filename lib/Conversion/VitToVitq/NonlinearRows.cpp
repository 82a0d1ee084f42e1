//===- NonlinearRows.cpp - Softmax, its division and layer_norm -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Recording.h"
#include "RowLines.h"

#include "vitq/Analysis/QuantizationHints.h"
#include "vitq/Numerics/LayerNorm.h"
#include "vitq/Numerics/Quantize.h"
#include "vitq/Numerics/Softmax.h"
#include "vitq/Support/Constants.h"

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::lowering;

namespace {

/// Steps of the 8-bit difference to the row maximum (docs/Numerics.md, Softmax): ln2/16. The shift
/// exponential takes 1/24, the nearest step whose reciprocal is an integer, as its
/// x0 = floor(-1/step) would otherwise bend every exponent by 4 %. Powers of two take
/// octaves, lines their own step; the polynomial one whose 1 is the code 246.
constexpr double kLn2 = 0.6931471805599453;
constexpr double kTableStep = kLn2 / 16;
constexpr double kShiftStep = 1.0 / 24;
constexpr double kPolynomialStep = kLn2 / 26;
/// Of 16-bit codes.
constexpr double kOctaveStep = kLn2 / numerics::kOctaveSteps;

/// `value` as 32 bits, unchanged in meaning.
Value widen(Operation *op, ConversionPatternRewriter &rewriter, Value value, const UniformParameters &parameters) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getElementType().isInteger(32))
    return value;
  auto one = integer::DyadicAttr::get(op->getContext(), {1 << 30}, {30});
  return integer::RequantOp::create(
      rewriter, op->getLoc(), RankedTensorType::get(type.getShape(), rewriter.getI32Type()), value, one,
      integer::Rounding::HalfUp, -1, codeAttr(op, parameters), plainCode(op), IntegerAttr(), IntegerAttr());
}

/// How a softmax turns distances into codes.
struct Exponential {
  double step;
  integer::ExponentialAttrInterface algorithm;
};

struct LowerSoftmax : Lowering<vit::SoftmaxNumeratorOp> {
  using Lowering::Lowering;
  LogicalResult matchAndRewrite(vit::SoftmaxNumeratorOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    FailureOr<UniformParameters> scores = parametersOf(op, op.getInput()),
                                 codes = perTensorParametersOf(op, op.getNumerator());
    if (failed(scores) || failed(codes))
      return failure();
    const bool wide = codes->width == 16;
    if (codes->isSigned != wide || (!wide && codes->width > 8) || (scores->axis >= 0 && scores->axis != 1) ||
        !llvm::all_equal(scores->zeroPoints))
      return op.emitError("softmax needs unsigned codes of at most 8 bits or signed ones of 16, and scores with one "
                          "scale, or one for each head (axis 1)");
    FailureOr<Exponential> exponential = exponentialOf(op, codes->width);
    if (failed(exponential))
      return failure();
    // Scores that are as good as equal: the smallest multiplier makes 0 of them all.
    const double smallest = std::ldexp(1.0, context.mantissaBits - 63);
    SmallVector<double> factors;
    for (double scale : scores->scales) {
      const double factor = std::max(scale / exponential->step, smallest);
      factors.push_back(wide ? factor : numerics::softmaxRatio(factor));
    }
    FailureOr<integer::DyadicAttr> by = makeDyadic(op, factors, context);
    if (failed(by))
      return failure();
    auto softmax = integer::SoftmaxOp::create(
        rewriter, op.getLoc(), convert(op.getNumerator().getType()), convert(op.getSum().getType()),
        widen(op, rewriter, adaptor.getInput(), *scores), *by, exponential->algorithm);
    recordScale(softmax, op);
    rewriter.replaceOp(op, softmax);
    return success();
  }

private:
  /// With codes of `bits` bits.
  FailureOr<Exponential> exponentialOf(vit::SoftmaxNumeratorOp op, unsigned bits) const {
    MLIRContext *mlir = op.getContext();
    switch (vit::kindOf(op.getAlgorithm())) {
    case vit::Algorithm::Table: {
      if (bits == 16)
        return octaveOf(op);
      const numerics::DistanceTable table = numerics::softmaxExpTable(kTableStep, bits);
      auto type = RankedTensorType::get({numerics::kDistances}, IntegerType::get(mlir, bits));
      SmallVector<APInt> entries;
      for (uint8_t entry : table)
        entries.emplace_back(bits, entry);
      return Exponential{kTableStep, integer::ExpTableAttr::get(
                                         mlir, cast<DenseIntElementsAttr>(DenseElementsAttr::get(type, entries)))};
    }
    case vit::Algorithm::Shift:
    case vit::Algorithm::IVit: {
      const numerics::SoftmaxShift shift = numerics::softmaxShiftConstants(kShiftStep, bits);
      return Exponential{kShiftStep, integer::ExpShiftAttr::get(mlir, shift.x0, shift.n, shift.t)};
    }
    case vit::Algorithm::Lut: {
      llvm::Expected<ExponentialLines> fitted = fitExponential(entriesOf(op.getAlgorithm()), context.lutMethod, bits);
      if (!fitted)
        return noLines(op, fitted.takeError());
      return Exponential{ExponentialLines::kStep,
                         integer::ExpPwlAttr::get(mlir, integer::PiecewiseLinearAttr::get(mlir, fitted->lines),
                                                  static_cast<int64_t>(fitted->codeShift))};
    }
    case vit::Algorithm::Poly: {
      const numerics::SoftmaxPolynomial p = numerics::softmaxPolynomialConstants(kPolynomialStep, bits);
      return Exponential{kPolynomialStep, integer::ExpPolyAttr::get(mlir, p.x0, p.n, p.b, p.c, p.t)};
    }
    case vit::Algorithm::Log2:
      return Exponential{kLn2,
                         integer::ExpLog2Attr::get(mlir, numerics::softmaxLog2Top(vit::shapeOf(op.getInput()).back()))};
    }
    llvm_unreachable("unknown algorithm");
  }

  static Exponential octaveOf(vit::SoftmaxNumeratorOp op) {
    const numerics::OctaveTable table =
        numerics::softmaxOctaveTable(numerics::softmaxLog2Top(vit::shapeOf(op.getInput()).back()));
    auto type = RankedTensorType::get({numerics::kOctaveSteps}, IntegerType::get(op.getContext(), 16));
    return Exponential{kOctaveStep,
                       integer::ExpOctaveAttr::get(op.getContext(), cast<DenseIntElementsAttr>(DenseElementsAttr::get(
                                                                        type, ArrayRef<int16_t>(table))))};
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
    if (sums->width < 16 || sums->zeroPoint() != 0 || !llvm::all_equal(input->zeroPoints))
      return op.emitError("rows are divided by sums of 16 or 32 bits with zero point 0");
    integer::PiecewiseLinearAttr lines;
    double gain = 1.0;
    if (unsigned entries = entriesOf(op.getAlgorithm())) {
      llvm::Expected<ScaledLines> fitted = fitReciprocal(entries);
      if (!fitted)
        return noLines(op, fitted.takeError());
      lines = integer::PiecewiseLinearAttr::get(op.getContext(), fitted->lines);
      gain = fitted->gain;
    }
    SmallVector<double> factors;
    for (double scale : input->scales)
      factors.push_back(scale / sums->scale() / result->scale() / (1 << 24) / gain);
    FailureOr<integer::DyadicAttr> by = makeDyadic(op, factors, context);
    if (failed(by))
      return failure();
    Value divisor = addEps(op, widen(op, rewriter, adaptor.getDivisor(), *sums), sums->scale(), rewriter);
    auto division = rewriter.replaceOpWithNewOp<integer::DivideRowsOp>(
        op, convert(op.getType()), widen(op, rewriter, adaptor.getInput(), *input), divisor, *by,
        integer::Rounding::HalfUp, input->axis, codeAttr(op, *result), lines);
    recordScale(division, op);
    return success();
  }

private:
  /// The sums with eps, where it counts: a vanishing sum divides as 1 does in any case.
  static Value addEps(vit::DivideRowsOp op, Value sums, double scale, ConversionPatternRewriter &rewriter) {
    const int64_t eps = numerics::quantizeReal(op.getEps().convertToDouble(), scale, 0, 0,
                                               std::numeric_limits<int32_t>::max(), numerics::Rounding::HalfUp);
    if (eps == 0)
      return sums;
    auto one = integer::DyadicAttr::get(op.getContext(), {1 << 30}, {30});
    Value constant =
        createIntConstant(rewriter, op.getLoc(), RankedTensorType::get({1}, rewriter.getI32Type()), {eps}, "eps");
    return integer::AddOp::create(rewriter, op.getLoc(), cast<RankedTensorType>(sums.getType()), sums, constant, one,
                                  one, integer::Rounding::HalfUp, plainCode(op), plainCode(op), plainCode(op));
  }
};

struct LowerLayerNorm : Lowering<vit::LayerNormOp> {
  using Lowering::Lowering;
  LogicalResult matchAndRewrite(vit::LayerNormOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    FailureOr<UniformParameters> input = perTensorParametersOf(op, op.getInput()),
                                 result = channelParametersOf(op, op.getResult());
    if (failed(input) || failed(result))
      return failure();
    FailureOr<std::vector<double>> gamma = getFloatConstant(op.getGamma()), beta = getFloatConstant(op.getBeta());
    if (failed(gamma) || failed(beta))
      return op.emitError("gamma and beta of '") << nodeName(op.getLoc()) << "' must be constants";
    if (input->width > 16)
      return op.emitError("layer_norm needs an input of at most 16 bits");
    if (op.getRms() && (!input->isSigned || input->zeroPoint() != 0))
      return op.emitError("layer_norm without centering needs signed codes with zero point 0");
    double scale = result->scale();
    if (result->axis >= 0) {
      // Results in units of their own scale, from a layer_norm of other gamma and beta.
      for (auto [c, own] : llvm::enumerate(result->scales)) {
        (*gamma)[c] /= own;
        (*beta)[c] /= own;
      }
      scale = 1.0;
    }
    // I-ViT's norm knows no eps: one that counts beside the largest input needs exact sums.
    double largest = static_cast<double>(input->max - input->zeroPoint()) * input->scale();
    bool shift =
        usesShift(op.getAlgorithm()) && !op.getRms() && op.getEps().convertToDouble() < largest * largest / 1024;
    integer::PiecewiseLinearAttr lines;
    if (unsigned entries = entriesOf(op.getAlgorithm())) {
      llvm::Expected<ScaledLines> fitted = fitInverseRoot(entries);
      if (!fitted)
        return noLines(op, fitted.takeError());
      lines = integer::PiecewiseLinearAttr::get(op.getContext(), fitted->lines);
      for (double &g : *gamma)
        g /= fitted->gain;
    }
    FailureOr<Constants> constants = shift ? shiftConstants(op, *gamma, *beta, scale)
                                           : exactConstants(op, *gamma, *beta, scale, result->zeroPoint());
    if (failed(constants))
      return failure();
    auto norm = rewriter.replaceOpWithNewOp<integer::LayerNormOp>(
        op, convert(op.getType()), adaptor.getInput(),
        integer::DyadicAttr::get(op.getContext(), constants->multipliers, constants->shifts),
        rewriter.getDenseI64ArrayAttr(constants->offsets),
        normalization(op, shift, lines, input->scale(), rewriter.getDenseI64ArrayAttr(constants->postOffsets)),
        signAttr(op, *input), codeAttr(op, *result));
    recordScale(norm, op);
    return success();
  }

private:
  struct Constants {
    SmallVector<int32_t> multipliers, shifts;
    SmallVector<int64_t> offsets, postOffsets;
  };

  static integer::NormalizationAttrInterface normalization(vit::LayerNormOp op, bool shift,
                                                           integer::PiecewiseLinearAttr lines, double scale,
                                                           DenseI64ArrayAttr postOffsets) {
    MLIRContext *mlir = op.getContext();
    if (shift)
      return integer::NormShiftAttr::get(mlir, convertRounding(op.getRounding()), postOffsets);
    const int64_t eps =
        numerics::layerNormEpsilon(op.getEps().convertToDouble(), vit::shapeOf(op.getInput()).back(), scale);
    if (lines)
      return integer::NormPwlAttr::get(mlir, eps, lines, !op.getRms());
    return integer::NormExactAttr::get(mlir, eps, !op.getRms());
  }

  static InFlightDiagnostic tooWide(vit::LayerNormOp op) {
    return op.emitError("gamma or beta of '")
           << nodeName(op.getLoc()) << "' is too large for its calibrated output range; recalibrate";
  }

  static FailureOr<Constants> exactConstants(vit::LayerNormOp op, const std::vector<double> &gamma,
                                             const std::vector<double> &beta, double scale, int64_t zeroPoint) {
    // One multiplication of 32 bits for each element where that is as good.
    std::optional<numerics::LayerNormAffine> affine = numerics::layerNormNarrowAffine(
        gamma.data(), beta.data(), static_cast<int64_t>(gamma.size()), scale, zeroPoint);
    if (!affine)
      affine = numerics::layerNormAffine(gamma, beta, scale);
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

/// I-ViT's softmax, division included.
struct LowerFullSoftmax : Lowering<vit::SoftmaxOp> {
  using Lowering::Lowering;
  LogicalResult matchAndRewrite(vit::SoftmaxOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    FailureOr<UniformParameters> input = perTensorParametersOf(op, op.getInput()),
                                 result = perTensorParametersOf(op, op.getResult());
    if (failed(input) || failed(result))
      return failure();
    if (!input->isSigned || input->zeroPoint() != 0 || input->width > 8 || !result->isSigned ||
        result->zeroPoint() != 0 || result->scale() != std::ldexp(1.0, 1 - static_cast<int>(result->width)) ||
        (result->width > 8 && result->width != 16))
      return op.emitError(
          "Shiftmax needs signed scores of at most 8 bits, and signed results of at most 8, or of 16, bits with "
          "zero point 0 and scale 2^(1 - bits)");
    int64_t x0 = numerics::shiftX0(input->scale());
    // Where x0 is at its limit.
    if (input->scale() < std::ldexp(1.0, -30))
      return op.emitError("Shiftmax cannot represent the scale of the scores, ")
             << input->scale() << "; use --recipe=default";
    // I-ViT published n = 15 and a 31-bit reciprocal (docs/Numerics.md).
    auto softmax = rewriter.replaceOpWithNewOp<integer::ShiftmaxOp>(op, convert(op.getType()), adaptor.getInput(), x0,
                                                                    15, 31, static_cast<int64_t>(result->width));
    recordScale(softmax, op);
    return success();
  }
};

} // namespace

/// The quantized type of a tensor with all scales times `factor`.
static Type withScaledType(Type tensor, double factor) {
  Type element = cast<ShapedType>(tensor).getElementType();
  if (auto uniform = dyn_cast<quant::UniformQuantizedType>(element))
    element = quant::UniformQuantizedType::get(uniform.getFlags(), uniform.getStorageType(), uniform.getExpressedType(),
                                               uniform.getScale() * factor, uniform.getZeroPoint(),
                                               uniform.getStorageTypeMin(), uniform.getStorageTypeMax());
  else if (auto channels = dyn_cast<quant::UniformQuantizedPerAxisType>(element))
    element = quant::UniformQuantizedPerAxisType::get(
        channels.getFlags(), channels.getStorageType(), channels.getExpressedType(),
        llvm::map_to_vector(channels.getScales(), [=](double scale) { return scale * factor; }),
        channels.getZeroPoints(), channels.getQuantizedDimension(), channels.getStorageTypeMin(),
        channels.getStorageTypeMax());
  return withElementType(tensor, element);
}

/// The codes that the algorithm of a softmax gives; null where they are those that the op has.
static quant::UniformQuantizedType codesOfAlgorithm(vit::SoftmaxNumeratorOp op, const UniformParameters &codes) {
  switch (vit::kindOf(op.getAlgorithm())) {
  case vit::Algorithm::Log2: {
    const unsigned top = numerics::softmaxLog2Top(vit::shapeOf(op.getInput()).back());
    return getPerTensorType(op.getContext(), 16, true, std::ldexp(1.0, -static_cast<int>(top)), 0);
  }
  case vit::Algorithm::Table:
    if (codes.width > 8)
      return {};
    [[fallthrough]];
  default: {
    const auto bits = static_cast<unsigned>(getCodeBits(op.getNumerator()));
    if (codes.width <= bits)
      return {};
    // The largest code stands for 1.
    return getPerTensorType(op.getContext(), bits, false, 1.0 / static_cast<double>(numerics::largestCode(bits)), 0);
  }
  }
}

LogicalResult lowering::retypeNumerators(ModuleOp module) {
  WalkResult walked = module.walk([](vit::SoftmaxNumeratorOp op) -> WalkResult {
    FailureOr<UniformParameters> codes = perTensorParametersOf(op, op.getNumerator());
    if (failed(codes))
      return WalkResult::interrupt();
    const bool powers = vit::kindOf(op.getAlgorithm()) == vit::Algorithm::Log2;
    const int64_t length = vit::shapeOf(op.getInput()).back();
    if (powers && numerics::softmaxLog2Top(length) == 0)
      return op.emitError("'") << nodeName(op.getLoc()) << "': rows of " << length
                               << " are too long for powers of two; use --nonlinear=table for it";
    quant::UniformQuantizedType type = codesOfAlgorithm(op, *codes);
    if (!type)
      return WalkResult::advance();
    const double factor = type.getScale() / codes->scale();
    for (Operation *user : op.getNumerator().getUsers()) {
      if (isa<vit::DivideRowsOp>(user))
        continue;
      auto product = dyn_cast<vit::MatmulOp>(user);
      if (!product || product.getLhs() != op.getNumerator() || product.getRhs() == op.getNumerator() ||
          !llvm::all_of(product->getUsers(), llvm::IsaPred<vit::DivideRowsOp>))
        return op.emitError("'") << nodeName(op.getLoc())
                                 << "': " << (powers ? "powers of two" : "codes of at most 8 bits")
                                 << " need a product with the values and its division to follow; use "
                                    "--nonlinear=table for it";
      product.getResult().setType(cast<RankedTensorType>(withScaledType(product.getType(), factor)));
    }
    op.getNumerator().setType(cast<RankedTensorType>(withElementType(op.getNumerator().getType(), type)));
    op.getSum().setType(cast<RankedTensorType>(withScaledType(op.getSum().getType(), factor)));
    return WalkResult::advance();
  });
  return failure(walked.wasInterrupted());
}

void lowering::populateRowPatterns(RewritePatternSet &patterns, const TypeConverter &converter,
                                   const Context &context) {
  patterns.add<LowerSoftmax, LowerDivideRows, LowerLayerNorm, LowerFullSoftmax>(converter, patterns.getContext(),
                                                                                context);
}
