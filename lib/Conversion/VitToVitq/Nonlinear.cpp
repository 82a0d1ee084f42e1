//===- Nonlinear.cpp - Softmax, layer_norm and functions of one variable -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Recording.h"

#include "vitq/Numerics/Gelu.h"
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

bool usesShift(std::optional<vit::Algorithm> algorithm) { return algorithm == vit::Algorithm::Shift; }

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

struct LowerLayerNorm : Lowering<vit::LayerNormOp> {
  using Lowering::Lowering;
  LogicalResult matchAndRewrite(vit::LayerNormOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    FailureOr<UniformParameters> input = perTensorParametersOf(op, op.getInput()),
                                 result = perTensorParametersOf(op, op.getResult());
    if (failed(input) || failed(result))
      return failure();
    std::optional<std::vector<double>> gamma = getFloatConstant(op.getGamma()), beta = getFloatConstant(op.getBeta());
    if (!gamma || !beta)
      return op.emitError("gamma and beta of '") << nodeName(op.getLoc()) << "' must be constants";
    if (input->width > 16)
      return op.emitError("layer_norm needs an input of at most 16 bits");
    bool shift = usesShift(op.getAlgorithm());
    FailureOr<Constants> constants =
        shift ? shiftConstants(op, *gamma, *beta, result->scale()) : exactConstants(op, *gamma, *beta, result->scale());
    if (failed(constants))
      return failure();
    int64_t channels = gamma->size();
    int64_t eps = shift ? 1 : numerics::layerNormEpsilon(op.getEps().convertToDouble(), channels, input->scale());
    auto norm = rewriter.replaceOpWithNewOp<vint::LayerNormOp>(
        op, convert(op.getType()), adaptor.getInput(),
        vint::NormAlgorithmAttr::get(op.getContext(), shift ? vint::NormAlgorithm::Shift : vint::NormAlgorithm::Exact),
        vint::DyadicAttr::get(op.getContext(), constants->multipliers, constants->shifts),
        rewriter.getDenseI64ArrayAttr(constants->offsets),
        shift ? rewriter.getDenseI64ArrayAttr(constants->postOffsets) : DenseI64ArrayAttr(),
        rewriter.getI64IntegerAttr(eps), unitIf(rewriter, !input->isSigned), unitIf(rewriter, !result->isSigned),
        rewriter.getI64IntegerAttr(result->zeroPoint()));
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

LogicalResult lowerToTable(vit::UnaryFunction op, Value input, RankedTensorType type,
                           ConversionPatternRewriter &rewriter) {
  FailureOr<UniformParameters> from = perTensorParametersOf(op, op->getOperand(0)),
                               to = perTensorParametersOf(op, op->getResult(0));
  if (failed(from) || failed(to))
    return failure();
  if (from->width != 8 || to->width > 16)
    return op->emitError("a table needs an 8-bit input and a result of at most 16 bits, got ")
           << from->width << " and " << to->width << " bits";
  numerics::Table256 entries =
      numerics::buildTable([&](double x) { return op.evaluate(x); }, from->scale(), from->zeroPoint(), from->isSigned,
                           to->scale(), to->zeroPoint(), static_cast<int>(to->width), to->isSigned);
  Value table = createIntConstant(rewriter, op->getLoc(), RankedTensorType::get({256}, type.getElementType()),
                                  SmallVector<int64_t>(entries.begin(), entries.end()), "table");
  auto lookup =
      vint::TableOp::create(rewriter, op->getLoc(), type, input, table, Value(), unitIf(rewriter, !from->isSigned));
  recordScale(lookup, op);
  rewriter.replaceOp(op, lookup);
  return success();
}

struct LowerGelu : Lowering<vit::GeluOp> {
  using Lowering::Lowering;
  LogicalResult matchAndRewrite(vit::GeluOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    if (!usesShift(op.getAlgorithm()))
      return lowerToTable(op, adaptor.getInput(), convert(op.getType()), rewriter);
    FailureOr<UniformParameters> input = perTensorParametersOf(op, op.getInput()),
                                 result = perTensorParametersOf(op, op.getResult());
    if (failed(input) || failed(result))
      return failure();
    if (input->width != 8)
      return op.emitError("ShiftGELU needs an 8-bit input");
    // sigma has 7 fraction bits.
    FailureOr<vint::DyadicAttr> by = makeDyadic(op, {input->scale() / 128 / result->scale()}, context);
    if (failed(by))
      return failure();
    double amax = static_cast<double>(input->max - input->zeroPoint());
    int64_t x0 = numerics::shiftGeluX0(input->scale());
    if (x0 < -65536 || x0 >= 0)
      return op.emitError("ShiftGELU cannot represent the input scale ") << input->scale() << "; use --nonlinear=table";
    auto gelu = rewriter.replaceOpWithNewOp<vint::GeluOp>(
        op, convert(op.getType()), adaptor.getInput(), x0,
        static_cast<int64_t>(numerics::shiftGeluBits(input->scale(), amax)), *by, vint::Rounding::HalfUp,
        !input->isSigned, input->zeroPoint(), !result->isSigned, result->zeroPoint());
    recordScale(gelu, op);
    return success();
  }
};

template <typename OpTy>
struct LowerFunction : Lowering<OpTy> {
  using Lowering<OpTy>::Lowering;
  LogicalResult matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    return lowerToTable(op, adaptor.getInput(), this->convert(op.getType()), rewriter);
  }
};

} // namespace

void lowering::populateNonlinearPatterns(RewritePatternSet &patterns, const TypeConverter &converter,
                                         const Context &context) {
  patterns.add<LowerSoftmax, LowerDivideRows, LowerLayerNorm, LowerRelu, LowerGelu, LowerFunction<vit::SigmoidOp>,
               LowerFunction<vit::TanhOp>, LowerFunction<vit::HardSwishOp>, LowerFunction<vit::SiluOp>>(
      converter, patterns.getContext(), context);
}
